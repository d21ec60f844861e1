"""Breaks of deadlines: a report that has to be filed soon or is late, an answer that is late.

A break opens some business days before a report is due, grows graver when it is late, and closes
when the report is filed or the answer has come.
"""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from settlement.reconciliation import breaks
from settlement.reconciliation.breaks import Action, BreakKind, Finding, Severity
from settlement.store.bulk import rows

FOUND_MAX = 1_000

_REPORTS = (
    "SELECT id, title, due_date, state, period_first, period_last, settlement_id"
    " FROM supervisor_report WHERE state IN ('due', 'overdue') AND warn_date <= ?"
    f" ORDER BY due_date, id LIMIT {FOUND_MAX}"
)
_ANSWERS = (
    "SELECT id, settlement_id, asked_of, due_date FROM inquiry WHERE state = 'OVERDUE'"
    f" ORDER BY id LIMIT {FOUND_MAX}"
)


def watch(session: Session, now: datetime) -> tuple[int, int]:
    """Open breaks of what is due or late, close those of what is done; return (opened, closed)."""
    reports = [_report(*row) for row in rows(session, _REPORTS, (now.date().isoformat(),))]
    answers = [_answer(*row) for row in rows(session, _ANSWERS)]
    opened = closed = 0
    for kind, found, healed in (
        (BreakKind.REPORT_DUE, reports, "the report is filed"),
        (BreakKind.INQUIRY_OVERDUE, answers, "it is answered, asked again or has ended"),
    ):
        stands = {each.subject for each in found}
        is_open = [each for each in breaks.open_of(session, [kind]) if each.subject not in stands]
        closed += breaks.close(session, is_open, healed, now)
        opened += breaks.open_new(session, found, now)
    return opened, closed


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
