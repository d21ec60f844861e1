"""What the node says: blocks with their parent links, the logs of our contracts, our signers' work.

Everything is asked of the node; nothing is taken from the database but which addresses are ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from settlement.verify.rpc import Line, NotJudged
from settlement.verify.words import REJECTED, SETTLED, TRANSFER, address_of, words_of

_HEADERS_PER_CALL = 200
_RECEIPT_TXS_PER_CALL = 200
_READS_PER_CALL = 500


class Header(NamedTuple):
    """A block of the canonical chain."""

    number: int
    hash: str
    parent_hash: str
    timestamp: int
    tx_count: int


class Place(NamedTuple):
    """Where a log is. The pair (block hash, log index) names it for ever."""

    block_number: int
    block_hash: str
    tx_hash: str
    log_index: int


class Transfer(NamedTuple):
    """A token's own word that `amount` moved."""

    place: Place
    token: str
    sender: str
    receiver: str
    amount: int


class Outcome(NamedTuple):
    """The rail's word on one payment: settled (`code` 0) or rejected."""

    place: Place
    rail: str
    debtor: str
    sequence: int
    reference: str
    token: str
    creditor: str
    amount: int
    code: int


class Mined(NamedTuple):
    """A chain transaction of one of our signers, as mined."""

    tx_hash: str
    block_number: int
    block_hash: str
    signer: str
    status: int
    nonce: int
    to: str
    value: int
    calldata: str
    gas_wei: int
    """What its gas cost."""


@dataclass(slots=True)
class Seen:
    """All that was found from one block to another."""

    headers: dict[int, Header] = field(default_factory=dict)
    transfers: list[Transfer] = field(default_factory=list)
    settled: list[Outcome] = field(default_factory=list)
    rejected: list[Outcome] = field(default_factory=list)
    mined: dict[str, Mined] = field(default_factory=dict)

    def hash_at(self, number: int | None) -> str | None:
        """Return the canonical hash at a height, None outside what was read."""
        header = self.headers.get(number) if number is not None else None
        return header.hash if header else None


