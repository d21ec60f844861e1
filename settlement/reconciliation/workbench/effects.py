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
_LET_GO = text(
    "SELECT CAST(COALESCE(SUM(claim_minor), 0) AS BIGINT) FROM break_effect"
    " WHERE invoice_id = :invoice_id AND act = 'write_off' AND live"
)
# Money that stands somewhere, whichever break of it has dealt with it; a claim that was let go is
# none of it.
_USED_OF = text(
    "SELECT CAST(COALESCE(SUM(f.amount_minor), 0) AS BIGINT) FROM break_effect f"
    " JOIN settlement_break k ON k.id = f.break_id WHERE k.subject = :subject AND f.live"
    " AND (k.amount_minor > 0) = :is_credit"
    " AND (f.act <> 'write_off' OR f.invoice_id IS NULL)"
)
_ADJUSTED = text(
    "SELECT CAST(COALESCE(SUM(p.amount_minor), 0) AS BIGINT) FROM break_effect f"
    " JOIN settlement_break k ON k.id = f.break_id JOIN journal_entry e"
    " ON e.source_key = f.source_key JOIN posting p ON p.entry_seq = e.seq"
    " JOIN account a ON a.id = p.account_id WHERE k.subject = :subject AND f.live"
    " AND f.act = 'adjust' AND p.amount_minor > 0 AND a.unit = :unit"
)
_WRITTEN_OFF = text(
    "SELECT CAST(COALESCE(SUM(f.amount_minor), 0) AS BIGINT) FROM break_effect f"
    " JOIN settlement_break k ON k.id = f.break_id WHERE k.subject = :subject AND f.live"
    " AND f.act = 'write_off' AND f.invoice_id IS NULL"
)
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


def let_go(session: Session, invoice_id: str) -> int:
    """Return how much of an invoice's claim was written off."""
    found = session.connection().execute(_LET_GO, {"invoice_id": invoice_id})
    return int(found.scalar_one())


def used_of(session: Session, subject: str, *, is_credit: bool) -> int:
    """Return how much of what came in (or went out) was dealt with, by all breaks about it."""
    values = {"subject": subject, "is_credit": is_credit}
    return int(session.connection().execute(_USED_OF, values).scalar_one())


def booked_before(
    session: Session, act: str, subject: str, *, unit: str, invoice_id: str | None
) -> int:
    """Return what such an act has booked of the same thing already: limits are of the sum."""
    if invoice_id is not None:
        return let_go(session, invoice_id)
    values = {"subject": subject}
    if act == "write_off":
        return int(session.connection().execute(_WRITTEN_OFF, values).scalar_one())
    return int(session.connection().execute(_ADJUSTED, values | {"unit": unit}).scalar_one())


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
