"""A node between a worker and the chain in memory: it fails, lags and lies as it is told to.

Implements `ChainPort`. Every fault is named beforehand and used up by the call that it spoils.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from settlement.chain.memory import MemoryChain
from settlement.chain.port import (
    Address,
    BlockRef,
    ChainIdentity,
    Hash,
    Receipt,
    SendAnswer,
    SendOutcome,
)
from settlement.chain.send_answers import meaning
from settlement.errors import ChainUnreachable

READS = ("identity", "head", "headers", "receipts", "nonce", "call_many", "coin_balances")
READ_FAULTS = ("before", "after")
"""The answer is lost: before the node has heard the question, or after it has done its work."""
LAGS = ("head", "headers", "nonce")
SEND_FAULTS = ("before", "after", "half", "swallow", "twice")
WORDS = (
    "nonce too low",
    "replacement transaction underpriced",
    "max fee per gas less than block base fee",
    "Insufficient funds for gas * price + value",
    "txpool is full",
    "already known",
)
"""What a node may answer although it is not so."""
HALTING_WORDS = "invalid chain id for signer"

Told = Callable[[str], None]
HandedOver = Callable[[Sequence[bytes]], None]


class FaultyNode:
    """One worker's node. `tell` hears of every fault that has happened, `handed_over` all bytes."""

    def __init__(self, chain: MemoryChain, tell: Told, handed_over: HandedOver) -> None:
        self._chain = chain
        self._tell, self._handed_over = tell, handed_over
        self._planned: dict[str, list[tuple[str, int]]] = {}
        self._shown: dict[int, BlockRef] = {}
        """The header that was last given of each height."""

    def plan(self, method: str, fault: str, amount: int = 1) -> None:
        """Let the next call of `method` suffer `fault`; `amount` is of blocks, for a lag."""
        self._planned.setdefault(method, []).append((fault, amount))

    def recover(self) -> None:
        """Forget what was planned."""
        self._planned.clear()

    def identity(self) -> ChainIdentity:
        """See `ChainPort.identity`."""
        fault, _ = self._due("identity")
        found = self._answered(fault, self._chain.identity)
        if fault == "foreign":
            return ChainIdentity(found.chain_id + 1, found.genesis_hash)
        return found

    def head(self) -> BlockRef:
        """See `ChainPort.head`."""
        fault, amount = self._due("head")
        newest = self._answered(fault, self._chain.head)
        if fault == "stale":
            return self._chain.headers(*[max(newest.number - amount, 0)] * 2)[0]
        return _forged(newest) if fault == "forged" else newest

    def headers(self, first: int, last: int) -> list[BlockRef]:
        """See `ChainPort.headers`."""
        fault, amount = self._due("headers")
        if fault == "stale":
            last = min(last, self._chain.head().number - amount)
        found = self._answered(fault, self._chain.headers, first, last)
        if fault == "forged" and found:
            found[-1] = _forged(found[-1])
        if fault == "torn" and found:
            # Of two branches: what was shown before, and then what follows on the other one.
            found[0] = self._shown.get(first, found[0])
        self._shown.update({header.number: header for header in found})
        return found

    def receipts(self, blocks: Sequence[BlockRef]) -> list[list[Receipt]]:
        """See `ChainPort.receipts`."""
        fault, _ = self._due("receipts")
        return self._answered(fault, self._chain.receipts, blocks)

    def send(self, raw_transactions: Sequence[bytes]) -> list[SendAnswer]:
        """See `ChainPort.send`."""
        self._handed_over(raw_transactions)
        fault, _ = self._due("send")
        raws = list(raw_transactions)
        lost = [SendAnswer(SendOutcome.UNKNOWN, "no answer")] * len(raws)
        if not fault:
            answers = self._chain.send(raws)
            if any(answer.outcome == SendOutcome.NO_GAS_MONEY for answer in answers):
                self._tell("gas.shortage")  # As the base fee and the purse have it.
            return answers
        if fault == "before":
            return lost
        if fault == "after":
            self._chain.send(raws)
            return lost
        if fault == "half":
            middle = (len(raws) + 1) // 2
            return self._chain.send(raws[:middle]) + lost[middle:]
        if fault == "swallow":
            return [SendAnswer(SendOutcome.ACCEPTED)] * len(raws)
        if fault == "twice":
            self._chain.send(raws)
            return self._chain.send(raws)
        return [meaning(fault)] * len(raws)

    def raw_transactions(self, tx_hashes: Sequence[Hash]) -> list[bytes | None]:
        """See `ChainPort.raw_transactions`."""
        return self._chain.raw_transactions(tx_hashes)

    def nonce(self, signer: Address) -> int:
        """See `ChainPort.nonce`."""
        fault, amount = self._due("nonce")
        found = self._answered(fault, self._chain.nonce, signer)
        if fault != "stale":
            return found
        newest = self._chain.head().number
        late = self._chain.receipts(self._chain.headers(newest - amount + 1, newest))
        return found - sum(each.sender == signer for block in late for each in block)

    def nonces_at(self, signers: Sequence[Address], block_hash: Hash) -> list[int]:
        """See `ChainPort.nonces_at`."""
        return self._chain.nonces_at(signers, block_hash)

    def call_many(
        self, calls: Sequence[tuple[Address, str]], block_hash: Hash | None = None
    ) -> list[str]:
        """See `ChainPort.call_many`."""
        fault, _ = self._due("call_many")
        return self._answered(fault, self._chain.call_many, calls, block_hash)

    def coin_balances(self, holders: Sequence[Address], block_hash: Hash) -> list[int]:
        """See `ChainPort.coin_balances`."""
        fault, _ = self._due("coin_balances")
        return self._answered(fault, self._chain.coin_balances, holders, block_hash)

    def code_hashes(self, addresses: Sequence[Address]) -> list[Hash | None]:
        """See `ChainPort.code_hashes`."""
        return self._chain.code_hashes(addresses)

    def _due(self, method: str) -> tuple[str, int]:
        planned = self._planned.get(method)
        if not planned:
            return "", 0
        fault, amount = planned.pop(0)
        told = "malformed" if fault == HALTING_WORDS else "words" if " " in fault else fault
        self._tell(f"rpc.{method}.{told}")
        return fault, amount

    def _answered(self, fault: str, ask: Callable[..., Any], *arguments: Any) -> Any:
        if fault == "before":
            raise ChainUnreachable("connection refused")
        found = ask(*arguments)
        if fault == "after":
            raise ChainUnreachable("the connection was closed before the answer")
        return found


def _forged(block: BlockRef) -> BlockRef:
    """Return a block of a branch that nobody else knows."""
    return replace(block, hash=Hash("0x" + block.hash[2:][::-1]))