class Node:
    """A node, asked at named blocks only."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def identity(self) -> tuple[int, str]:
        """Return chain id and the hash of block 0."""
        chain_id, genesis = self._line.many(
            [("eth_chainId", ()), ("eth_getBlockByNumber", ("0x0", False))]
        )
        return int(chain_id, 16), genesis["hash"].lower()

    def head(self) -> Header:
        """Return the newest block."""
        return _header(self._line.many([("eth_getBlockByNumber", ("latest", False))])[0])

    def read(
        self,
        first: int,
        last: Header,
        *,
        rails: set[str],
        tokens: set[str],
        signers: set[str],
        progress: Callable[[str], None],
    ) -> Seen:
        """Read the canonical chain from block `first` to `last`, its links checked.

        Raises:
            NotJudged: the chain changed while it was read, or the node contradicts itself.
        """
        seen = Seen()
        for header in self._headers(first, last.number):
            before = seen.headers.get(header.number - 1)
            if before is not None and before.hash != header.parent_hash:
                raise NotJudged(f"the chain changed at block {header.number} while it was read")
            seen.headers[header.number] = header
        if last.number >= first and seen.hash_at(last.number) != last.hash:
            raise NotJudged(f"the chain changed at block {last.number} while it was read")
        ours: list[tuple[Header, dict[str, Any]]] = []
        full = [header for header in seen.headers.values() if header.tx_count]
        for header, receipts in self._receipts(full, progress):
            for receipt in receipts:
                _take_logs(seen, header, receipt, rails, tokens)
                if receipt["from"].lower() in signers:
                    ours.append((header, receipt))
        self._take_mined(seen, ours)
        return seen

    def nonces(self, signers: Sequence[str], number: int) -> list[int]:
        """Return how many chain transactions of each signer are mined up to a block."""
        calls = [("eth_getTransactionCount", (signer, hex(number))) for signer in signers]
        return [int(answer, 16) for answer in self._line.many(calls)]

    def coins(self, holders: Sequence[str], block_hash: str) -> list[int]:
        """Return balances in wei at a block."""
        calls = [("eth_getBalance", (holder, {"blockHash": block_hash})) for holder in holders]
        return [int(answer, 16) for answer in self._chunked(calls)]

    def numbers(self, calls: Sequence[tuple[str, str]], block_hash: str) -> list[int]:
        """Return the numbers that read-only calls `(to, data)` give at a block; no code gives 0."""
        asked = [
            ("eth_call", ({"to": to, "data": data}, {"blockHash": block_hash}))
            for to, data in calls
        ]
        return [int(answer[:66], 16) if answer != "0x" else 0 for answer in self._chunked(asked)]

    def _chunked(self, calls: Sequence[tuple[str, Sequence[object]]]) -> list[Any]:
        answers: list[Any] = []
        for start in range(0, len(calls), _READS_PER_CALL):
            answers += self._line.many(calls[start : start + _READS_PER_CALL])
        return answers

    def _headers(self, first: int, last: int) -> Iterator[Header]:
        for start in range(first, last + 1, _HEADERS_PER_CALL):
            numbers = range(start, min(start + _HEADERS_PER_CALL, last + 1))
            calls = [("eth_getBlockByNumber", (hex(number), False)) for number in numbers]
            for number, block in zip(numbers, self._line.many(calls), strict=True):
                if block is None or int(block["number"], 16) != number:
                    raise NotJudged(f"the node has no block {number}")
                yield _header(block)

    def _receipts(
        self, headers: list[Header], progress: Callable[[str], None]
    ) -> Iterator[tuple[Header, list[dict[str, Any]]]]:
        place = 0
        while place < len(headers):
            chunk, tx_count = [], 0
            while place < len(headers) and tx_count < _RECEIPT_TXS_PER_CALL:
                chunk.append(headers[place])
                tx_count += headers[place].tx_count
                place += 1
            calls = [("eth_getBlockReceipts", (header.hash,)) for header in chunk]
            for header, receipts in zip(chunk, self._line.many(calls), strict=True):
                if receipts is None or len(receipts) != header.tx_count:
                    raise NotJudged(f"block {header.number} came without all of its receipts")
                yield header, receipts
            progress(f"block {chunk[-1].number}")

    def _take_mined(self, seen: Seen, ours: list[tuple[Header, dict[str, Any]]]) -> None:
        calls = [("eth_getTransactionByHash", (receipt["transactionHash"],)) for _, receipt in ours]
        for (header, receipt), sent in zip(ours, self._chunked(calls), strict=True):
            if sent is None or sent["blockHash"] != header.hash:
                raise NotJudged(f"the chain changed at block {header.number} while it was read")
            tx_hash = receipt["transactionHash"].lower()
            seen.mined[tx_hash] = Mined(
                tx_hash=tx_hash,
                block_number=header.number,
                block_hash=header.hash,
                signer=receipt["from"].lower(),
                status=int(receipt["status"], 16),
                nonce=int(sent["nonce"], 16),
                to=(sent["to"] or "").lower(),
                value=int(sent["value"], 16),
                calldata=sent["input"].lower(),
                gas_wei=int(receipt["gasUsed"], 16) * int(receipt["effectiveGasPrice"], 16),
            )


def _header(block: dict[str, Any]) -> Header:
    return Header(
        number=int(block["number"], 16),
        hash=block["hash"].lower(),
        parent_hash=block["parentHash"].lower(),
        timestamp=int(block["timestamp"], 16),
        tx_count=len(block["transactions"]),
    )


def _take_logs(
    seen: Seen, header: Header, receipt: dict[str, Any], rails: set[str], tokens: set[str]
) -> None:
    tx_hash = receipt["transactionHash"].lower()
    for log in receipt["logs"]:
        topics = log["topics"]
        if not topics:
            continue
        if log["blockHash"].lower() != header.hash:
            raise NotJudged(f"a log of another block came for block {header.number}")
        address, topic = log["address"].lower(), topics[0]
        place = Place(header.number, header.hash, tx_hash, int(log["logIndex"], 16))
        if topic == TRANSFER and address in tokens and len(topics) == 3:
            seen.transfers.append(
                Transfer(
                    place,
                    address,
                    address_of(topics[1]),
                    address_of(topics[2]),
                    int(log["data"][2:66] or "0", 16),
                )
            )
        elif topic in (SETTLED, REJECTED) and address in rails and len(topics) == 4:
            outcome = _outcome(place, address, topics, words_of(log["data"]))
            (seen.settled if topic == SETTLED else seen.rejected).append(outcome)


def _outcome(place: Place, rail: str, topics: list[str], words: list[str]) -> Outcome:
    return Outcome(
        place=place,
        rail=rail,
        debtor=address_of(topics[1]),
        sequence=int(topics[2], 16),
        reference=topics[3].lower(),
        token=address_of(words[0]),
        creditor=address_of(words[1]),
        amount=int(words[2], 16),
        code=int(words[3], 16) if len(words) > 3 else 0,
    )
