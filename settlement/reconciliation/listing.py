"""Breaks as people read them: a page by filters, and how old what is open has become.

Changes nothing. One break with all that belongs to it is `workbench.reading`'s.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from settlement.clock import to_micros

_DAY_MICROS = 86_400 * 1_000_000

AGES = (0, 30, 60, 90)
"""Days from which each bucket of the aging summary counts."""


@dataclass(frozen=True, slots=True)
class BreakRecord:
    """Something that does not agree; `detail` is JSON text, times are microseconds."""

    id: str
    kind: str
    subject: str
    reason: str
    detail: str
    severity: str
    proposed: str
    party: str | None
    amount_minor: int | None
    """Signed minor units of `unit`: + came in, - went out."""
    unit: str | None
    owner: str | None
    comment_count: int
    reopened_count: int
    version: int
    opened_at: int
    due_at: int
    closed_at: int | None
    closed_reason: str | None
    closed_by: str | None


@dataclass(frozen=True, slots=True)
class BreakFilter:
    """Which breaks to list; None does not restrict."""

    is_open: bool | None = None
    kind: str | None = None
    severity: str | None = None
    owner: str | None = None
    """A name; '' for those that nobody works on."""
    party: str | None = None
    subject: str | None = None
    opened_before: int | None = None
    """Microseconds: older than this; so are those due before `due_before`."""
    due_before: int | None = None


@dataclass(frozen=True, slots=True)
class Aged:
    """How many breaks of a kind are open in a bucket of age, and what is in question in a unit."""

    kind: str
    unit: str | None
    currency: str | None
    from_days: int
    count: int
    amount_minor: int
    """Sum of the amounts, unsigned; 0 where the kind names none."""


COLUMNS = ", ".join(f"k.{field.name}" for field in fields(BreakRecord))

_EQUAL = ("kind", "severity", "party", "subject")
_AGED = text(
    "SELECT k.kind, k.unit, COALESCE(t.currency, k.unit) AS currency,"
    " CASE WHEN k.opened_at > :d30 THEN 0 WHEN k.opened_at > :d60 THEN 30"
    "   WHEN k.opened_at > :d90 THEN 60 ELSE 90 END AS bucket,"
    # In two halves: a sum of many would not always fit 64 bits.
    " COUNT(*), SUM(ABS(k.amount_minor) / 4294967296), SUM(ABS(k.amount_minor) % 4294967296)"
    " FROM settlement_break k LEFT JOIN token t ON t.symbol = k.unit"
    " WHERE k.closed_at IS NULL GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 4"
)


def page(
    session: Session, wanted: BreakFilter, *, limit: int, before_id: str | None = None
) -> list[BreakRecord]:
    """Return up to `limit` breaks with an id below `before_id`, newest first."""
    conditions, params = _where(wanted)
    if before_id is not None:
        conditions.append("k.id < :before_id")
        params["before_id"] = before_id
    statement = (
        f"SELECT {COLUMNS} FROM settlement_break k WHERE {' AND '.join(conditions)}"
        " ORDER BY k.id DESC LIMIT :limit"
    )
    found = session.connection().execute(text(statement), {**params, "limit": limit})
    return [BreakRecord(*row) for row in found]


def aging(session: Session, now: datetime) -> list[Aged]:
    """Return the open breaks by kind, unit and age in days: 0, 30, 60 and 90 or more."""
    at = to_micros(now)
    cuts = {f"d{days}": at - days * _DAY_MICROS for days in AGES[1:]}
    return [
        Aged(kind, unit, currency, bucket, count, int(high or 0) * 2**32 + int(low or 0))
        for kind, unit, currency, bucket, count, high, low in session.connection().execute(
            _AGED, cuts
        )
    ]


def _where(wanted: BreakFilter) -> tuple[list[str], dict[str, Any]]:
    conditions, params = ["1 = 1"], dict[str, Any]()
    if wanted.is_open is not None:
        conditions.append(f"k.closed_at IS {'' if wanted.is_open else 'NOT '}NULL")
    for name in _EQUAL:
        if getattr(wanted, name) is not None:
            conditions.append(f"k.{name} = :{name}")
            params[name] = getattr(wanted, name)
    if wanted.owner == "":
        conditions.append("k.owner IS NULL")
    elif wanted.owner is not None:
        conditions.append("k.owner = :owner")
        params["owner"] = wanted.owner
    if wanted.opened_before is not None:
        conditions.append("k.opened_at <= :opened_before")
        params["opened_before"] = wanted.opened_before
    if wanted.due_before is not None:
        conditions.append("k.due_at < :due_before AND k.closed_at IS NULL")
        params["due_before"] = wanted.due_before
    return conditions, params
