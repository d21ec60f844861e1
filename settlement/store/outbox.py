"""Writing events for the outside: rows in the same database transaction as what they tell of.

Reads none and delivers none: `settlement.outbox` lists them. Here so that every noun may record.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlmodel import Session

from settlement.clock import to_micros
from settlement.store.bulk import insert_alike, insert_rows


class OutboxEvent(NamedTuple):
    """Something that happened to `aggregate_id`; `body` is JSON text."""

    kind: str
    aggregate_id: str
    body: str = "{}"


def record(session: Session, events: Sequence[OutboxEvent], now: datetime) -> None:
    """Store events with the change that the caller makes in the same database transaction."""
    at = to_micros(now)
    insert_rows(
        session,
        "outbox",
        ("kind", "aggregate_id", "body", "at"),
        [(*each, at) for each in events],
    )


def record_alike(session: Session, kind: str, ids: Sequence[str], now: datetime) -> None:
    """Store the same event of each of many, without a body."""
    event = {"kind": kind, "body": "{}", "at": to_micros(now)}
    insert_alike(session, "outbox", "aggregate_id", ids, event)
