"""The worker's work beside the payments: the tie-out, late and stuck, bank postings, the engine.

Each step is under the duty's lease and fails by itself: payments go on, and what befell it is told.
A step is bounded; a run of the engine is not, only each of its database transactions. Decides
nothing about money.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event, Thread

from sqlalchemy import Engine
from sqlmodel import Session

from gateway import approving
from settlement import bank, reconciliation
from settlement.chain.port import ChainPort
from settlement.clock import Ids, new_id
from settlement.compliance import screening
from settlement.compliance.inquiries import asking
from settlement.config import Settings
from settlement.errors import Fatal, LeaseLost, Retryable
from settlement.ledger import monitors
from settlement.participants import changes, moves
from settlement.reconciliation import by_time, engine, others
from settlement.reconciliation.unfollowed import FOUND_MAX, unfollowed
from settlement.settlements.awaited import RELEASED_MAX, release_awaited
from settlement.settlements.screened import release_judged
from settlement.store import reading, transaction
from settlement.supervision import deadlines, reports

Guard = Callable[[Session], object]
Step = Callable[[Guard, datetime], bool]
"""Does a bounded part of what is due; True where there is more of it."""

_STOP_SECONDS = 5
_LATE_EVERY = timedelta(seconds=60)
"""A day is the unit of what is late: looking more often would only cost."""


@dataclass(slots=True)
class Upkeep:
    """What one worker does beside the payments, and when it did it last."""

    engine: Engine
    settings: Settings
    ids: Ids
    is_beside: bool = False
    """Whether the engine runs in a thread beside the payments, which then wait for no run of it."""
    troubles: dict[str, str] = field(default_factory=dict)
    """What befell a step the last time, by its name, until it succeeds again."""
    _ties_are_due: bool = True
    """Blocks have become final that were not compared yet; true after every start."""
    _stated: tuple[object, ...] = ()
    """What the banks had said when they were last compared with the books."""
    _next: datetime | None = None
    _next_late: datetime | None = None
    _next_reports: datetime | None = None
    _next_run: datetime | None = None
    _news: tuple[object, ...] | None = None
    """What the engine had seen when it ran last."""
    _run: Thread | None = None
    _stops: Event = field(default_factory=Event)

    def tie_out(self, chain: ChainPort, guard: Guard, now: datetime, *, is_new: bool) -> bool:
        """Compare the newest final block's balances if there `is_new` one; return whether it ties.

        Where the node does not answer, the next tick asks again, and payments go on.
        """
        self._ties_are_due |= is_new
        if not self._ties_are_due:
            return True
        ties = True

        def compare(guard: Guard, now: datetime) -> bool:
            nonlocal ties
            ties = reconciliation.tie_out(self.engine, chain, now, guard=guard).ties
            self._ties_are_due = False
            return False

        self._try("tie_out", compare, guard, now)
        return ties

    def tend(self, guard: Guard, now: datetime, *, idle: bool) -> None:
        """Do a part of what is due, if it is time: seldom while payments are made."""
        if self._next is None or now >= self._next:
            more = False
            for name, step in self._steps():
                more |= self._try(name, step, guard, now)
            seconds = self.settings.upkeep_seconds
            if idle:
                seconds = 0 if more else min(seconds, 1)
            self._next = now + timedelta(seconds=seconds)
        # A run of the engine may take seconds where much is new: payments go first.
        if self._next_run is None or now >= self._next_run or idle:
            self._try("reconcile", self._run_engine, guard, now)

    def reports_are_due(self) -> None:
        """Let reports be written at the next turn: a refusal's clock runs from its decision."""
        self._next = self._next_reports = None

    def _steps(self) -> list[tuple[str, Step]]:
        return [
            ("bank", self._bank),
            ("stuck", self._stuck),
            ("registry", self._unfollowed),
            ("late", self._late),
            ("monitors", self._monitors),
            ("approvals", self._approvals),
            ("participants", self._participants),
            ("supervision", self._supervise),
            ("screening", self._screening),
        ]

    def _bank(self, guard: Guard, now: datetime) -> bool:
        """Post what banks have booked, then compare what they have said with the books."""
        with reading(self.engine) as session:
            stated = (reconciliation.stated(session), now.date())
        if stated == self._stated:
            return False
        with transaction(self.engine) as session:
            guard(session)
            if bank.post_entries(session, now):
                return True
            reconciliation.tie_out_banks(session, now)
        self._stated = stated
        return False

    def _stuck(self, guard: Guard, now: datetime) -> bool:
        after = timedelta(seconds=self.settings.stuck_after_seconds)
        with transaction(self.engine) as session:
            guard(session)
            opened, _closed = by_time.stuck(session, now, after)
        return opened >= by_time.FOUND_MAX

    def _unfollowed(self, guard: Guard, now: datetime) -> bool:
        """Tell of wallets that the chain has not made what they are to be."""
        with transaction(self.engine) as session:
            guard(session)
            opened, _closed = unfollowed(session, now, self.settings.registry_differs_blocks_max)
        return opened >= FOUND_MAX

    def _late(self, guard: Guard, now: datetime) -> bool:
        if self._next_late is not None and now < self._next_late:
            return False
        with transaction(self.engine) as session:
            guard(session)
            opened, _closed = by_time.late_invoices(session, now)
            by_time.late_payments(session, now)
            untold = by_time.oldest_untold_rejection(session)
            if untold is not None:
                others.rejected(session, untold - 1, now)
        more = opened >= by_time.FOUND_MAX
        self._next_late = now if more else now + _LATE_EVERY
        return more

    def _monitors(self, guard: Guard, now: datetime) -> bool:
        """Tell of balances that have crossed their bounds."""
        with transaction(self.engine) as session:
            guard(session)
            monitors.check(session, now)
        return False

    def _participants(self, guard: Guard, now: datetime) -> bool:
        """Write down whose documents have ended and which changes count; release what waited."""
        with transaction(self.engine) as session:
            guard(session)
            expired = moves.expire_due(session, now)
            changes.end_dead(session, now)
            counted = changes.settle_due(session, now, ids=new_id)
            released = release_awaited(session, now)
        return (
            len(expired) >= moves.EXPIRED_MAX
            or len(counted) >= changes.SETTLED_MAX
            or len(released) >= RELEASED_MAX
        )

    def _supervise(self, guard: Guard, now: datetime) -> bool:
        """Write reports that are due, and tell of deadlines that are near or over."""
        if self._next_reports is not None and now < self._next_reports:
            return False
        with transaction(self.engine) as session:
            guard(session)
            overdue = asking.let_fall_due(session, now)
            written = reports.write_due(session, now)
            reports.let_fall_due(session, now.date())
            deadlines.watch(session, now)
        more = overdue >= asking.OVERDUE_MAX or written >= reports.WRITTEN_MAX
        self._next_reports = now if more else now + _LATE_EVERY
        return more

    def _screening(self, guard: Guard, now: datetime) -> bool:
        """Go on with the round over everybody; release what a judged hit has held."""
        with transaction(self.engine) as session:
            guard(session)
            more = screening.step(session, ids=self.ids, now=now)
            released = release_judged(session, now)
        return more or len(released) >= RELEASED_MAX

    def _approvals(self, guard: Guard, now: datetime) -> bool:
        """Cancel what nobody has approved in time."""
        with transaction(self.engine) as session:
            guard(session)
            return approving.lapse(session, now) > 0

    def stop(self) -> None:
        """Let a run of the engine end at its next step; what it has stored stays."""
        self._stops.set()
        if self._run is not None:
            self._run.join(_STOP_SECONDS)

    def _run_engine(self, guard: Guard, now: datetime) -> bool:
        """Let the matching engine look at what is new, if anything is."""
        if self._run is not None and self._run.is_alive():
            return False
        with reading(self.engine) as session:
            found = reconciliation.news(session)
        self._next_run = now + timedelta(seconds=self.settings.reconcile_seconds)
        if found is None or (*found, now.date()) == self._news:
            return False
        seen = (*found, now.date())
        if not self.is_beside:
            engine.run(self.engine, now, guard=guard)
            self._news = seen
            return False
        self._stops.clear()
        self._run = Thread(target=self._beside, args=(guard, now, seen), daemon=True)
        self._run.start()
        return False

    def _beside(self, guard: Guard, now: datetime, seen: tuple[object, ...]) -> None:
        def guarded(session: Session) -> None:
            if self._stops.is_set():
                raise LeaseLost("this worker was told to stop")
            guard(session)

        try:
            engine.run(self.engine, now, guard=guarded)
        except Exception as error:  # noqa: BLE001 - a thread's end is told like any other failure.
            self.troubles["engine"] = f"{type(error).__name__}: {error}"
            return
        self.troubles.pop("engine", None)
        self._news = seen

    def _try(self, name: str, step: Step, guard: Guard, now: datetime) -> bool:
        """Do a step; a failure of it is kept in `troubles` and hinders nothing else.

        Raises:
            LeaseLost: the duty is another worker's now.
            Fatal: what was found must not be.
        """
        try:
            more = step(guard, now)
        except (LeaseLost, Fatal):
            raise
        except Retryable as error:
            self.troubles[name] = str(error)
            return False
        except Exception as error:  # noqa: BLE001 - whatever it is, no payment waits for it.
            self.troubles[name] = f"{type(error).__name__}: {error}"
            return False
        self.troubles.pop(name, None)
        return more
