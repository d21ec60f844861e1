"""Reports: written once for each period or decision, kept as they were, filed by a person.

What is due when is the schedule's. Sends nothing: a person files a report and says under which
reference.
"""

from __future__ import annotations

import hashlib
import zlib
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import orjson
from sqlmodel import Session

from settlement.clock import from_micros, to_micros
from settlement.errors import Conflict, Invalid, NotFound
from settlement.statements.tables_out import Column, Kind
from settlement.store import row_lock
from settlement.store.bulk import insert_rows, rows, rows_by_key
from settlement.store.outbox import OutboxEvent, record
from settlement.supervision.periods import Span, ended
from settlement.supervision.schedule import ReportKind, schedule
from settlement.supervision.views import VIEWS
from settlement.supervision.views.payments import decisions

WRITTEN_MAX = 50
"""So many reports are written in one call; the next call goes on."""
DECISIONS_MAX = 20_000
"""So many decisions are looked at in one call."""
ROWS_MAX = 200_000
REFERENCE_MAX = 200

_COLUMNS = (
    "id", "kind", "subject", "settlement_id", "title", "period_first", "period_last",
    "jurisdiction", "state", "due_date", "warn_date", "row_count", "sha256", "content",
    "written_at",
)  # fmt: skip
_SHOWN = (
    "id, kind, subject, settlement_id, title, period_first, period_last, jurisdiction, state,"
    " due_date, warn_date, row_count, sha256, written_at, filed_at, filed_by, reference"
)
_START = (
    "INSERT INTO cursor (name, number, hash, at) VALUES ('supervision', {0}, '', {1})"
    " ON CONFLICT (name) DO NOTHING"
)
# A period's report is about its last day; the index of what is written once has it at its end.
_LAST = "SELECT MAX(subject) FROM supervisor_report WHERE kind = ?"
_DECISIONS = (
    "SELECT k.id, k.settlement_id, k.created_at, k.verdicts FROM clearance k"
    # Word for word what the index of refusals holds: SQLite finds it by that.
    " WHERE k.outcome IN ('REJECT', 'BLOCK') AND k.outcome = ? AND k.created_at >= ?"
    " AND NOT EXISTS"
    " (SELECT 1 FROM supervisor_report r WHERE r.kind = ? AND (r.subject = k.id"
    # A payment that is tried again before its report was filed is one matter.
    " OR (r.settlement_id = k.settlement_id AND r.state IN ('due', 'overdue'))))"
    f" ORDER BY k.created_at, k.id LIMIT {DECISIONS_MAX}"
)
_OVERLAP = 600 * 1_000_000
"""Decisions are looked at again for so long: clocks of several machines differ. Microseconds."""
_MARK = (
    "INSERT INTO cursor (name, number, hash, at) VALUES ('supervision:{0}', {1}, '', {2})"
    " ON CONFLICT (name) DO UPDATE SET number = excluded.number, at = excluded.at"
)
_FALL_DUE = (
    "UPDATE supervisor_report SET state = 'overdue'"
    " WHERE state IN ('due', 'overdue') AND state = 'due' AND due_date < ? RETURNING id"
)
_FILE = (
    "UPDATE supervisor_report SET state = 'filed', reference = ?, filed_by = ?, filed_at = ?"
    " WHERE id = ? AND state IN ('due', 'overdue') RETURNING id"
)


class NothingToFile(Conflict):
    """A report that is only written, or filed already, is not filed."""

    def __init__(self, report_id: str, state: str) -> None:
        super().__init__(
            f"report {report_id} is {state}",
            field="report_id",
            repair="file what is due or overdue: settle report list --state due",
        )


class Report(NamedTuple):
    """A report without its content; dates ISO 8601, moments in microseconds."""

    id: str
    kind: str
    subject: str
    settlement_id: str | None
    title: str
    period_first: str
    period_last: str
    jurisdiction: str
    state: str
    due_date: str | None
    warn_date: str | None
    row_count: int
    sha256: str
    written_at: int
    filed_at: int | None
    filed_by: str | None
    reference: str | None


def write_due(session: Session, now: datetime) -> int:
    """Write what is over and not written yet, oldest first, up to a bound; return how many.

    After a downtime it catches up: each period has its own report, of that period.
    """
    today = now.date()
    since = _since(session, now)
    count = 0
    for kind in schedule():
        room = WRITTEN_MAX - count
        if room <= 0:
            break
        if kind.outcome is not None:
            count += _write_decisions(session, kind, room, now)
        else:
            count += _write_periods(session, kind, since, today, room, now)
    return count


def let_fall_due(session: Session, today: date) -> int:
    """Make OVERDUE what was to be filed before `today`; return how many."""
    return len(rows(session, _FALL_DUE, (today.isoformat(),)))


def file(session: Session, report_id: str, *, reference: str, actor: str, now: datetime) -> Report:
    """Say that a report was filed, and under which reference; late is better than never.

    Raises:
        NotFound, NothingToFile: there is none to be filed.
        Invalid: no reference.
    """
    words = reference.strip()
    if not 0 < len(words) <= REFERENCE_MAX:
        raise Invalid(
            "a filed report has a reference", field="reference",
            repair=f"give what whoever took it calls it, in up to {REFERENCE_MAX} characters",
        )  # fmt: skip
    sql = "SELECT state FROM supervisor_report WHERE id {keys}"
    found = rows_by_key(session, sql + row_lock(session, "supervisor_report"), [report_id])
    if not found:
        raise NotFound("report", report_id)
    if not rows(session, _FILE, (words, actor, to_micros(now), report_id)):
        raise NothingToFile(report_id, found[0][0])
    record(session, [OutboxEvent("report.filed", report_id)], now)
    return find(session, report_id)


