"""Breaks of deadlines: a report that has to be filed soon or is late, an answer that is late.

A break opens some business days before a report is due, grows graver when it is late, and closes
when the report is filed or the answer has come.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlmodel import Session

from settlement.reconciliation import breaks
from settlement.reconciliation.breaks import Action, BreakKind, Finding, Severity
from settlement.store.bulk import Row, rows, rows_by_key

PIECE = 1_000
"""Reports or questions that are looked at in one step: however many there are, all are."""

# By expression: the index of all ids leads through every report that was ever filed.
_REPORTS = (
    "SELECT id, title, due_date, state, period_first, period_last, settlement_id"
    " FROM supervisor_report WHERE state IN ('due', 'overdue') AND warn_date <= ?"
    " AND (id || '') > ? ORDER BY (id || '') LIMIT ?"
)
_FILED = "SELECT id FROM supervisor_report WHERE id {keys} AND state NOT IN ('due', 'overdue')"
_QUESTIONS = (
    "SELECT id, settlement_id, asked_of, due_date FROM inquiry WHERE state = 'OVERDUE' AND id > ?"
    " ORDER BY id LIMIT ?"
)
_ANSWERED = "SELECT id FROM inquiry WHERE id {keys} AND state <> 'OVERDUE'"


def watch(session: Session, now: datetime) -> tuple[int, int]:
    """Open breaks of what is due or late, close those of what is done; return (opened, closed)."""
    today = now.date().isoformat()
    opened = closed = 0
    for found in _pieces(session, _REPORTS, (today,)):
        opened += breaks.open_new(session, [_report(*row) for row in found], now)
    for found in _pieces(session, _QUESTIONS, ()):
        opened += breaks.open_new(session, [_answer(*row) for row in found], now)
    for kind, done, healed in (
        (BreakKind.REPORT_DUE, _FILED, "the report is filed"),
        (BreakKind.INQUIRY_OVERDUE, _ANSWERED, "it is answered, asked again or has ended"),
    ):
        is_open = breaks.open_of(session, [kind])
        over = {key for (key,) in rows_by_key(session, done, [each.subject for each in is_open])}
        closed += breaks.close(
            session, [each for each in is_open if each.subject in over], healed, now
        )
    return opened, closed


def _pieces(session: Session, sql: str, values: tuple[str, ...]) -> Iterator[list[Row]]:
    """Return all rows of a statement that goes by id, `PIECE` at a time."""
    after = ""
    while found := rows(session, sql, (*values, after, PIECE)):
        yield found
        after = found[-1][0]


def _report(
    key: str, title: str, due: str, state: str, first: str, last: str, settlement: str | None
) -> Finding:
    is_late = state == "overdue"
    time = first if first == last else f"{first} to {last}"
    words = "was to be filed by" if is_late else "has to be filed by"
    return Finding(
        BreakKind.REPORT_DUE,
        key,
        f"{title} of {time} {words} {due}",
        {"due_date": due, "is_late": int(is_late), "settlement": settlement},
        proposed=Action.REVIEW,
        severity=Severity.CRITICAL if is_late else Severity.HIGH,
    )


def _answer(key: str, settlement: str, party: str, due: str) -> Finding:
    return Finding(
        BreakKind.INQUIRY_OVERDUE,
        key,
        f"{party} was asked about settlement {settlement} and has not answered by {due}",
        {"settlement": settlement, "due_date": due},
        party=party,
    )
