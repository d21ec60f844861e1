"""The one setter of a settlement's state: guarded, in bulk, with an event row per move.

Decides nothing: the caller says which move, for which rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from settlement.clock import to_micros
from settlement.states import SETTLEMENT_MOVES, sources

_EVENT = text(
    "INSERT INTO settlement_event (settlement_id, move, state, actor, reason, at)"
    " VALUES (:id, :move, :state, :actor, :reason, :at)"
)
_OUTBOX = text("INSERT INTO outbox (kind, aggregate_id, body, at) VALUES (:kind, :id, '{}', :at)")

ANNOUNCED = {
    "instruct": "settlement.instructed",
    "hold": "settlement.held",
    "cancel": "settlement.cancelled",
    "refuse": "settlement.rejected",
    "rejected": "settlement.rejected",
    "finalized": "settlement.settled",
    "review": "settlement.needs_review",
}
"""Moves that the outside is told of. `settled` only ever follows finality (I10)."""


def move_where(
    session: Session,
    move: str,
    where: str,
    params: Mapping[str, Any],
    *,
    actor: str,
    now: datetime,
    changes: str = "",
    source: str = "",
    reason: str | None = None,
) -> list[str]:
    """Move every settlement that `where` selects and the table lets move; return their ids.

    `changes` are further columns to set (`", clearance_id = NULL"`), `source` a FROM clause for both.
    """
    starts = sources(SETTLEMENT_MOVES, move)
    (end,) = set(starts.values())
    states = ", ".join(f"'{state.value}'" for state in starts)
    statement = (
        f"UPDATE settlement SET state = '{end.value}', version = settlement.version + 1{changes}"
        f" {source} WHERE settlement.state IN ({states}) AND {where} RETURNING settlement.id"
    )
    ids = list(session.connection().execute(text(statement), dict(params)).scalars())
    record(session, [(key, reason) for key in ids], move, actor=actor, now=now)
    return ids


def move_each(
    session: Session,
    move: str,
    rows: Sequence[Mapping[str, Any]],
    *,
    actor: str,
    now: datetime,
    changes: str = "",
) -> None:
    """Move the settlements of `rows` (`id`, `reason` and whatever `changes` names), all of them.

    Asserts that all moved: the caller has read them in this very database transaction, locked.
    """
    if not rows:
        return
    starts = sources(SETTLEMENT_MOVES, move)
    (end,) = set(starts.values())
    states = ", ".join(f"'{state.value}'" for state in starts)
    statement = (
        f"UPDATE settlement SET state = '{end.value}', version = version + 1{changes}"
        f" WHERE id = :id AND state IN ({states})"
    )
    moved = session.connection().execute(text(statement), [dict(row) for row in rows]).rowcount
    assert moved == len(rows), f"{move}: {moved} of {len(rows)} settlements moved"
    record(session, [(row["id"], row.get("reason")) for row in rows], move, actor=actor, now=now)


def record(
    session: Session,
    moved: Sequence[tuple[str, str | None]],
    move: str,
    *,
    actor: str,
    now: datetime,
) -> None:
    """Write the event rows, and the outbox rows where the outside is told, of `(id, reason)`."""
    if not moved:
        return
    at = to_micros(now)
    state = (
        "INSTRUCTED"
        if move == "instruct"
        else next(iter(sources(SETTLEMENT_MOVES, move).values())).value
    )
    session.connection().execute(
        _EVENT,
        [
            {
                "id": key,
                "move": move,
                "state": state,
                "actor": actor,
                "reason": reason,
                "at": at,
            }
            for key, reason in moved
        ],
    )
    if move in ANNOUNCED:
        kind = ANNOUNCED[move]
        session.connection().execute(
            _OUTBOX, [{"kind": kind, "id": key, "at": at} for key, _ in moved]
        )
