"""What acts have changed elsewhere, one row each: stored with the act, ended by its undo."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import text
from sqlmodel import Session

from settlement.clock import to_micros
from settlement.reconciliation.workbench.desk import Deed
from settlement.reconciliation.workbench.errors import NothingToUndo
from settlement.store.bulk import insert_rows


class Effect(NamedTuple):
    """One act's effect; amounts unsigned: `amount_minor` of the break's unit."""

    id: str
    break_id: str
    act: str
    amount_minor: int | None = None
    part: int | None = None
    invoice_id: str | None = None
    claim_minor: int | None = None
    source_key: str | None = None
    match_id: int | None = None
    settlement_id: str | None = None


_FIELDS = ", ".join(Effect._fields)
_LIVE = f"SELECT {_FIELDS} FROM break_effect WHERE break_id = :break_id AND live"
_END = text(
    "UPDATE break_effect SET live = false, undone_at = :at, undone_by = :actor,"
    " undone_reason = :reason WHERE id = :id AND live"
)


def store(session: Session, effect: Effect, deed: Deed) -> None:
    """Write an effect down."""
    insert_rows(
        session,
        "break_effect",
        (*Effect._fields, "live", "created_at", "created_by"),
        [(*effect, True, to_micros(deed.now), deed.person.actor)],
    )


def live(session: Session, break_id: str, effect_id: str | None = None) -> Effect | None:
    """Return a live effect of a break: the one named, or the newest."""
    statement, values = _LIVE, {"break_id": break_id}
    if effect_id is not None:
        statement, values = f"{_LIVE} AND id = :id", values | {"id": effect_id}
    statement += " ORDER BY created_at DESC, id DESC LIMIT 1"
    row = session.connection().execute(text(statement), values).one_or_none()
    return None if row is None else Effect(*row)


def end(session: Session, effect: Effect, *, actor: str, reason: str, now: datetime) -> None:
    """Mark an effect as taken back.

    Raises:
        NothingToUndo: somebody else was first.
    """
    ended = session.connection().execute(
        _END, {"id": effect.id, "actor": actor, "reason": reason, "at": to_micros(now)}
    )
    if ended.rowcount != 1:
        raise NothingToUndo(f"{effect.id} is undone already", repair="read the break again")
