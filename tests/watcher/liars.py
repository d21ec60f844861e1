"""Nodes that stand before a good one and do not tell the truth, each in one way.

They lie as far as the port lets them: what a port must refuse itself is tested with the port.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from settlement.chain.port import BlockRef, ChainIdentity, ChainPort, Hash, Receipt
from settlement.errors import ChainUnreachable


@dataclass
class Relay:
    """Passes everything on."""

    chain: ChainPort

    def __getattr__(self, name: str) -> Any:
        return getattr(self.chain, name)


@dataclass
class Late(Relay):
    """Knows no block above `newest`."""

    newest: int = 0

    def head(self) -> BlockRef:
        return self.chain.headers(self.newest, self.newest)[0]

    def headers(self, first: int, last: int) -> list[BlockRef]:
        return self.chain.headers(first, min(last, self.newest))


@dataclass
class OtherChain(Relay):
    """Says that it is another chain."""

    chain_id: int | None = None
    genesis_hash: Hash | None = None

    def identity(self) -> ChainIdentity:
        found = self.chain.identity()
        return ChainIdentity(
            self.chain_id or found.chain_id, self.genesis_hash or found.genesis_hash
        )


@dataclass
class Forgetful(Relay):
    """Answers null for receipts of blocks that it gave the headers of."""

    def receipts(self, blocks: Sequence[BlockRef]) -> list[list[Receipt]]:
        raise ChainUnreachable("the node gave nothing for a block: it is gone")


@dataclass
class LogDropper(Relay):
    """Leaves out one log of each block, by its place, or all with None."""

    place: int | None = None

    def receipts(self, blocks: Sequence[BlockRef]) -> list[list[Receipt]]:
        found = self.chain.receipts(blocks)
        return [[self._without(receipt) for receipt in receipts] for receipts in found]

    def _without(self, receipt: Receipt) -> Receipt:
        kept = tuple(
            log for log in receipt.logs if self.place is not None and log.log_index != self.place
        )
        return receipt._replace(logs=kept)


@dataclass
class ReceiptDropper(Relay):
    """Leaves out the last receipt of each block."""

    def receipts(self, blocks: Sequence[BlockRef]) -> list[list[Receipt]]:
        return [receipts[:-1] for receipts in self.chain.receipts(blocks)]


@dataclass
class Unlinked(Relay):
    """Gives headers whose parents are others."""

    def headers(self, first: int, last: int) -> list[BlockRef]:
        found = self.chain.headers(first, last)
        return found[:1] + [replace(each, parent_hash=Hash("0xbad")) for each in found[1:]]


@dataclass
class Interrupted(Relay):
    """Answers `answers` requests for receipts, then no more."""

    answers: int = 0

    def receipts(self, blocks: Sequence[BlockRef]) -> list[list[Receipt]]:
        if self.answers <= 0:
            raise ChainUnreachable("the connection was cut")
        self.answers -= 1
        return self.chain.receipts(blocks)
