"""Accounting periods: asked to be closed by one person, closed by another, never opened again.

Closing posts nothing. It stores the hash of the trial balance at the period's end; from then on
`booking_dates` gives late entries the first open day, and the database refuses any other.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from datetime import date, datetime
from hashlib import sha256
from typing import NamedTuple

import orjson
from sqlmodel import Session

from settlement.approvals import same_hand
from settlement.clock import to_micros
from settlement.errors import Conflict, Forbidden, Invalid, NotFound
from settlement.ledger.balances import SUM_HALVES, whole
from settlement.ledger.booking_dates import closed_through, first_open_day
from settlement.ledger.journal import head, lock_head
from settlement.store.bulk import Row, rows
from settlement.store.outbox import OutboxEvent, record

OPEN, CLOSED = "open", "closed"

_COLUMNS = (
    "id, first_date, last_date, state, trial_sha256, head_seq, closed_by, closed_at, approved_by,"
    " approved_at"
)


class Period(NamedTuple):
    """A period whose close was asked for (`open`) or approved (`closed`). Moments in micros."""

    id: str
    first_date: str
    last_date: str
    state: str
    trial_sha256: str
    head_seq: int
    closed_by: str
    closed_at: int
    approved_by: str | None = None
    approved_at: int | None = None


class PeriodNotNext(Conflict):
    """Periods are closed one after the other, without a gap and only once they are over."""


class PeriodMoved(Conflict):
    """What the close was asked for is not what the books say now."""

    def __init__(self, period_id: str, because: str) -> None:
        super().__init__(
            f"the books of {period_id} are not those that its close was asked for: {because}",
            field="trial_sha256",
            repair="look at the period again and ask for its close anew",
        )


class SecondPersonMissing(Forbidden):
    """Who asks for a close does not approve it."""

    def __init__(self, period_id: str, actor: str) -> None:
        super().__init__(
            f"{actor} asked for the close of {period_id} and cannot approve it",
            repair="let somebody else approve it",
        )


def dates_of(name: str) -> tuple[str, str]:
    """Return first and last day of `2026-10` or `2026-10-01_2026-10-15`. Pure.

    Raises:
        Invalid: it names no range of days.
    """
    first, _, last = name.partition("_")
    try:
        if last:
            days = (date.fromisoformat(first), date.fromisoformat(last))
        else:
            start = date.fromisoformat(f"{name}-01")
            days = (start, start.replace(day=monthrange(start.year, start.month)[1]))
    except ValueError:
        days = (date.max, date.min)
    found = (days[0].isoformat(), days[1].isoformat())
    if days[0] > days[1] or name not in (found[0][:7], f"{found[0]}_{found[1]}"):
        raise Invalid(
            f"{name[:40]!r} names no period",
            field="period",
            repair="name a month, 2026-10, or a range of days, 2026-10-01_2026-10-15",
        )
    return found


def ask_to_close(session: Session, name: str, *, actor: str, now: datetime) -> Period:
    """Add up the trial balance at the period's end and ask for the close; again: adds up anew.

    Reads every posting up to that day. Posts nothing and closes nothing yet.

    Raises:
        Invalid: `name` is no month or range of days.
        PeriodNotNext: it is not over, not the next one, or entries lie before the first.
    """
    first, last = dates_of(name)
    _require_next(session, first, last, today=now.date().isoformat())
    seq = head(session).seq
    digest = trial_hash(trial_at(session, last))
    at = to_micros(now)
    session.connection().exec_driver_sql("DELETE FROM accounting_period WHERE state = 'open'")
    period = Period(name, first, last, OPEN, digest, seq, actor, at)
    _insert(session, period)
    _tell(session, "period.close_asked", period, now)
    return period


def approve_close(
    session: Session, name: str, *, trial_sha256: str, actor: str, now: datetime
) -> Period:
    """Close the period for good, bound to the trial balance that the approver has seen.

    Holds the journal's head: no entry comes between the look and the close.

    Raises:
        NotFound: nobody asked for this close.
        PeriodNotNext: it is closed already.
        SecondPersonMissing: the actor asked for it.
        PeriodMoved: the hash is another, or an entry of the period has come since.
    """
    lock_head(session)
    period = _the(session, name)
    if period.state == CLOSED:
        raise PeriodNotNext(f"{name} is closed", field="period", repair="nothing is to be done")
    if same_hand(period.closed_by, actor):
        raise SecondPersonMissing(name, actor)
    if trial_sha256 != period.trial_sha256:
        raise PeriodMoved(name, "the hash is another")
    came = rows(
        session,
        "SELECT MIN(seq) FROM journal_entry WHERE seq > ? AND value_date <= ?",
        (period.head_seq, period.last_date),
    )[0][0]
    if came is not None:
        raise PeriodMoved(name, f"entry {came} has come since")
    closed = period._replace(
        state=CLOSED, head_seq=head(session).seq, approved_by=actor, approved_at=to_micros(now)
    )
    rows_of = (closed.state, closed.head_seq, actor, closed.approved_at, name)
    _run(
        session,
        "UPDATE accounting_period SET state = ?, head_seq = ?, approved_by = ?, approved_at = ?"
        " WHERE id = ? AND state = 'open'",
        rows_of,
    )
    _tell(session, "period.closed", closed, now)
    return closed


def listed(session: Session) -> list[Period]:
    """Return every period whose close was asked for or approved, newest first."""
    found = rows(session, f"SELECT {_COLUMNS} FROM accounting_period ORDER BY first_date DESC")
    return [Period._make(row) for row in found]


def one(session: Session, name: str) -> Period:
    """Return a period.

    Raises:
        NotFound: nobody asked for its close.
    """
    return _the(session, name)


def open_since(session: Session) -> str | None:
    """Return the first open day; None while no period was ever closed."""
    closed = closed_through(session)
    return first_open_day(closed) if closed else None


def trial_at(session: Session, last_date: str) -> list[tuple[str, int]]:
    """Return what every account has by value date at the end of a day, by code, without zeros."""
    found = rows(
        session,
        f"SELECT a.code, {SUM_HALVES} FROM journal_entry e"
        " JOIN posting p ON p.entry_seq = e.seq JOIN account a ON a.id = p.account_id"
        " WHERE e.value_date <= ? AND p.phase = 'posted' GROUP BY a.code",
        (last_date,),
    )
    sums = ((str(code), whole(high, low)) for code, high, low in found)
    return sorted((code, minor) for code, minor in sums if minor)


def trial_hash(trial: Sequence[tuple[str, int]]) -> str:
    """Return the SHA-256 of `[["code","minor"],…]`: JSON without white space, sorted by code."""
    return sha256(orjson.dumps([(code, str(minor)) for code, minor in trial])).hexdigest()


def _require_next(session: Session, first: str, last: str, *, today: str) -> None:
    if last >= today:
        raise PeriodNotNext(
            f"{last} is not over", field="period", repair="close a period after its last day"
        )
    closed = closed_through(session)
    if closed and first != first_open_day(closed):
        raise PeriodNotNext(
            f"all is closed through {closed}",
            field="period",
            repair=f"the next period begins on {first_open_day(closed)}",
        )
    if closed:
        return
    before = rows(session, "SELECT MIN(value_date) FROM journal_entry")[0][0]
    if before is not None and before < first:
        raise PeriodNotNext(
            f"entries lie before {first}, the first on {before}",
            field="period",
            repair=f"let the first period begin on {before} or before",
        )


def _the(session: Session, name: str) -> Period:
    found = rows(session, f"SELECT {_COLUMNS} FROM accounting_period WHERE id = ?", (name,))
    if not found:
        raise NotFound("period", name)
    return Period._make(found[0])


def _insert(session: Session, period: Period) -> None:
    marks = ", ".join("?" * len(period))
    _run(session, f"INSERT INTO accounting_period ({_COLUMNS}) VALUES ({marks})", period)


def _run(session: Session, sql: str, values: Row) -> None:
    connection = session.connection()
    if connection.dialect.name != "sqlite":
        sql = sql.replace("?", "%s")
    changed = connection.exec_driver_sql(sql, tuple(values)).rowcount
    assert changed == 1, "one period is written at a time"


def _tell(session: Session, kind: str, period: Period, now: datetime) -> None:
    body = orjson.dumps(
        {
            "first_date": period.first_date,
            "last_date": period.last_date,
            "trial_sha256": period.trial_sha256,
            "closed_by": period.closed_by,
            "approved_by": period.approved_by,
        }
    ).decode()
    record(session, [OutboxEvent(kind, period.id, body)], now)
