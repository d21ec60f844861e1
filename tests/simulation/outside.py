"""What happens outside the rail: blocks, reorgs, fees, clocks, and what other people do.

Each act says in a word what it did, or None where there was nothing to do.
"""

from __future__ import annotations

import random

from sqlalchemy import text

from settlement import participants
from settlement.chain.memory import MemoryChain
from settlement.chain.signing import read_eip1559
from settlement.compliance import clearance
from settlement.errors import IllegalMove
from settlement.store import transaction
from tests.simulation.hands import Hands
from tests.simulation.template import fork
from tests.simulation.world import World

REORG_MAX = 11
"""Blocks that may be replaced: the twelfth is final."""
_GWEI = 10**9
_UNDER_WAY = text(
    "SELECT id FROM settlement WHERE :key IN (debtor_id, creditor_id)"
    " AND state IN ('CLEARED', 'CLAIMED', 'SUBMITTED') ORDER BY id"
)


class Outside:
    """The chain, the clocks and the people around one world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.hands = Hands(world.template, world.chain)
        self._branch: tuple[MemoryChain, int] | None = None
        """The chain as it was before the last reorg, and the newest block of both branches."""

    def wait(self, milliseconds: int) -> str:
        """Let everybody's clock go on, and the chain's stand still."""
        self.world.later(milliseconds)
        return "waited"

    def jump(self, milliseconds: int) -> str:
        """Let the chain's clock jump together with everybody's."""
        self.world.later(milliseconds)
        self.world.chain.increase_time(milliseconds // 1000)
        self.world.injected("clock.jump")
        return "jumped"

    def mine(self, count: int, milliseconds: int) -> str:
        """Mine blocks, each some time after the one before."""
        world = self.world
        for _ in range(count):
            world.later(milliseconds)
            at = int(world.now.timestamp())
            if not world.chain._ahead_seconds:
                world.chain.set_next_timestamp(max(at, world.chain.head().timestamp))
            world.chain.mine()
        head = world.chain.head()
        return f"block {head.number} {head.hash[:10]} with {head.tx_count}"

    def reorg(self, depth: int, how: str, draw: int) -> str | None:
        """Replace the newest blocks by others."""
        if how == "back":
            return self._return()
        chain, chance = self.world.chain, random.Random(draw)
        base = self.world.template.chain.head().number
        depth = min(depth, REORG_MAX, chain.head().number - base)
        if depth < 1:
            return None
        head = chain.head().number
        blocks = chain.headers(head - depth + 1, head)
        mined = [
            (receipt.tx_hash, place)
            for place, receipts in enumerate(chain.receipts(blocks))
            for receipt in receipts
        ]
        raws = chain.raw_transactions([tx_hash for tx_hash, _ in mined])
        again = [(raw, place) for raw, (_, place) in zip(raws, mined, strict=True) if raw]
        self._branch = fork(chain), head - depth
        chain.reorg(depth, self._reincluded(again, depth, how, chance))
        self.world.injected(f"reorg.{how}")
        kept = sum(block.tx_count for block in chain.headers(head - depth + 1, head))
        return f"{depth} blocks, {len(again)} chain transactions out, {kept} in"

    def _return(self) -> str | None:
        """Let the branch that lost last time win after all, by one block."""
        chain = self.world.chain
        head = chain.head().number
        if self._branch is None or head - self._branch[1] > REORG_MAX:
            return None
        other, ancestor = self._branch
        self._branch = fork(chain), ancestor
        other._pool = chain._pool
        other._mined |= chain._mined
        chain.__dict__.update(other.__dict__)
        while chain.head().number <= head:
            chain.set_next_timestamp(max(int(self.world.now.timestamp()), chain.head().timestamp))
            chain.mine()
        self.world.injected("reorg.back")
        return f"back to the branch that left at {ancestor}"

    def _reincluded(
        self, mined: list[tuple[bytes, int]], depth: int, how: str, chance: random.Random
    ) -> list[tuple[bytes, int]]:
        """Choose what stands in the new blocks. What cannot be included is left out in silence."""
        if how == "nothing":
            return []
        if how == "same":
            return mined
        if how == "shifted":
            shift = chance.randrange(1, depth + 1)
            return [(raw, min(place + shift, depth - 1)) for raw, place in mined]
        # Another attempt at the same nonces: a higher or lower bid, or a cancel of the batch.
        chosen: dict[tuple[str, int], bytes] = {}
        stored = self.world.rows("SELECT raw FROM attempt WHERE send_count > 0 ORDER BY hash")
        for row in stored:
            signed = read_eip1559(bytes(row.raw))
            slot = (signed.sender, signed.nonce)
            if slot not in chosen or (how == "cancels") == (not signed.data):
                chosen[slot] = signed.raw
        for raw, _ in mined:
            signed = read_eip1559(raw)
            chosen.setdefault((signed.sender, signed.nonce), raw)
        # Each sender's in the order of their nonces; whose come first is another matter.
        by_sender: dict[str, list[bytes]] = {}
        for (sender, _), raw in sorted(chosen.items()):
            by_sender.setdefault(sender, []).append(raw)
        placed: list[tuple[bytes, int]] = []
        for in_order in by_sender.values():
            places = sorted(chance.randrange(depth) for _ in in_order)
            placed += zip(in_order, places, strict=True)
        if chance.random() < 0.5:
            placed.reverse()
            placed.sort(key=lambda each: read_eip1559(each[0]).nonce)
        return placed

    def drop(self, nth: int) -> str | None:
        """Let the node forget what is pooled: all of it, or one and what follows it."""
        chain = self.world.chain
        pooled = sorted(chain._pool.all(), key=lambda each: (each.sender, each.nonce))
        if not pooled:
            return None
        if nth == 0:
            chain.drop_all()
            self.world.injected("drop.all")
        else:
            chain.drop(pooled[nth % len(pooled)].hash)
            self.world.injected("drop.one")
        return f"{len(pooled) - chain.pooled_count()} of {len(pooled)} dropped"

    def base_fee(self, gwei: int) -> str:
        """Set the next block's base fee."""
        self.world.chain.set_next_base_fee(max(gwei * _GWEI, 7))
        self.world.injected("fee.spike" if gwei >= 40 else "fee.change")
        return f"{gwei} gwei"

    def allow(self, company: int, cap: int, cap_per_day: int) -> str:
        """See `Hands.allow`."""
        self.hands.allow(company, cap * 10**6, cap_per_day * 10**6)
        self.world.injected("mandate.change")
        return "sent"

    def revoke(self, company: int) -> str:
        """See `Hands.revoke`."""
        self.hands.revoke(company)
        self.world.injected("mandate.revoked")
        return "sent"

    def freeze(self, company: int, is_frozen: int) -> str:
        """See `Hands.freeze`."""
        self.hands.freeze(company, bool(is_frozen))
        self.world.injected("token.freeze" if is_frozen else "token.unfreeze")
        return "sent"

    def list_company(self, company: int, is_listed: int) -> str:
        """See `Hands.list_company`."""
        self.hands.list_company(company, bool(is_listed))
        self.world.injected("rail.list" if is_listed else "rail.unlist")
        return "sent"

    def pause_rail(self, is_paused: int) -> str:
        """See `Hands.pause`."""
        self.hands.pause(bool(is_paused))
        self.world.injected("rail.pause" if is_paused else "rail.unpause")
        return "sent"

    def transfer(self, payer: int, payee: int, units: int) -> str:
        """See `Hands.transfer`."""
        self.hands.transfer(payer, payee, units * 10**6)
        self.world.injected("token.stray_transfer")
        return "sent"

    def fuel(self, lane: int) -> str:
        """See `Hands.fuel`."""
        self.hands.fuel(lane)
        return "sent"

    def block_party(self, company: int) -> str | None:
        """Let a compliance officer suspend a company: nothing more of it is signed."""
        key = self.world.template.sandbox.participant_ids[company]
        try:
            with transaction(self.world.engine) as session:
                participants.suspend(session, key, "as the schedule says", self.world.now)
                found = session.connection().execute(_UNDER_WAY, {"key": key}).scalars().all()
                clearance.revoke(session, found, self.world.now)
        except IllegalMove:
            return None
        self.world.injected("party.blocked")
        return f"blocked, {len(found)} clearances revoked"

    def unblock_party(self, company: int) -> str | None:
        """End that."""
        key = self.world.template.sandbox.participant_ids[company]
        try:
            with transaction(self.world.engine) as session:
                participants.reinstate(session, key, "as the schedule says", self.world.now)
        except IllegalMove:
            return None
        return "unblocked"
