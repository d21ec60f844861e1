"""Changes of participants as stored. Reads; what moves them is `changes`'."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlmodel import Session

from settlement.errors import NotFound
from settlement.store.bulk import rows, rows_by_key

_SHOWN = (
    "id, participant_id, kind, subject, terms, state, asked_by, asked_at, approval_id, decided_by,"
    " decided_at, usable_from, reason"
)


@dataclass(frozen=True, slots=True)
class Change:
    """A stored change; moments in microseconds."""

    id: str
    participant_id: str
    kind: str
    subject: str
    terms: Mapping[str, Any]
    state: str
    asked_by: str
    asked_at: int
    approval_id: str | None
    decided_by: str | None
    decided_at: int | None
    usable_from: int | None
    reason: str | None


def change(session: Session, change_id: str) -> Change:
    """Return a change.

    Raises:
        NotFound: there is none of this id.
    """
    found = several(session, [change_id])
    if not found:
        raise NotFound("change", change_id)
    return found[0]


def several(session: Session, change_ids: list[str]) -> list[Change]:
    """Return changes in order of their ids."""
    query = f"SELECT {_SHOWN} FROM participant_change WHERE id {{keys}} ORDER BY id"
    return [_change(row) for row in rows_by_key(session, query, change_ids)]


def changes(
    session: Session, participant_id: str, *, state: str = "", after: str = "", limit: int = 100
) -> list[Change]:
    """Return up to `limit` changes of a participant with an id above `after`, oldest first."""
    found = rows(
        session,
        f"SELECT {_SHOWN} FROM participant_change WHERE participant_id = ? AND id > ?"
        " AND (? = '' OR state = ?) ORDER BY id LIMIT ?",
        (participant_id, after, state, state, limit),
    )
    return [_change(row) for row in found]


def pending(session: Session, participant_id: str, kind: str) -> list[Change]:
    """Return the changes of a kind that wait for their approval."""
    found = rows(
        session,
        f"SELECT {_SHOWN} FROM participant_change WHERE participant_id = ? AND kind = ?"
        " AND state = 'pending' ORDER BY id",
        (participant_id, kind),
    )
    return [_change(row) for row in found]


def _change(row: tuple[Any, ...]) -> Change:
    values = list(row)
    values[4] = orjson.loads(values[4])
    return Change(*values)
