"""Hits as they are stored, one by one and in pages, with their history.

Reads; changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlmodel import Session

from settlement.errors import NotFound
from settlement.store.bulk import rows, rows_by_key

_COLUMNS = (
    "id", "participant_id", "subject_kind", "subject_key", "subject_text", "list_name",
    "entry_key", "party_id", "entry_text", "score", "parts", "subject_hash", "entry_hash",
    "state", "assigned_to", "decided_by", "decided_at", "reason", "created_at", "updated_at",
)  # fmt: skip
_ALL = ", ".join(f"h.{column}" for column in _COLUMNS)
_EVENTS = (
    "SELECT move, actor, reason, detail, at FROM screening_hit_event WHERE hit_id = ? ORDER BY id"
)
_WALLETS = "SELECT address FROM wallet WHERE participant_id {keys} ORDER BY address"
_STANDS = (
    "SELECT participant_id FROM screening_hit WHERE participant_id {keys}"
    " AND state IN ('open', 'confirmed')"
)


@dataclass(frozen=True, slots=True)
class Hit:
    """A part of a participant that may be a listed party. `parts` is JSON, times microseconds."""

    id: str
    participant_id: str
    subject_kind: str
    subject_key: str
    subject_text: str
    list_name: str
    entry_key: str
    party_id: str
    entry_text: str
    score: int
    parts: str
    subject_hash: str
    entry_hash: str
    state: str
    assigned_to: str | None
    decided_by: str | None
    decided_at: int | None
    reason: str | None
    created_at: int
    updated_at: int


@dataclass(frozen=True, slots=True)
class HitEvent:
    """One thing that happened to a hit."""

    move: str
    actor: str
    reason: str | None
    detail: str
    at: int


@dataclass(frozen=True, slots=True)
class HitFilter:
    """Which hits a page shows; empty for all."""

    state: str = ""
    participant_id: str = ""
    list_name: str = ""


def hit(session: Session, hit_id: str, lock: str = "") -> Hit:
    """Return a hit.

    Raises:
        NotFound: there is none of this id.
    """
    found = rows(session, f"SELECT {_ALL} FROM screening_hit h WHERE h.id = ?{lock}", (hit_id,))
    if not found:
        raise NotFound("hit", hit_id)
    return Hit(*found[0])


def hits(session: Session, which: HitFilter, *, before: str = "", limit: int = 100) -> list[Hit]:
    """Return hits, newest first, older than the id `before`."""
    conditions, values = ["1 = 1"], []
    for column, value in (
        ("state", which.state),
        ("participant_id", which.participant_id),
        ("list_name", which.list_name),
    ):
        if value:
            conditions.append(f"h.{column} = ?")
            values.append(value)
    if before:
        conditions.append("h.id < ?")
        values.append(before)
    found = rows(
        session,
        f"SELECT {_ALL} FROM screening_hit h WHERE {' AND '.join(conditions)}"
        " ORDER BY h.id DESC LIMIT ?",
        (*values, limit),
    )
    return [Hit(*row) for row in found]


def history(session: Session, hit_id: str) -> list[HitEvent]:
    """Return what happened to a hit, oldest first."""
    return [HitEvent(*row) for row in rows(session, _EVENTS, (hit_id,))]


def wallets(session: Session, participant_ids: Iterable[str]) -> list[str]:
    """Return the wallets of participants."""
    return [row[0] for row in rows_by_key(session, _WALLETS, sorted(set(participant_ids)))]


def stands_against(session: Session, participant_ids: Iterable[str]) -> set[str]:
    """Return those that an open or confirmed hit stands against."""
    return {row[0] for row in rows_by_key(session, _STANDS, sorted(set(participant_ids)))}
