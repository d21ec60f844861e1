"""Two nodes as one chain: what money rests on is believed only where both say the same.

A node that is late is waited for; one that says otherwise makes the answer worth nothing, until
both agree again. Knows no RPC: it stands before any two implementations of the port.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeVar

from settlement.chain.port import (
    Address,
    BlockBody,
    BlockRef,
    ChainIdentity,
    ChainPort,
    Hash,
    Receipt,
    SendAnswer,
    SendOutcome,
    proving,
)
from settlement.errors import ChainUnreachable

Answer = TypeVar("Answer")

TRIES = 3
"""So often in a row the nodes may differ at their newest blocks before it is called a problem."""


class NodesDisagree(ChainUnreachable):
    """Two nodes say different things of one block: neither is believed.

    `tries`: how often in a row that was so.
    """

    def __init__(self, what: str, tries: int) -> None:
        advice = ": one of them is wrong or on another branch" if tries >= TRIES else ""
        super().__init__(f"the two nodes disagree on {what} (time {tries} in a row){advice}")
        self.what, self.tries = what, tries

    @property
    def is_lasting(self) -> bool:
        """Whether it is more than two nodes that learn of a new block one after the other."""
        return self.tries >= TRIES


class CrossChecked:
    """See `ChainPort`. `first` answers, `second` is asked whether that is so."""

    def __init__(self, first: ChainPort, second: ChainPort) -> None:
        self.first, self.second = first, second
        self._tries: Counter[str] = Counter()

    def close(self) -> None:
        """Close what can be closed."""
        for node in (self.first, self.second):
            getattr(node, "close", lambda: None)()

    def identity(self) -> ChainIdentity:
        """See `ChainPort.identity`."""
        return self._same(
            "identity", "the chain's id and genesis", self.first.identity, self.second.identity
        )

    def head(self) -> BlockRef:
        """Return the newest block that both have."""
        newest = (self.first.head(), self.second.head())
        low, high = sorted(newest, key=lambda block: block.number)
        ahead = self.first if high is newest[0] else self.second
        known = [high] if high.number == low.number else ahead.headers(low.number, low.number)
        self._compare("head", f"block {low.number}", low.hash, known[0].hash if known else None)
        return low

    def headers(self, first: int, last: int) -> list[BlockRef]:
        """Return the canonical headers that both have; a late second node ends them."""
        found = self.first.headers(first, last)
        theirs = self.second.headers(first, found[-1].number) if found else []
        # Whole headers: a true hash with a false bloom filter would hide a block's logs.
        found = found[: len(theirs)]
        differing = [one for one, other in zip(found, theirs, strict=True) if one != other]
        self._judge("headers", f"block {differing[0].number}" if differing else "")
        return found

    def receipts(self, blocks: Sequence[BlockRef]) -> list[list[Receipt]]:
        """See `ChainPort.receipts`; whole receipts with all their logs are compared."""
        ours, theirs = self.first.receipts(blocks), self.second.receipts(blocks)
        looked_at = zip(blocks, ours, theirs, strict=True)
        differing = [block for block, one, other in looked_at if one != other]
        what = f"the receipts of block {differing[0].number}" if differing else ""
        self._judge("receipts", what)
        return ours

    def send(self, raw_transactions: Sequence[bytes]) -> list[SendAnswer]:
        """Hand the same bytes to both; the first one's answers count where it gave any."""
        ours = self.first.send(raw_transactions)
        theirs = self.second.send(raw_transactions)
        return [
            other if one.outcome is SendOutcome.UNKNOWN else one
            for one, other in zip(ours, theirs, strict=True)
        ]

    def raw_transactions(self, tx_hashes: Sequence[Hash]) -> list[bytes | None]:
        """See `ChainPort.raw_transactions`; bytes prove themselves, so either may give them."""
        found = self.first.raw_transactions(tx_hashes)
        missing = [each for each, raw in zip(tx_hashes, found, strict=True) if raw is None]
        more = iter(self.second.raw_transactions(missing) if missing else ())
        return [next(more) if raw is None else raw for raw in found]

    def nonce(self, signer: Address) -> int:
        """Return how many of the signer's chain transactions both have in mined blocks."""
        return min(self.first.nonce(signer), self.second.nonce(signer))

    def nonces_at(self, signers: Sequence[Address], block_hash: Hash) -> list[int]:
        """See `ChainPort.nonces_at`."""
        return self._same(
            "nonces",
            f"nonces at block {block_hash}",
            lambda: self.first.nonces_at(signers, block_hash),
            lambda: self.second.nonces_at(signers, block_hash),
        )

    def call_many(
        self, calls: Sequence[tuple[Address, str]], block_hash: Hash | None = None
    ) -> list[str]:
        """See `ChainPort.call_many`; at the newest block, which may differ, only one is asked."""
        if block_hash is None:
            return self.first.call_many(calls)
        return self._same(
            "calls",
            f"calls at block {block_hash}",
            lambda: self.first.call_many(calls, block_hash),
            lambda: self.second.call_many(calls, block_hash),
        )

    def coin_balances(self, holders: Sequence[Address], block_hash: Hash) -> list[int]:
        """See `ChainPort.coin_balances`."""
        return self._same(
            "balances",
            f"balances at block {block_hash}",
            lambda: self.first.coin_balances(holders, block_hash),
            lambda: self.second.coin_balances(holders, block_hash),
        )

    def code_hashes(self, addresses: Sequence[Address]) -> list[Hash | None]:
        """See `ChainPort.code_hashes`."""
        return self._same(
            "code",
            "the code of contracts",
            lambda: self.first.code_hashes(addresses),
            lambda: self.second.code_hashes(addresses),
        )

    def header_bytes(self, first: int, last: int) -> list[bytes]:
        """See `ProvesBlocks.header_bytes`; headers prove themselves, so one node is asked."""
        return proving(self.first).header_bytes(first, last)

    def block_body(self, block_hash: Hash) -> BlockBody:
        """See `ProvesBlocks.block_body`; its roots are in the header, so one node is asked."""
        return proving(self.first).block_body(block_hash)

    def _same(
        self,
        kind: str,
        what: str,
        ask_first: Callable[[], Answer],
        ask_second: Callable[[], Answer],
    ) -> Answer:
        answer = ask_first()
        self._compare(kind, what, answer, ask_second())
        return answer

    def _compare(self, kind: str, what: str, ours: object, theirs: object) -> None:
        self._judge(kind, what if ours != theirs else "")

    def _judge(self, kind: str, difference: str) -> None:
        """Count how often in a row there was a difference of a kind; agreement ends the row."""
        if not difference:
            self._tries[kind] = 0
            return
        self._tries[kind] += 1
        raise NodesDisagree(difference, self._tries[kind])
