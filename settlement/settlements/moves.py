"""The one setter of a settlement's state: guarded, in bulk, with an event row per move.

Decides nothing: the caller says which move, for which rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session

from settlement import outbox
from settlement.clock import to_micros
from settlement.states import SETTLEMENT_MOVES, sources
from settlement.store.bulk import insert_alike, rows, run_many

ANNOUNCED = {
    "instruct": "settlement.instructed",
    "hold": "settlement.held",
    "suspend": "settlement.held",
    "cancel": "settlement.cancelled",
    "refuse": "settlement.rejected",
    "rejected": "settlement.rejected",
    "finalized": "settlement.settled",
    "review": "settlement.needs_review",
    "close": "settlement.rejected",
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

    `changes` are further columns to set (`", clearance_id = NULL"`), `source` is a FROM clause for
    both.
    """
    starts = sources(SETTLEMENT_MOVES, move)
    (end,) = set(starts.values())
    states = ", ".join(f"'{state.value}'" for state in starts)
    moving = (
        f"UPDATE settlement SET state = '{end.value}', version = settlement.version + 1{changes}"
        f" {source} WHERE settlement.state IN ({states}) AND {where} RETURNING settlement.id"
    )
    ids = [key for (key,) in rows(session, moving, params)]
    record(session, ids, move, reason=reason, actor=actor, now=now)
    return ids


def move_each(
    session: Session,
    move: str,
    values: Sequence[Mapping[str, Any]],
    *,
    actor: str,
    now: datetime,
    changes: str = "",
) -> None:
    """Move the settlements of `values` (`id`, `reason`, whatever `changes` names), all of them.

    Asserts that all moved: the caller has read them in this very database transaction, locked.
    """
    if not values:
        return
    starts = sources(SETTLEMENT_MOVES, move)
    (end,) = set(starts.values())
    states = ", ".join(f"'{state.value}'" for state in starts)
    moving = (
        f"UPDATE settlement SET state = '{end.value}', version = version + 1{changes}"
        f" WHERE id = :id AND state IN ({states})"
    )
    moved = run_many(session, moving, values)
    assert moved == len(values), f"{move}: {moved} of {len(values)} settlements moved"
    by_reason: dict[str | None, list[str]] = {}
    for row in values:
        by_reason.setdefault(row.get("reason"), []).append(row["id"])
    for reason, ids in by_reason.items():
        record(session, ids, move, reason=reason, actor=actor, now=now)


def record(
    session: Session,
    ids: Sequence[str],
    move: str,
    *,
    reason: str | None = None,
    actor: str,
    now: datetime,
) -> None:
    """Write the event rows, and the outbox rows where the outside is told."""
    state = (
        "INSTRUCTED"
        if move == "instruct"
        else next(iter(sources(SETTLEMENT_MOVES, move).values())).value
    )
    event = {"move": move, "state": state, "actor": actor, "reason": reason, "at": to_micros(now)}
    insert_alike(session, "settlement_event", "settlement_id", ids, event)
    if move in ANNOUNCED:
        outbox.record_alike(session, ANNOUNCED[move], ids, now)
