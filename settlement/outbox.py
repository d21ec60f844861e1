"""Events for the outside, written in the same commit as the change that they tell of.

Delivers nothing: whoever sends them reads `page` from the last sequence that it has seen.
The writing lies in the store, where rooms of this ring may use it too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from settlement.store.outbox import OutboxEvent, record, record_alike

__all__ = ["EventFilter", "OutboxEvent", "StoredEvent", "page", "record", "record_alike"]

_OF_PARTY = (
    " (EXISTS (SELECT 1 FROM invoice i WHERE i.id = o.aggregate_id"
    "   AND (i.seller_id = :party OR i.buyer_id = :party))"
    " OR EXISTS (SELECT 1 FROM settlement s WHERE s.id = o.aggregate_id"
    "   AND (s.creditor_id = :party OR s.debtor_id = :party))"
    " OR EXISTS (SELECT 1 FROM inquiry q WHERE q.id = o.aggregate_id AND q.asked_of = :party)"
    " OR o.aggregate_id = :party)"
)


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event with its place in the order of all; `at` in microseconds."""

    seq: int
    kind: str
    aggregate_id: str
    body: str
    at: int


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events to list; None does not restrict. `party` sees only what it takes part in."""

    kind: str | None = None
    aggregate_id: str | None = None
    party: str | None = None


def page(session: Session, wanted: EventFilter, *, after: int, limit: int) -> list[StoredEvent]:
    """Return up to `limit` events with a sequence above `after`, oldest first."""
    conditions = ["o.seq > :after"]
    params: dict[str, Any] = {"after": after, "limit": limit}
    for column in ("kind", "aggregate_id"):
        value = getattr(wanted, column)
        if value is not None:
            conditions.append(f"o.{column} = :{column}")
            params[column] = value
    if wanted.party is not None:
        conditions.append(_OF_PARTY)
        params["party"] = wanted.party
    return _rows(session, " AND ".join(conditions), params)


def _rows(session: Session, where: str, params: Mapping[str, Any]) -> list[StoredEvent]:
    statement = (
        "SELECT o.seq, o.kind, o.aggregate_id, o.body, o.at FROM outbox o"
        f" WHERE {where} ORDER BY o.seq LIMIT :limit"
    )
    return [StoredEvent(*row) for row in session.connection().execute(text(statement), params)]
