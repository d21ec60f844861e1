"""One lane, wholly occupied, through drops, low bids, reverts and reorgs: does it come out empty?

Knows how to harm and how to count blocks; a bench gives it a real anvil, a test a chain in memory.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text

from settlement.chain import admin_abi
from settlement.chain.port import Address, SendAnswer, SendOutcome
from settlement.chain.signing import KeyPair, sign_eip1559
from settlement.errors import Retryable
from settlement.store import reading

BLOCKS_MAX = 20
"""In so many blocks after the last fault the lane has to be empty."""
GWEI = 10**9
GAS_LIMIT = 30_000_000
_FAULTS = ("drop some", "drop all", "low bids", "base fee", "revert", "reorg")
_END_BLOCKS = 60
_OPEN = "SELECT COUNT(*) FROM chain_tx WHERE state IN ('CLAIMED', 'SIGNED', 'SENT')"
_UNPAID = (
    "SELECT COUNT(*) FROM settlement WHERE state IN ('INSTRUCTED', 'CLEARED', 'CLAIMED',"
    " 'SUBMITTED', 'HELD', 'NEEDS_REVIEW') OR state = 'CONFIRMING' AND outcome <> 'paid'"
)
"""Also what reverted: it comes again when that is final, and the lane is not empty before."""
_PAID_TWICE = (
    "SELECT COUNT(*) FROM (SELECT l.reference FROM chain_log l JOIN block b"
    " ON b.hash = l.block_hash AND b.canonical WHERE l.name = 'Settled'"
    " GROUP BY l.reference HAVING COUNT(*) > 1) x"
)
_NEWEST = (
    "SELECT a.hash, a.raw, c.nonce FROM attempt a JOIN chain_tx c ON c.id = a.chain_tx_id"
    " WHERE c.state {states} AND a.created_seq ="
    " (SELECT MAX(created_seq) FROM attempt WHERE chain_tx_id = c.id) ORDER BY c.nonce"
)
_MINED = (
    "SELECT a.raw, c.nonce FROM attempt a JOIN chain_tx c ON c.tx_hash = a.hash"
    " WHERE c.state = 'SEEN' AND c.block_number > :number ORDER BY c.nonce"
)


@dataclass
class Choosy:
    """A node that refuses a part of what it is sent, as one with a price of its own does."""

    inner: Any
    chance: random.Random
    refuses: float = 0.0
    refused: int = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def send(self, raws: Sequence[bytes]) -> list[SendAnswer]:
        """Give on what is not refused, in its order."""
        low = [self.chance.random() < self.refuses for _ in raws]
        self.refused += sum(low)
        given = iter(self.inner.send([raw for raw, no in zip(raws, low, strict=True) if not no]))
        refused = SendAnswer(SendOutcome.UNDERPRICED, "transaction underpriced")
        return [refused if no else next(given) for no in low]


@dataclass
class FullLane:
    """What a seed works on: the rail's parts, and how the test or bench instructs and ticks."""

    engine: Any
    chain: Choosy
    controls: Any
    rail: Address
    admin: KeyPair
    operator: Address
    instruct: Callable[[int], None]
    tick: Callable[[], Any]
    in_flight: int
    reorg_max: int = 11
    faults: list[str] = field(default_factory=list)
    harmed: Counter[str] = field(default_factory=Counter)
    """Chain transactions that each kind of fault has met, over all seeds."""

    def run(self, seed: int) -> tuple[int | None, list[str]]:
        """Fill the lane, harm it, and mine; return the blocks until it was empty, and problems."""
        chance = random.Random(seed)
        self.chain.chance, self.faults = chance, []
        self.controls.set_next_base_fee(GWEI)
        self.controls.set_balance(self.operator, 9 * 10**18)
        first = self.chain.head().number
        self.chain.refuses = chance.choice((0.0, 0.0, 0.1, 0.5))
        self.instruct(self.in_flight + chance.randrange(self.in_flight // 4))
        for _ in range(6):
            if self._one(_OPEN) >= self.in_flight:
                break
            self._tick()
        problems = []
        if self._one(_OPEN) != self.in_flight:
            problems.append(f"{self._one(_OPEN)} in flight at first, not {self.in_flight}")
        for _ in range(chance.randint(2, 4)):
            fault = chance.choice(_FAULTS)
            self.faults.append(fault)
            before = self.controls.pooled_count()
            self._harm(fault, chance, first)
            if fault.startswith("drop") or fault == "base fee":
                self.harmed[fault] += before - self.controls.pooled_count()
            if chance.random() < 0.7:
                self._tick()
        self._heal()
        blocks = self._mine_until_empty()
        return blocks, [*problems, *self._ends()]

    def _harm(self, fault: str, chance: random.Random, first: int) -> None:
        if fault == "drop some":
            waiting = self._rows(_NEWEST.format(states="IN ('SIGNED', 'SENT')"))
            for row in chance.sample(waiting, len(waiting) // chance.randint(2, 20)):
                self.controls.drop(row.hash)
        elif fault == "drop all":
            self.controls.drop_all()
        elif fault == "low bids":
            self.chain.refuses = chance.random()
        elif fault == "base fee":
            self.controls.set_next_base_fee(chance.randint(2, 40) * GWEI)
            self.controls.mine(chance.randint(1, 3))
        elif fault == "revert":
            # Pausing comes first in its block; as many batches as fit after it revert.
            self._as_admin(admin_abi.PAUSE)
            self.controls.set_block_gas_limit(chance.randint(1_000_000, GAS_LIMIT))
            self.controls.mine(1)
            self.harmed[fault] += max(self.chain.head().tx_count - 1, 0)
            self.controls.set_block_gas_limit(GAS_LIMIT)
        else:
            self._reorg(chance, first)

    def _reorg(self, chance: random.Random, first: int) -> None:
        """Throw blocks out; a random part of what was in them comes back, in order of nonces."""
        depth = min(chance.randint(1, self.reorg_max), self.chain.head().number - first)
        if depth < 1:
            self.controls.mine(1)
            depth = 1
        self._tick()
        mined = self._rows(_MINED, number=self.chain.head().number - depth)
        kept = mined[: chance.randint(0, len(mined))]
        places = sorted(chance.randrange(depth) for _ in kept)
        pairs = [(bytes(row.raw), place) for row, place in zip(kept, places, strict=True)]
        self.controls.reorg(depth, pairs)
        self.harmed["reorg"] += len(mined)

    def _heal(self) -> None:
        """End the faults: the rail is open, the node takes what it is sent."""
        self.chain.refuses = 0.0
        self.controls.set_block_gas_limit(GAS_LIMIT)
        if int(self.chain.call_many([(self.rail, admin_abi.selector("paused()"))])[0], 16):
            self._as_admin(admin_abi.UNPAUSE)

    def _mine_until_empty(self) -> int | None:
        for mined in range(_END_BLOCKS):
            self._tick()
            if not self._one(_OPEN) and not self._one(_UNPAID):
                return mined
            self.controls.mine(1)
        return None

    def _ends(self) -> list[str]:
        """Let everything become final, and say what is not as it should be then."""
        unsettled = "SELECT COUNT(*) FROM settlement WHERE state <> 'SETTLED'"
        for _ in range(_END_BLOCKS):
            if not self._one(unsettled):
                break
            self.controls.mine(1)
            self._tick()
        lane = self._rows("SELECT * FROM lane")[0]
        nonces = [row.nonce for row in self._rows("SELECT nonce FROM chain_tx ORDER BY nonce")]
        begin = nonces[0] if nonces else lane.next_nonce
        twice = self._one(_PAID_TWICE)
        return [
            words
            for holds, words in (
                (not self._one(unsettled), f"{self._one(unsettled)} are not settled"),
                (not twice, f"{twice} are paid twice"),
                (lane.state == "active", f"the lane is {lane.state}: {lane.reason}"),
                (nonces == list(range(begin, lane.next_nonce)), "the nonces have a gap"),
                (self.chain.nonce(self.operator) == lane.next_nonce, "a nonce was not mined"),
            )
            if not holds
        ]

    def _tick(self) -> None:
        try:
            self.tick()
        except Retryable:
            return  # The node was in the middle of a change; the next tick goes on.

    def _as_admin(self, call: str) -> None:
        raw, _ = sign_eip1559(
            self.admin.key, chain_id=self.chain.identity().chain_id,
            nonce=self.chain.nonce(self.admin.address), to=self.rail,
            data=bytes.fromhex(call.removeprefix("0x")), gas_limit=200_000,
            max_fee_wei=900 * GWEI, max_priority_fee_wei=800 * GWEI,
        )  # fmt: skip
        self.chain.inner.send([raw])

    def _rows(self, sql: str, **values: Any) -> list[Any]:
        with reading(self.engine) as session:
            return list(session.connection().execute(text(sql), values).all())

    def _one(self, sql: str) -> int:
        return int(self._rows(sql)[0][0])
