"""The worker: one tick at a time from the chain's newest block to the next send.

Decides nothing: it calls the rail's steps in their order, each in one database transaction, with
network calls only in between. A crash between any two steps is harmless.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Engine
from sqlmodel import Session

from gateway.progress import Progress
from gateway.upkeep import Upkeep
from settlement import reconciliation, registry, watcher
from settlement.chain.port import ChainPort
from settlement.clock import Ids
from settlement.compliance.policies import PolicySource
from settlement.compliance.spent import SpentToday
from settlement.config import Settings
from settlement.errors import Fatal, LeaseLost, Retryable
from settlement.ledger import require_sound_head
from settlement.sender import duty, lanes
from settlement.sender.duty import DutyLease
from settlement.sender.fleet import Fleet
from settlement.sender.holding import Holding
from settlement.sender.lanes import Lease
from settlement.settlements import booking, clearing, finality, tracking, unbinding
from settlement.signer import Signer
from settlement.store import reading, transaction

__all__ = ["Progress", "Worker"]


@dataclass(slots=True)
class Worker:
    """Everything that a tick needs, chosen by `wiring`. One process, one owner name."""

    engine: Engine
    chain: ChainPort
    signers: list[Signer]
    policy: PolicySource
    settings: Settings
    ids: Ids
    owner: str
    has_ended: Callable[[str], bool] = lambda _owner: False
    """Whether the worker of that name is known to run no more; its lease is not waited for."""
    open_chain: Callable[[], ChainPort] | None = None
    """Another line to the same node, for a lane that waits beside others."""
    require_whole: Callable[[], None] = lambda: None
    """Raises where the database's file was found damaged; called before every stage."""
    monotonic: Callable[[], float] = lambda: 0.0
    """Seconds that only grow: how far a long tick has come, for its leases."""
    is_beside: bool = False
    """Whether the matching engine runs beside the payments, in a thread."""
    _leases: dict[str, Lease] = field(default_factory=dict)
    _duty: DutyLease | None = None
    _checked: dict[str, Lease] = field(default_factory=dict)
    """Lanes that were looked at since they were taken."""
    _reachable: dict[str, Signer] = field(default_factory=dict)
    _lines: dict[str, ChainPort] = field(default_factory=dict)
    _spent_today: SpentToday = field(default_factory=SpentToday)
    _judged_by: str = ""
    """Versions of policy, lists and registers by which all that may be signed was judged."""
    _upkeep: Upkeep = field(init=False)
    _unbinds_from: datetime | None = None
    _has_begun: bool = False
    """The newest journal entry was looked at since the start."""
    _began: float = 0.0
    _settled_at: watcher.Tip | None = None
    """The head up to which the steps after storing have come; None after every start. Another head
    in the database: blocks were stored that they have not followed, by us or by a healing."""
    _behind: bool = True
    """The chain has more blocks than are stored: who may be paid is not judged by old facts."""

    def __post_init__(self) -> None:
        self._upkeep = Upkeep(self.engine, self.settings, self.ids, self.is_beside)

    def tick(self, now: datetime) -> Progress:
        """Do one round of all that is due.

        Raises:
            Retryable: node, signer or database did not answer; the next tick goes on from there.
            Fatal: what was found must not be. The lanes are halted with the reason.
        """
        progress = Progress()
        for _ in self.stages(progress, now):
            pass
        return progress

    def stages(self, progress: Progress, now: datetime) -> Iterator[str]:
        """Do one round stage by stage, counted in `progress`; yield the name of each to come.

        Between two stages nothing is open: whoever asks for the next one may also not.
        Raises as `tick` does.
        """
        self._began = self.monotonic()
        self.require_whole()
        if not self._has_begun:
            with reading(self.engine) as session:
                require_sound_head(session)
            self._has_begun = True
        if not self._take_lanes(now):
            progress.standby = True
            return
        stages: list[tuple[str, Callable[[Progress, datetime], None]]] = [("send", self._send)]
        if self._duty is not None:
            stages = [("follow", self._follow), ("clear", self._clear), *stages]
            stages += [("reconcile", self._reconcile)]
        for name, stage in stages:
            yield name
            began = time.perf_counter()
            try:
                self.require_whole()
                stage(progress, now)
            except Fatal as error:
                if name != "send":  # What a lane found, it has halted itself.
                    self._halt_all(str(error), now)
                raise
            progress.stages[name] = time.perf_counter() - began

    def stop(self) -> None:
        """Give lanes and duty up, so that the next worker can start at once."""
        self._upkeep.stop()
        self._holding().give_up(self.engine)
        self._leases, self._duty = {}, None

    def _take_lanes(self, now: datetime) -> bool:
        """Take what is free of lanes and duty; False where there is nothing to do for us."""
        self._reachable = {}
        for signer in self.signers:
            try:
                self._reachable[signer.address] = signer
            except Retryable:  # Its process is not there: the other lanes go on.
                continue
        holding, duty_before = self._holding(), self._duty
        holding.take(self.engine, list(self._reachable), now)
        self._leases, self._duty = holding.leases, holding.duty_lease
        if self._duty != duty_before:
            self._settled_at = None  # Somebody else may have written in between.
        return bool(self._leases) or self._duty is not None

    def _holding(self) -> Holding:
        return Holding(
            self.owner,
            timedelta(seconds=self.settings.lease_seconds),
            self.settings.worker_lanes_max,
            self.has_ended,
            dict(self._leases),
            self._duty,
        )

    def _lease_time(self, now: datetime) -> datetime:
        """Return `now` and what this tick has taken since: a long one keeps its leases."""
        return now + timedelta(seconds=self.monotonic() - self._began)

    def _guard(self, now: datetime) -> Callable[[Session], None]:
        """Return what lets a database transaction write only while the duty is still ours."""
        lease = self._duty
        assert lease is not None, "only who has the duty does it"
        return lambda session: duty.renew(session, lease, self._lease_time(now))

    @contextmanager
    def _writing(self, now: datetime) -> Iterator[Session]:
        """One database transaction that holds only while the duty is still ours."""
        with transaction(self.engine) as session:
            self._guard(now)(session)
            yield session

    def _follow(self, progress: Progress, now: datetime) -> None:
        """Let states and books follow the chain; compare what has become final, however busy."""
        self._follow_chain(progress, now)
        progress.ties = self._upkeep.tie_out(
            self.chain, self._guard(now), now, is_new=progress.new_blocks > 0
        )

    def _follow_chain(self, progress: Progress, now: datetime) -> None:
        """Store what the chain shows, then let states and books follow it."""
        settled_at, self._settled_at = self._settled_at, None
        guard = self._guard(now)
        followed = watcher.follow(self.engine, self.chain, self.settings, now, guard)
        was_unsettled = settled_at is None or followed.stood_at != settled_at
        if self._behind and followed.new_blocks == 1:
            # In an empty database the first pass stores only the block that all others stand on.
            followed = watcher.follow(self.engine, self.chain, self.settings, now, guard)
        self._behind = followed.new_blocks >= self.settings.blocks_per_tick_max
        progress.head = followed.head.number
        progress.new_blocks = followed.new_blocks
        progress.orphaned_blocks = followed.orphaned_blocks
        if not (was_unsettled or followed.new_blocks or followed.orphaned_blocks):
            self._settled_at = settled_at
            return
        if was_unsettled or followed.orphaned_blocks:
            with self._writing(now) as session:
                lanes.lock_all(session)  # Their workers move the same chain transactions.
                tracking.unwind(session, now)
                progress.reversed = booking.reverse(session, now).entries
        with self._writing(now) as session:
            lanes.lock_all(session)
            progress.seen = tracking.see(session, now)
            progress.registry = registry.observe(session)
        while True:
            with self._writing(now) as session:
                booked = booking.book(session, self.settings, now)
            progress.booked += booked.settlements
            if not booked.more:
                break
        with self._writing(now) as session:
            progress.settled = finality.finalize(
                session, self.settings, head=progress.head, now=now
            )
        self._settled_at = followed.head

    def _clear(self, progress: Progress, now: datetime) -> None:
        if self._behind:
            return
        with self._writing(now) as session:
            policy = self.policy.at(session, now)
            judged_by = clearing.recheck(session, policy, self._judged_by, ids=self.ids, now=now)
            clearing.lapse(session, self.settings, now=now)
            if progress.registry or self._unbinds_from is None or now >= self._unbinds_from:
                unbinding.unbind(session, policy, now)
                self._unbinds_from = now + timedelta(seconds=self.settings.upkeep_seconds)
            cleared = clearing.clear(
                session, policy, self.settings,
                ids=self.ids, now=now, spent_today=self._spent_today,
            )  # fmt: skip
        self._judged_by = judged_by
        progress.cleared, progress.held = cleared.cleared, cleared.held
        progress.rejected = cleared.rejected
        if cleared.rejected:
            self._upkeep.reports_are_due()

    def _send(self, progress: Progress, now: datetime) -> None:
        """Claim for all our lanes at once, then let each sign and send."""
        if not self._leases:
            return
        fleet = Fleet(
            self.engine,
            self._chain_of,
            self._reachable,
            self._leases,
            self.settings,
            self.ids,
            self._checked,
        )
        done = fleet.advance(now)
        progress.claimed, progress.signed, progress.sent = done.claimed, done.signed, done.sent
        progress.changes = done.changes
        progress.troubles |= {signer: str(error) for signer, error in done.troubles.items()}

    def _chain_of(self, signer: str) -> ChainPort:
        """Return a lane's line to the node: its own where lanes wait at the same time."""
        if self.open_chain is None or self.settings.lane_threads_max == 1:
            return self.chain
        if signer not in self._lines:
            self._lines[signer] = self.open_chain()
        return self._lines[signer]

    def _reconcile(self, progress: Progress, now: datetime) -> None:
        if not progress.idle:
            with self._writing(now) as session:
                progress.matched = reconciliation.match(session, now).matched
        self._upkeep.tend(self._guard(now), now, idle=progress.idle)
        progress.troubles |= self._upkeep.troubles

    def _halt_all(self, reason: str, now: datetime) -> None:
        with suppress(LeaseLost), self._writing(now) as session:
            lanes.halt_all(session, reason)