def find(session: Session, report_id: str) -> Report:
    """Return a report without its content.

    Raises:
        NotFound: there is none.
    """
    found = rows(session, f"SELECT {_SHOWN} FROM supervisor_report WHERE id = ?", (report_id,))
    if not found:
        raise NotFound("report", report_id)
    return Report._make(found[0])


def content(session: Session, report_id: str) -> tuple[list[Column], list[list[Any]]]:
    """Return columns and rows of a report as they were written.

    Raises:
        NotFound: there is none.
    """
    found = rows(session, "SELECT content FROM supervisor_report WHERE id = ?", (report_id,))
    if not found:
        raise NotFound("report", report_id)
    plain = orjson.loads(zlib.decompress(bytes(found[0][0])))
    return [Column(name, Kind(kind)) for name, kind in plain["columns"]], plain["rows"]


def _since(session: Session, now: datetime) -> date:
    """Return the day on which reporting began: what ended before has nobody waiting for it."""
    today = now.date()
    session.connection().exec_driver_sql(_START.format(today.toordinal(), to_micros(now)))
    ((number,),) = rows(session, "SELECT number FROM cursor WHERE name = 'supervision'")
    return date.fromordinal(number)


def _write_periods(
    session: Session, kind: ReportKind, since: date, today: date, room: int, now: datetime
) -> int:
    assert kind.every is not None
    ((last,),) = rows(session, _LAST, (kind.kind,))
    begin = since if last is None else date.fromisoformat(last) + timedelta(days=1)
    count = 0
    for span in ended(kind.every, since=begin, today=today, year_ends=kind.year_ends):
        if count == room:
            break
        whole = Span(date.min, span.last) if kind.since_ever else span
        cells = _read(session, kind, whole)
        due = kind.due(span.last)
        if kind.only_if_any and not cells:
            due = None
        _store(session, kind, span, span.last.isoformat(), None, due, cells, now)
        count += 1
    return count


def _write_decisions(session: Session, kind: ReportKind, room: int, now: datetime) -> int:
    """Write a report of each decision that has none; a payment's first one while it is unfiled."""
    assert kind.outcome is not None
    mark = rows(session, "SELECT number FROM cursor WHERE name = ?", (f"supervision:{kind.kind}",))
    after = int(mark[0][0]) if mark else 0
    decided = rows(session, _DECISIONS, (kind.outcome, after, kind.kind))
    wanted: dict[str, tuple[str, int]] = {}
    seen, is_all = after, len(decided) < DECISIONS_MAX
    for key, settlement, at, verdicts in decided:
        if len(wanted) == room:
            is_all = False
            break
        seen = int(at)
        if settlement not in wanted and not _rules_of(verdicts, kind.outcome) <= kind.not_rules:
            wanted[settlement] = (key, seen)
    cells = decisions(session, [key for key, _at in wanted.values()])
    for settlement, (key, at) in wanted.items():
        day = from_micros(at).date()
        due, row = kind.due(day), cells[key]
        _store(session, kind, Span(day, day), key, settlement, due, [row], now)
    # Where there is more than one call looks at, none of it is looked at twice.
    is_full = len(decided) == DECISIONS_MAX and len(wanted) < room
    seen = seen + 1 if is_full else (to_micros(now) if is_all else seen) - _OVERLAP
    if seen > after:
        session.connection().exec_driver_sql(_MARK.format(kind.kind, seen, to_micros(now)))
    return len(wanted)


def _rules_of(verdicts: str, outcome: str) -> set[str]:
    """Return the rules that a decision rests on: a milder one beside them decides nothing."""
    return {each["rule"] for each in orjson.loads(verdicts) if each["outcome"] == outcome}


def _read(session: Session, kind: ReportKind, span: Span) -> list[tuple[Any, ...]]:
    cells = list(VIEWS[kind.view].rows(session, span, ROWS_MAX + 1))
    if len(cells) > ROWS_MAX:
        raise Invalid(
            f"{kind.kind} of {span.first} to {span.last} has more than {ROWS_MAX} rows",
            field="schedule", repair="let it be written more often",
        )  # fmt: skip
    return cells


def _store(
    session: Session, kind: ReportKind, span: Span, subject: str, settlement_id: str | None,
    due: date | None, cells: list[tuple[Any, ...]], now: datetime,
) -> None:  # fmt: skip
    columns = [(column.name, column.kind.value) for column in VIEWS[kind.view].columns]
    plain = orjson.dumps({"columns": columns, "rows": cells})
    at = to_micros(now)
    digest = hashlib.sha256(f"{kind.kind}|{subject}".encode()).hexdigest()
    report_id = f"rep_{at:016x}{digest[:16]}"
    row = (
        report_id, kind.kind, subject, settlement_id, kind.title, span.first.isoformat(),
        span.last.isoformat(), kind.jurisdiction, "written" if due is None else "due",
        None if due is None else due.isoformat(),
        None if due is None else kind.warned(due).isoformat(),
        len(cells), hashlib.sha256(plain).hexdigest(), zlib.compress(plain), at,
    )  # fmt: skip
    # Two who write the same period at once: one of them has written it.
    insert_rows(
        session, "supervisor_report", _COLUMNS, [row], "ON CONFLICT (kind, subject) DO NOTHING"
    )
    record(session, [OutboxEvent("report.written", report_id)], now)
