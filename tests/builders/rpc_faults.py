"""The faults of a lying node: which calls a rule strikes, and what is said instead of the truth.

Pure but for `Node`, by which a fault asks the true node for more; puts nothing on the wire.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from random import Random
from typing import Any, Protocol

from settlement.chain.keccak import keccak

Call = dict[str, Any]


class Node(Protocol):
    """The node behind the lies."""

    def ask(self, method: str, *params: object) -> Any:
        """Return the true result of one call."""


Edit = Callable[[Call, Any, int, Node, Random], Any]
"""The call, its true result, the rule's number, the node, the draw: what is said instead."""


def _stale_head(call: Call, result: Any, behind: int, node: Node, _draw: Random) -> Any:
    """Know no block above the one that is `behind` the head."""
    top = max(0, int(node.ask("eth_blockNumber"), 16) - behind)
    return _no_block_above(call, result, top, node)


def _held_head(call: Call, result: Any, top: int, node: Node, _draw: Random) -> Any:
    """Know no block above the number `top`."""
    return _no_block_above(call, result, top, node)


def _no_block_above(call: Call, result: Any, top: int, node: Node) -> Any:
    method, params = call["method"], call.get("params", [])
    if method == "eth_blockNumber":
        return hex(min(int(result, 16), top))
    if method == "eth_getBlockByNumber" and result is not None:
        if int(result["number"], 16) <= top:
            return result
        return node.ask(method, hex(top), params[1]) if params[0] == "latest" else None
    if method == "eth_getBlockReceipts" and result:
        return None if int(result[0]["blockNumber"], 16) > top else result
    return result


def _null(_call: Call, _result: Any, _number: int, _node: Node, _draw: Random) -> Any:
    return None


def _empty(_call: Call, _result: Any, _number: int, _node: Node, _draw: Random) -> Any:
    return []


def _no_logs(_call: Call, result: Any, _number: int, _node: Node, _draw: Random) -> Any:
    """Give every receipt, none with a log."""
    return [{**each, "logs": []} for each in result or []]


def _partial_logs(call: Call, result: Any, percent: int, _node: Node, draw: Random) -> Any:
    """Leave out some logs, at least one."""
    if call["method"] == "eth_getLogs":
        return _thinned(result, percent, draw)
    logs = [log for receipt in result or [] for log in receipt["logs"]]
    kept = {log["logIndex"] for log in _thinned(logs, percent, draw)}
    return [
        {**each, "logs": [log for log in each["logs"] if log["logIndex"] in kept]}
        for each in result or []
    ]


def _renumbered(call: Call, result: Any, percent: int, node: Node, draw: Random) -> Any:
    """Leave out some logs and close the gaps in their numbers: a liar that takes pains."""
    receipts = _partial_logs(call, result, percent, node, draw)
    place = 0
    for receipt in receipts:
        for log in receipt["logs"]:
            log["logIndex"] = hex(place)
            place += 1
    return receipts


def _changed_amount(_call: Call, result: Any, _number: int, _node: Node, _draw: Random) -> Any:
    """Add one to the last byte of every log's data: no bloom tells."""
    return [
        {**each, "logs": [{**log, "data": _plus_one(log["data"])} for log in each["logs"]]}
        for each in result or []
    ]


def _emptied_header(_call: Call, result: Any, _number: int, _node: Node, _draw: Random) -> Any:
    """Give a true hash over a block that is said to have nothing in it."""
    return result and {**result, "transactions": [], "logsBloom": "0x" + "00" * 256}


def _flipped_status(_call: Call, result: Any, _number: int, _node: Node, _draw: Random) -> Any:
    """Say of each chain transaction that succeeded that it reverted, and the other way round."""
    return [{**each, "status": hex(1 - int(each["status"], 16))} for each in result or []]


def _previous_receipts(call: Call, result: Any, back: int, node: Node, _draw: Random) -> Any:
    """Give the receipts of a block further down, as a node that is on another branch would."""
    if not result:
        return result
    number = int(result[0]["blockNumber"], 16) - max(1, back)
    return node.ask(call["method"], hex(number))


