"""The worker: one tick at a time from the chain's newest block to the next send.

Decides nothing: it calls the rail's steps in their order, each in one database transaction, with
network calls only in between. A crash between any two steps is harmless.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Engine
from sqlmodel import Session

from settlement import reconciliation, watcher
from settlement.chain.port import ChainPort
from settlement.clock import Ids
from settlement.compliance.policy import Policy
from settlement.config import Settings
from settlement.errors import Fatal
from settlement.sender import lanes, pipeline
from settlement.sender.lanes import Lease
from settlement.settlements import booking, clearing, finality, tracking
from settlement.signer import Signer
from settlement.store import transaction


@dataclass(slots=True)
class Progress:
    """What one tick did; all zero when there was nothing to do."""

    head: int = 0
    new_blocks: int = 0
    orphaned_blocks: int = 0
    reversed: int = 0
    seen: int = 0
    booked: int = 0
    settled: int = 0
    cleared: int = 0
    held: int = 0
    rejected: int = 0
    claimed: int = 0
    signed: int = 0
    sent: int = 0
    matched: int = 0
    standby: bool = False
    """Another worker holds the lanes; this one only looks on."""
    ties: bool = True
    """Whether every balance was the chain's, where this tick compared them."""
    stages: dict[str, float] = field(default_factory=dict)
    """Seconds that each stage took."""

    @property
    def idle(self) -> bool:
        """Whether nothing moved."""
        return not self.moved()

    def moved(self) -> dict[str, int]:
        """Return what moved, by name; without zeros."""
        counts = {name: getattr(self, name) for name in self.__slots__}
        return {
            name: count
            for name, count in counts.items()
            if count and name not in ("head", "standby", "ties", "stages")
        }


@dataclass(slots=True)
class Worker:
    """Everything that a tick needs, chosen by `wiring`. One process, one owner name."""

    engine: Engine
    chain: ChainPort
    signers: list[Signer]
    policy: Policy
    settings: Settings
    ids: Ids
    owner: str
    has_ended: Callable[[str], bool] = lambda _owner: False
    """Whether the worker of that name is known to run no more; its lease is not waited for."""
    _leases: dict[str, Lease] = field(default_factory=dict)
    _unsettled_facts: bool = True
    """Blocks were stored that the steps after it have not followed yet; true after every start."""
    _behind: bool = True
    """The chain has more blocks than are stored: who may be paid is not judged by old facts."""

    def tick(self, now: datetime) -> Progress:
        """Do one round of all that is due.

        Raises:
            Retryable: node, signer or database did not answer; the next tick goes on from there.
            Fatal: what was found must not be. The lanes are halted with the reason.
        """
        progress = Progress()
        if not self._take_lanes(now):
            progress.standby = True
            return progress
        try:
            for name, stage in (
                ("follow", self._follow),
                ("clear", self._clear),
                ("send", self._send),
                ("reconcile", self._reconcile),
            ):
                began = time.perf_counter()
                stage(progress, now)
                progress.stages[name] = time.perf_counter() - began
        except Fatal as error:
            self._halt(str(error), now)
            raise
        return progress

    def stop(self) -> None:
        """Give the lanes up, so that the next worker can start at once."""
        with transaction(self.engine) as session:
            for lease in self._leases.values():
                lanes.release(session, lease)
        self._leases.clear()

    def _take_lanes(self, now: datetime) -> bool:
        lifetime = timedelta(seconds=self.settings.lease_seconds)
        with transaction(self.engine) as session:
            for signer in self.signers:
                holder = lanes.holder(session, signer.address)
                gone = holder if holder and self.has_ended(holder) else None
                lease = lanes.acquire(
                    session,
                    signer.address,
                    owner=self.owner,
                    lifetime=lifetime,
                    now=now,
                    gone=gone,
                )
                if lease is None:
                    # All or none: a lane that is held and not worked would never be free again.
                    for taken in self._leases.values():
                        lanes.release(session, taken)
                    self._leases.clear()
                    return False
                if self._leases.get(signer.address) != lease:
                    self._unsettled_facts = True  # Somebody else may have written in between.
                self._leases[signer.address] = lease
        return True

    @contextmanager
    def _writing(self, now: datetime) -> Iterator[Session]:
        """One database transaction that holds only while every lane is still ours."""
        with transaction(self.engine) as session:
            for lease in self._leases.values():
                lanes.renew(session, lease, now)
            yield session

    def _follow(self, progress: Progress, now: datetime) -> None:
        """Store what the chain shows, then let states and books follow it."""
        was_unsettled, self._unsettled_facts = self._unsettled_facts, True
        followed = watcher.follow(self.engine, self.chain, self.settings, now)
        if self._behind and followed.new_blocks == 1:
            # In an empty database the first pass stores only the block that all others stand on.
            followed = watcher.follow(self.engine, self.chain, self.settings, now)
        self._behind = followed.new_blocks >= self.settings.blocks_per_tick_max
        progress.head = followed.head.number
        progress.new_blocks = followed.new_blocks
        progress.orphaned_blocks = followed.orphaned_blocks
        if not (was_unsettled or followed.new_blocks or followed.orphaned_blocks):
            self._unsettled_facts = False
            return
        if was_unsettled or followed.orphaned_blocks:
            with self._writing(now) as session:
                tracking.unwind(session, now)
                progress.reversed = booking.reverse(session, now).entries
        with self._writing(now) as session:
            progress.seen = tracking.see(session, now)
        while True:
            with self._writing(now) as session:
                booked = booking.book(session, self.settings, now)
            progress.booked += booked.settlements
            if booked.receipts == 0:
                break
        with self._writing(now) as session:
            progress.settled = finality.finalize(
                session, self.settings, head=progress.head, now=now
            )
        self._unsettled_facts = False

    def _clear(self, progress: Progress, now: datetime) -> None:
        if self._behind:
            return
        with self._writing(now) as session:
            clearing.lapse(session, self.settings, now=now)
            cleared = clearing.clear(session, self.policy, self.settings, ids=self.ids, now=now)
        progress.cleared, progress.held = cleared.cleared, cleared.held
        progress.rejected = cleared.rejected

    def _send(self, progress: Progress, now: datetime) -> None:
        for signer in self.signers:
            lane = pipeline.Lane(
                self.engine, self.chain, signer, self._leases[signer.address], self.settings
            )
            moved = lane.advance(ids=self.ids, now=now)
            progress.claimed += moved.claimed
            progress.signed += moved.signed
            progress.sent += moved.sent

    def _reconcile(self, progress: Progress, now: datetime) -> None:
        if progress.idle:
            return
        with self._writing(now) as session:
            progress.matched = reconciliation.match(session, now).matched
        if progress.new_blocks and not progress.claimed:
            # After the payments: a busy tick leaves the comparison to the next one.
            progress.ties = reconciliation.tie_out(self.engine, self.chain, now).ties

    def _halt(self, reason: str, now: datetime) -> None:
        with transaction(self.engine) as session:
            for lease in self._leases.values():
                lanes.set_state(session, lease.signer, "halted", reason)
