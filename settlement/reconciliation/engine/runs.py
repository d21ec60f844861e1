"""A run: project, match, classify, in database transactions of a bounded size.

Killed between any two of them, the next run goes on from what was committed and comes to the same
end. Of two runs at once, the later goes on and the earlier stops at its next step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime

import orjson
from sqlalchemy import Connection, Engine, text
from sqlmodel import Session

from settlement.clock import to_micros
from settlement.errors import Retryable
from settlement.reconciliation.engine import applying, proposing, rule_sets, scope
from settlement.reconciliation.engine.dialect import take_turn
from settlement.reconciliation.engine.healing import tell_breaks
from settlement.reconciliation.engine.records import CHUNK, project, read_marks
from settlement.reconciliation.engine.rules import RuleSet

Guard = Callable[[Session], object]


class RunSuperseded(Retryable):
    """Another run has begun since; what this one committed stays, and the other goes on."""

    def __init__(self, run_id: int) -> None:
        super().__init__(f"run {run_id} was superseded by a later one")
        self.run_id = run_id


@dataclass(slots=True)
class Ran:
    """What a run has done."""

    id: int
    rule_set_version: int
    added: int = 0
    withdrawn: int = 0
    reopened: int = 0
    looked_at: int = 0
    matched: int = 0
    undone: int = 0
    opened: int = 0
    closed: int = 0
    cut: tuple[str, ...] = ()
    """Rules under which some block was more work than is done."""


@dataclass(frozen=True, slots=True)
class _Turn:
    """The connection of a run, and who it answers to before it writes."""

    connection: Connection
    guard: Guard
    now: datetime


def run(
    engine: Engine,
    now: datetime,
    *,
    chunk: int = CHUNK,
    guard: Guard = lambda _session: None,
) -> Ran:
    """Bring records, matches and breaks up to date; `chunk` rows a database transaction.

    `guard` is called before anything is written; it raises where writing is another worker's.

    Raises:
        RunSuperseded: another run began in the meantime.
    """
    with engine.connect() as connection:
        turn = _Turn(connection, guard, now)
        with _begin(turn) as session:
            ran, rule_set, is_new = _start(session, now)
        _project(turn, ran, chunk)
        _match(turn, ran, rule_set, chunk, is_new=is_new)
        with _writing(turn, ran) as session:
            ran.opened, ran.closed = tell_breaks(session, now)
            _finish(session, ran, now)
    return ran


def run_within(session: Session, now: datetime) -> Ran:
    """Do a whole run in the caller's database transaction: for few new records, at a door."""
    ran, rule_set, is_new = _start(session, now)
    done = project(session, now)
    ran.added, ran.withdrawn, ran.reopened = done.added, done.withdrawn, done.reopened
    proposing.prepare(session)
    ran.looked_at = scope.everything(session) if is_new else scope.what_is_new(session, rule_set)
    if ran.looked_at:
        ran.cut = proposing.propose(session, rule_set).cut
        applying.compare(session, rule_set)
        ran.undone = applying.undo_old(session, now)
        ran.matched, _last = applying.store_chunk(
            session, rule_set, version=ran.rule_set_version, after=0, chunk=2**31, now=now
        )
        applying.settle_left_over(session)
    proposing.discard(session)
    ran.opened, ran.closed = tell_breaks(session, now)
    _finish(session, ran, now)
    return ran


def _project(turn: _Turn, ran: Ran, chunk: int) -> None:
    is_complete = False
    while not is_complete:  # Each turn reads `chunk` rows of what was there, or is the last.
        with _writing(turn, ran) as session:
            done = project(session, turn.now, limit=chunk)
            ran.added += done.added
            ran.withdrawn += done.withdrawn
            ran.reopened += done.reopened
        is_complete = done.is_complete


def _match(turn: _Turn, ran: Ran, rule_set: RuleSet, chunk: int, *, is_new: bool) -> None:
    # Looking keeps nobody from writing, on SQLite too: only this connection's own tables change.
    with _begin(turn, only_reads=True) as session:
        proposing.prepare(session)
        ran.looked_at = (
            scope.everything(session) if is_new else scope.what_is_new(session, rule_set)
        )
        if not ran.looked_at:
            proposing.discard(session)
            return
        ran.cut = proposing.propose(session, rule_set).cut
        change = applying.compare(session, rule_set)
    if change.lost:
        with _writing(turn, ran) as session:
            ran.undone = applying.undo_old(session, turn.now)
    after: int | None = 0
    while after is not None:  # Each turn stores up to `chunk` of the proposals, or is the last.
        with _writing(turn, ran) as session:
            made, after = applying.store_chunk(
                session,
                rule_set,
                version=ran.rule_set_version,
                after=after,
                chunk=chunk,
                now=turn.now,
            )
            ran.matched += made
    with _writing(turn, ran) as session:
        applying.settle_left_over(session)
        proposing.discard(session)


@contextmanager
def _begin(turn: _Turn, *, only_reads: bool = False) -> Iterator[Session]:
    turn.connection.execution_options(only_reads=only_reads)
    with turn.connection.begin(), Session(turn.connection) as session:
        yield session


@contextmanager
def _writing(turn: _Turn, ran: Ran) -> Iterator[Session]:
    """One database transaction of this run, while it is the latest; its figures go with it."""
    with _begin(turn) as session:
        turn.guard(session)
        take_turn(session)
        changed = proposing.run(
            session,
            "UPDATE recon_run SET touched_at = :at WHERE id = :id AND state = 'running'",
            at=to_micros(turn.now),
            id=ran.id,
        )
        if changed != 1:
            raise RunSuperseded(ran.id)
        yield session
        proposing.run(
            session,
            "UPDATE recon_run SET counts = :counts WHERE id = :id",
            counts=_counts(ran),
            id=ran.id,
        )


def _start(session: Session, now: datetime) -> tuple[Ran, RuleSet, bool]:
    """Begin a run, in the place of one that was killed or still works."""
    connection = session.connection()
    take_turn(session)
    version, rule_set = rule_sets.in_force(session, now)
    before = connection.execute(
        text("SELECT rule_set_version FROM recon_run WHERE state = 'done' ORDER BY id DESC LIMIT 1")
    ).scalar()
    at = to_micros(now)
    connection.execute(
        text(
            "UPDATE recon_run SET state = 'superseded', finished_at = :at WHERE state = 'running'"
        ),
        {"at": at},
    )
    run_id = connection.execute(
        text(
            "INSERT INTO recon_run (rule_set_version, state, counts, marks, started_at, touched_at)"
            " VALUES (:version, 'running', '{}', '{}', :at, :at) RETURNING id"
        ),
        {"version": version, "at": at},
    ).scalar_one()
    return Ran(int(run_id), version), rule_set, before is not None and before != version


def _finish(session: Session, ran: Ran, now: datetime) -> None:
    session.connection().execute(
        text(
            "UPDATE recon_run SET state = 'done', finished_at = :at, marks = :marks,"
            " counts = :counts WHERE id = :id AND state = 'running'"
        ),
        {
            "at": to_micros(now),
            "counts": _counts(ran),
            "marks": orjson.dumps(read_marks(session)).decode(),
            "id": ran.id,
        },
    )


def _counts(ran: Ran) -> str:
    return orjson.dumps(asdict(ran)).decode()
