"""A page of breaks, for people to read. Changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlmodel import Session


@dataclass(frozen=True, slots=True)
class BreakRecord:
    """Something that does not agree; `detail` is JSON text, times are microseconds."""

    id: str
    kind: str
    subject: str
    reason: str
    detail: str
    opened_at: int
    closed_at: int | None
    closed_reason: str | None


def page(
    session: Session,
    *,
    limit: int,
    is_open: bool | None = None,
    kind: str | None = None,
    before_id: str | None = None,
) -> list[BreakRecord]:
    """Return up to `limit` breaks with an id below `before_id`, newest first."""
    conditions, params = ["1 = 1"], {"limit": limit}
    if is_open is not None:
        conditions.append(f"closed_at IS {'' if is_open else 'NOT '}NULL")
    values: dict[str, Any] = {"kind = :kind": kind, "id < :before_id": before_id}
    for condition, value in values.items():
        if value is not None:
            conditions.append(condition)
            params[condition.rpartition(":")[2]] = value
    statement = (
        "SELECT id, kind, subject, reason, detail, opened_at, closed_at, closed_reason"
        f" FROM settlement_break WHERE {' AND '.join(conditions)} ORDER BY id DESC LIMIT :limit"
    )
    return [BreakRecord(*row) for row in session.connection().execute(text(statement), params)]
