"""Breaks: what does not agree, with its reason; opened once, closed when it has healed.

What comes back is re-opened with its history. Finds nothing by itself: `matching`, `tie_out` and
the engine say what they found; what people do about a break is in `workbench`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple

import orjson
from sqlmodel import Session

from settlement.clock import to_micros
from settlement.money import MINOR_MAX
from settlement.reconciliation.kinds import ABOUT, Action, BreakKind, Severity
from settlement.store.bulk import insert_rows, rows_by_key, run_many

__all__ = [
    "ABOUT",
    "RAIL",
    "Action",
    "BreakKind",
    "Finding",
    "OpenBreak",
    "Severity",
    "close",
    "close_orphaned",
    "open_new",
    "open_of",
]

RAIL = "rail"
"""Who opens and closes what nobody has asked for."""

_DAY_MICROS = 86_400 * 1_000_000
_PASSING = frozenset({"block", "state", "ledger", "chain", "logs_in", "logs_out", "bank"})
"""Parts of a detail that move with every block, and make no other trouble of it."""
_CONSTANT = frozenset({BreakKind.REORGED})
"""Kinds of which the subject alone says which trouble it is."""

Detail = str | int | None | Sequence[Mapping[str, str | int | None]]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not agree. `detail` becomes JSON: texts, whole numbers, and lists of
    what differs as {field, ours, theirs}.
    """

    kind: BreakKind
    subject: str
    reason: str
    detail: Mapping[str, Detail] = field(default_factory=dict)
    proposed: str | None = None
    """What to do; None: what the kind proposes."""
    severity: Severity | None = None
    """None: the kind's."""
    party: str | None = None
    """The participant whose money it is."""
    amount_minor: int | None = None
    """What is in question, signed, in minor units of `unit`: + came in, - went out."""
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class OpenBreak:
    """A break that has not healed yet."""

    id: str
    kind: BreakKind
    subject: str


class _Known(NamedTuple):
    """What is stored of a break that a finding is about."""

    id: str
    kind: str
    subject: str
    facts: str
    closed_by: str | None


_COLUMNS = (
    "id",
    "kind",
    "subject",
    "reason",
    "detail",
    "facts",
    "severity",
    "proposed",
    "party",
    "amount_minor",
    "unit",
    "comment_count",
    "reopened_count",
    "version",
    "opened_at",
    "due_at",
)
_KNOWN = "SELECT id, kind, subject, facts, closed_by FROM settlement_break WHERE subject {keys}"
_TOLD = (
    "reason = :reason, detail = :detail, facts = :facts, severity = :severity,"
    " proposed = :proposed, party = :party, amount_minor = :amount_minor, unit = :unit,"
    " version = version + 1"
)
_CHANGE = f"UPDATE settlement_break SET {_TOLD} WHERE id = :id AND closed_at IS NULL"
_REOPEN = (
    f"UPDATE settlement_break SET {_TOLD}, opened_at = :opened_at, due_at = :due_at,"
    " closed_at = NULL, closed_reason = NULL, closed_by = NULL,"
    " reopened_count = reopened_count + 1 WHERE id = :id AND closed_at IS NOT NULL"
)
_ORPHANED = (
    "SELECT k.subject FROM settlement_break k JOIN block b ON b.hash = substr(k.subject, 5, 66)"
    " WHERE k.closed_at IS NULL AND k.kind {keys} AND NOT b.canonical"
)
_FILL = (
    "UPDATE settlement_break SET party = s.creditor_id, amount_minor = s.amount_minor,"
    " unit = t.symbol FROM settlement s JOIN token t ON t.address = s.token"
    " WHERE settlement_break.id = :id AND s.id = settlement_break.subject"
    " AND settlement_break.amount_minor IS NULL"
)
_CLOSE = (
    "UPDATE settlement_break SET closed_at = :at, closed_reason = :reason, closed_by = :by,"
    " version = version + 1 WHERE id = :id AND closed_at IS NULL"
)


def open_of(session: Session, kinds: Collection[BreakKind]) -> list[OpenBreak]:
    """Return the open breaks of these kinds, oldest first."""
    rows = rows_by_key(
        session,
        "SELECT id, kind, subject FROM settlement_break WHERE kind {keys} AND closed_at IS NULL"
        " ORDER BY id",
        [kind.value for kind in kinds],
    )
    return [OpenBreak(key, BreakKind(kind), subject) for key, kind, subject in rows]


