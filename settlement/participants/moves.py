"""The one setter of a participant's state: guarded, with an event row per move.

Decides nothing but what the table of moves says; who needs a second person is `activation`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from sqlalchemy import text
from sqlmodel import Session

from settlement import audit
from settlement.clock import to_micros
from settlement.errors import IllegalMove, NotFound
from settlement.participants import listing
from settlement.states import PARTICIPANT_MOVES, sources
from settlement.store import outbox
from settlement.store.bulk import insert_rows, rows
from settlement.store.outbox import OutboxEvent

EXPIRED_MAX = 500
"""Participants that one run moves to `expired`."""

_EVENT = ("participant_id", "move", "state", "actor", "reason", "detail", "at")
_STATE = text("SELECT state FROM participant WHERE id = :id")
_EXPIRE = text(
    "UPDATE participant SET state = 'expired' WHERE id IN (SELECT id FROM participant"
    " WHERE state = 'active' AND kyb_valid_until <= :at ORDER BY id LIMIT :most)"
    " AND state = 'active' RETURNING id"
)


class Event(NamedTuple):
    """Something that happened to a participant; `detail` is JSON, `at` in microseconds."""

    move: str
    state: str
    actor: str
    reason: str | None
    detail: str
    at: int


def suspend(
    session: Session, participant_id: str, reason: str, now: datetime, *, actor: str = "operator"
) -> None:
    """Let a participant neither pay nor be paid until it is reinstated.

    Raises:
        NotFound, IllegalMove: nothing was changed.
    """
    move(session, participant_id, "suspend", reason=reason, actor=actor, now=now)


def reinstate(
    session: Session, participant_id: str, reason: str, now: datetime, *, actor: str = "operator"
) -> None:
    """End a suspension: at the doors only with a second person. Raises as `suspend`."""
    move(session, participant_id, "reinstate", reason=reason, actor=actor, now=now)


def close(
    session: Session, participant_id: str, reason: str, now: datetime, *, actor: str = "operator"
) -> None:
    """End a participation for good; its records stay. Raises as `suspend`."""
    move(session, participant_id, "close", reason=reason, actor=actor, now=now)


def expire_due(session: Session, now: datetime, *, most: int = EXPIRED_MAX) -> list[str]:
    """Move up to `most` participants whose KYB has ended to `expired`; return their ids.

    They are blocked since that moment anyway: this writes it down and tells of it.
    """
    values = {"at": to_micros(now), "most": most}
    moved = sorted(session.execute(_EXPIRE, values).scalars())
    why = "a required document has ended, or the review is due"
    listing.follow_states(session, moved, reason=why, actor="rail", now=now)
    for key in moved:
        record(session, key, "expire", "expired", actor="rail", now=now, reason=why)
        _tell(session, key, "expired", why, now)
    return moved


def move(
    session: Session,
    participant_id: str,
    name: str,
    *,
    actor: str,
    now: datetime,
    reason: str | None = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Move a participant, write the event and tell the outside.

    Raises:
        NotFound, IllegalMove: nothing was changed.
    """
    starts = sources(PARTICIPANT_MOVES, name)
    (end,) = {state.value for state in starts.values()}
    states = ", ".join(f"'{state.value}'" for state in starts)
    before = _state(session, participant_id)
    moved = session.execute(
        text(
            f"UPDATE participant SET state = :end WHERE id = :id AND state IN ({states})"
            " RETURNING id"
        ),
        {"id": participant_id, "end": end},
    )
    if moved.scalar() is None:
        raise IllegalMove("participant", participant_id, before, name)
    audit.changed(session, participant_id, before={"state": before}, after={"state": end})
    record(session, participant_id, name, end, actor=actor, now=now, reason=reason, detail=detail)
    why = f"its company is {end}" + (f": {reason}" if reason else "")
    listing.follow_states(session, [participant_id], reason=why, actor=actor, now=now)
    _tell(session, participant_id, end, reason, now)


def events(session: Session, participant_id: str, *, most: int = 1_000) -> list[Event]:
    """Return the newest `most` events of a participant, oldest first."""
    found = rows(
        session,
        "SELECT move, state, actor, reason, detail, at FROM participant_event"
        " WHERE participant_id = ? ORDER BY id DESC LIMIT ?",
        (participant_id, most),
    )
    return [Event(*row) for row in reversed(found)]


def note(
    session: Session,
    participant_id: str,
    what: str,
    *,
    actor: str,
    now: datetime,
    reason: str | None = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Write an event of something that moves no state: a document, a change, an erasure."""
    state = _state(session, participant_id)
    record(session, participant_id, what, state, actor=actor, now=now, reason=reason, detail=detail)


def record(
    session: Session,
    participant_id: str,
    move_name: str,
    state: str,
    *,
    actor: str,
    now: datetime,
    reason: str | None = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Write an event row. `detail` holds ids and digests: nothing of a person."""
    told = orjson.dumps(dict(detail or {}), option=orjson.OPT_SORT_KEYS).decode()
    row = (participant_id, move_name, state, actor, reason, told, to_micros(now))
    insert_rows(session, "participant_event", _EVENT, [row])


def _tell(
    session: Session, participant_id: str, state: str, reason: str | None, now: datetime
) -> None:
    body = orjson.dumps({"reason": reason or ""}).decode()
    outbox.record(session, [OutboxEvent(f"participant.{state}", participant_id, body)], now)


def _state(session: Session, participant_id: str) -> str:
    found = session.execute(_STATE, {"id": participant_id}).scalar()
    if found is None:
        raise NotFound("participant", participant_id)
    return str(found)