def _gas_price(call: Call, result: Any, factor: int, _node: Node, _draw: Random) -> Any:
    """Multiply every price of gas."""
    times = factor or 1000
    if call["method"] in ("eth_gasPrice", "eth_maxPriorityFeePerGas"):
        return hex(int(result, 16) * times)
    if isinstance(result, dict) and isinstance(result.get("baseFeePerGas"), str):
        return {**result, "baseFeePerGas": hex(int(result["baseFeePerGas"], 16) * times)}
    return result


def _wrong_chain(call: Call, result: Any, chain_id: int, _node: Node, _draw: Random) -> Any:
    return hex(chain_id or 1) if call["method"] == "eth_chainId" else result


def _low_estimate(_call: Call, result: Any, _number: int, _node: Node, _draw: Random) -> Any:
    return hex(int(result, 16) // 2)


EDITS: dict[str, Edit] = {
    "stale_head": _stale_head,
    "held_head": _held_head,
    "null": _null,
    "empty": _empty,
    "no_logs": _no_logs,
    "partial_logs": _partial_logs,
    "renumbered_logs": _renumbered,
    "changed_amount": _changed_amount,
    "emptied_header": _emptied_header,
    "flipped_status": _flipped_status,
    "previous_receipts": _previous_receipts,
    "gas_price": _gas_price,
    "wrong_chain": _wrong_chain,
    "low_estimate": _low_estimate,
}
METHODS = {
    "null": "eth_get*Receipt*",
    "empty": "eth_get*",
    "no_logs": "eth_getBlockReceipts",
    "partial_logs": "eth_getBlockReceipts",
    "renumbered_logs": "eth_getBlockReceipts",
    "changed_amount": "eth_getBlockReceipts",
    "emptied_header": "eth_getBlockByNumber",
    "flipped_status": "eth_getBlockReceipts",
    "previous_receipts": "eth_getBlockReceipts",
    "low_estimate": "eth_estimateGas",
    "swallow": "eth_sendRawTransaction",
}
"""What a fault is about where its rule names no method."""

BEFORE = ("delay", "drop_before", "reset_before", "too_many", "server_error")
"""Nothing reaches the node, except after a delay."""
ALONE = ("swallow", "refuse")
"""Only the calls that match do not reach the node."""
AFTER = ("duplicate", "delay_after", "drop_after", "reset", "server_error_after", "refuse_after")
SHAPES = ("shuffled", "wrong_id", "answer_twice", "previous_answer", "truncated", "short_body")
"""The node's answers, not as they should be on the wire."""
FAULTS = (*BEFORE, *ALONE, *AFTER, *SHAPES, "drip", *EDITS)


@dataclass(slots=True)
class Rule:
    """One fault: which calls it strikes, how often, and its own number or words.

    `number`: milliseconds of a delay or between two bytes of a drip, blocks of a stale head, an
    HTTP status, seconds of a Retry-After, an error's code, percent of logs, a factor, a chain id.
    """

    fault: str
    method: str = ""
    """A pattern such as `eth_get*`; empty: what the fault is about."""
    count: int | None = None
    """How often it strikes; None: until it is disarmed."""
    skip: int = 0
    """How many that match are let through first."""
    percent: int = 100
    """Of those that match, by the proxy's seed."""
    number: int = 0
    words: str = ""

    def __post_init__(self) -> None:
        if self.fault not in FAULTS:
            raise ValueError(f"no such fault: {self.fault}; there are {', '.join(FAULTS)}")
        self.method = self.method or METHODS.get(self.fault, "*")

    def strikes(self, method: str, draw: Random) -> bool:
        """Say whether it strikes a call, and remember that it did."""
        if self.count == 0 or not fnmatchcase(method, self.method):
            return False
        if self.percent < 100 and draw.randrange(100) >= self.percent:
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.count = None if self.count is None else self.count - 1
        return True


def swallowed(call: Call) -> str:
    """Return what a node says that took these bytes."""
    return "0x" + keccak(bytes.fromhex(call["params"][0][2:])).hex()


def _thinned(logs: list[Any], percent: int, draw: Random) -> list[Any]:
    """Leave out about so many of a hundred, but one at least."""
    if not logs:
        return logs
    kept = [log for log in logs if draw.randrange(100) >= (percent or 10)]
    if len(kept) == len(logs):
        kept.pop(draw.randrange(len(kept)))
    return kept


def _plus_one(words: str) -> str:
    return words[:-1] + "0123456789abcdef"[(int(words[-1], 16) + 1) % 16] if words[2:] else words