def open_new(session: Session, findings: Sequence[Finding], now: datetime) -> int:
    """Open a break for each finding that has none open, again where it was there; return how many.

    One that a person has closed stays closed while it is the same trouble. One that is open and
    has become another trouble is changed, and what was decided about it no longer counts.
    """
    unique = {(each.kind.value, each.subject): _storable(each) for each in findings}
    stored = (_Known(*row) for row in rows_by_key(session, _KNOWN, {s for _k, s in unique}))
    known = {(each.kind, each.subject): each for each in stored}
    fresh, back, changed = [], [], []
    for key, finding in unique.items():
        there = known.get(key)
        if there is None:
            fresh.append(_row(finding, now))
        elif there.closed_by == RAIL or (there.closed_by and there.facts != _facts(finding)):
            back.append(_row(finding, now) | {"id": there.id})
        elif not there.closed_by and there.facts != _facts(finding):
            changed.append(_row(finding, now) | {"id": there.id})
    insert_rows(
        session,
        "settlement_break",
        _COLUMNS,
        [tuple(row[name] for name in _COLUMNS) for row in fresh],
        "ON CONFLICT (subject, kind) DO NOTHING",
    )
    run_many(session, _REOPEN, back)
    run_many(session, _CHANGE, changed)
    told = [row for row in (*fresh, *back, *changed) if row["subject"].startswith("stl_")]
    run_many(session, _FILL, [{"id": row["id"]} for row in told])
    for move, rows in (("open", fresh), ("reopen", back), ("change", changed)):
        _record(session, move, ((row["id"], row["reason"]) for row in rows), now)
    return len(fresh) + len(back)


def close(session: Session, healed: Sequence[OpenBreak], reason: str, now: datetime) -> int:
    """Close breaks that have healed; return how many."""
    at = to_micros(now)
    rows = [{"id": each.id, "reason": reason, "at": at, "by": RAIL} for each in healed]
    run_many(session, _CLOSE, rows)
    _record(session, "heal", ((each.id, reason) for each in healed), now)
    return len(healed)


def close_orphaned(session: Session, is_open: Sequence[OpenBreak], now: datetime) -> int:
    """Close those about a log, `log:<block>:<index>`, whose block was orphaned; return how many."""
    kinds = {each.kind.value for each in is_open}
    orphaned = {subject for (subject,) in rows_by_key(session, _ORPHANED, kinds)}
    healed = [each for each in is_open if each.subject in orphaned]
    return close(session, healed, "its block was orphaned", now)


def _record(session: Session, move: str, reasons: Iterable[tuple[str, str]], now: datetime) -> None:
    at = to_micros(now)
    rows = [(key, move, RAIL, reason, "{}", at) for key, reason in reasons]
    columns = ("break_id", "move", "actor", "reason", "detail", "at")
    insert_rows(session, "break_event", columns, rows)


def _storable(finding: Finding) -> Finding:
    """Leave an amount out that no column holds, as of wei: reason and detail say it. Pure."""
    fits = abs(finding.amount_minor or 0) <= MINOR_MAX
    return finding if fits else replace(finding, amount_minor=None)


def _row(finding: Finding, now: datetime) -> dict[str, Any]:
    at, about = to_micros(now), ABOUT[finding.kind]
    return {
        "id": _id(finding, at),
        "kind": finding.kind.value,
        "subject": finding.subject,
        "reason": finding.reason,
        "detail": orjson.dumps(dict(finding.detail)).decode(),
        "facts": _facts(finding),
        "severity": (finding.severity or about.severity).value,
        "proposed": str(finding.proposed or about.proposed),
        "party": finding.party,
        "amount_minor": finding.amount_minor,
        "unit": finding.unit,
        "comment_count": 0,
        "reopened_count": 0,
        "version": 1,
        "opened_at": at,
        "due_at": at + about.due_days * _DAY_MICROS,
    }


def _facts(finding: Finding) -> str:
    """Return the hash of what makes a finding this trouble and no other. Pure."""
    parts: dict[str, Any] = {"amount": finding.amount_minor, "unit": finding.unit}
    if finding.kind in _CONSTANT:
        parts = {}
    else:
        parts |= {key: value for key, value in finding.detail.items() if key not in _PASSING}
    return sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _id(finding: Finding, at: int) -> str:
    """Return an id in order of time: microseconds, then what the break is about."""
    about = sha256(f"{finding.kind}|{finding.subject}".encode()).hexdigest()
    return f"brk_{at:014x}{about[:18]}"
