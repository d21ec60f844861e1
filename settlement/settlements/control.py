"""What people may do to a settlement before the claim: hold, release, cancel; and retry after a rejection.

Decides nothing about money: the invoice's reserved part and the ledger's reservation follow.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, text
from sqlmodel import Session

from settlement import ledger
from settlement.errors import NotFound
from settlement.invoices import amounts
from settlement.settlements.moves import move_each
from settlement.states import SETTLEMENT_MOVES, SettlementState, advance
from settlement.store import row_lock

_ROWS = "SELECT id, state, invoice_id, claim_minor FROM settlement WHERE id IN :ids ORDER BY id"


def hold(session: Session, ids: Sequence[str], *, reason: str, actor: str, now: datetime) -> None:
    """Keep settlements from being claimed until they are released. Their clearance is dropped.

    Raises:
        NotFound, IllegalMove: one is unknown or claimed already; nothing is held.
    """
    _checked(session, ids, "hold")
    ledger.void(session, ids, now)
    rows = [{"id": key, "reason": reason} for key in ids]
    changes = ", clearance_id = NULL, reason = :reason"
    move_each(session, "hold", rows, actor=actor, now=now, changes=changes)


def release(session: Session, ids: Sequence[str], *, actor: str, now: datetime) -> None:
    """Let held settlements be cleared anew.

    Raises:
        NotFound, IllegalMove: one is unknown or not held; nothing is released.
    """
    _checked(session, ids, "release")
    rows = [{"id": key} for key in ids]
    move_each(session, "release", rows, actor=actor, now=now, changes=", reason = NULL")


def cancel(session: Session, ids: Sequence[str], *, reason: str, actor: str, now: datetime) -> None:
    """End settlements that were not claimed; their part of the invoice is free again.

    Raises:
        NotFound, IllegalMove: one is unknown or claimed already; nothing is cancelled.
    """
    claims = _checked(session, ids, "cancel")
    ledger.void(session, ids, now)
    rows = [{"id": key, "reason": reason} for key in ids]
    move_each(session, "cancel", rows, actor=actor, now=now, changes=", reason = :reason")
    amounts.release(session, claims)


def retry(session: Session, ids: Sequence[str], *, actor: str, now: datetime) -> None:
    """Pay rejected settlements after all, each with the sequence it has: never a second time.

    Raises:
        NotFound, IllegalMove: one is unknown or not rejected.
        InvoiceOverpaid: its invoice has been paid otherwise since; nothing is retried.
    """
    claims = _checked(session, ids, "retry")
    amounts.take(session, claims)
    rows = [{"id": key} for key in ids]
    changes = (
        ", reason = NULL, outcome = NULL, outcome_code = NULL, chain_tx_id = NULL,"
        " clearance_id = NULL, block_number = NULL, block_hash = NULL, tx_hash = NULL,"
        " log_index = NULL"
    )
    move_each(session, "retry", rows, actor=actor, now=now, changes=changes)


def _checked(session: Session, ids: Sequence[str], move: str) -> list[tuple[str, int]]:
    """Lock the settlements, check that each may make the move, and return their claims."""
    rows = text(_ROWS + row_lock(session, "settlement")).bindparams(
        bindparam("ids", expanding=True)
    )
    found = session.connection().execute(rows, {"ids": list(ids)}).all()
    states = {row.id: row.state for row in found}
    for key in ids:
        if key not in states:
            raise NotFound("settlement", key)
        state = SettlementState(states[key])
        advance(SETTLEMENT_MOVES, state, move, noun="settlement", key=key)
    return [(row.invoice_id, row.claim_minor) for row in found]
