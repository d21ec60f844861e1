"""A world in memory and one on anvil that are told the same, and compared after each step."""

from __future__ import annotations

from typing import Any

from settlement.chain.port import Address, Receipt
from settlement.chain.rail_abi import (
    REJECTED,
)
from settlement.chain.signing import KeyPair
from tests.chain.worlds import (
    World,
)

DAY = 86_400


class Twins:
    """Two worlds that are told the same; what they answer is compared at once."""

    def __init__(self, memory: World, anvil: World) -> None:
        self.memory, self.anvil = memory, anvil
        self.token, self.rail = memory.token.address, memory.rail

    def sent(self, *raws: bytes, at: int | None = None) -> list[Receipt]:
        """Send the bytes to both, mine a block on both, compare; return the receipts."""
        both = []
        for world in (self.memory, self.anvil):
            if at is not None:
                world.controls.set_next_timestamp(at)
            both.append([comparable(receipt) for receipt in world.mined(*raws)])
        assert both[0] == both[1]
        assert len(both[0]) == len(raws)
        receipts: list[Receipt] = self.memory.chain.receipts([self.memory.chain.head()])[0]
        return receipts

    def sign(self, signer: KeyPair, to: Address, call: bytes) -> bytes:
        return self.memory.sign(signer, to, call)

    def do(self, signer: KeyPair, to: Address, call: bytes | str, *, at: int | None = None) -> int:
        """Let both run one call and return its status."""
        coded = bytes.fromhex(call[2:]) if isinstance(call, str) else call
        return self.sent(self.sign(signer, to, coded), at=at)[0].status

    def asked(self, *calls: tuple[Address, str]) -> list[str]:
        """Ask both and compare."""
        answers = [world.chain.call_many(calls) for world in (self.memory, self.anvil)]
        assert answers[0] == answers[1]
        found: list[str] = answers[0]
        return found


def comparable(receipt: Receipt) -> tuple[Any, ...]:
    return (receipt.tx_hash, receipt.tx_index, receipt.sender, receipt.to, receipt.status,
            receipt.logs)  # fmt: skip


def codes(receipt: Receipt) -> list[int]:
    """Return the reasons of a batch's rejections."""
    return [int(log.data[-2:], 16) for log in receipt.logs if log.topics[0] == REJECTED]
