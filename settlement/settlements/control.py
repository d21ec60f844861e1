"""What people may do to a settlement: hold, release, cancel before the claim; retry a rejection.

Decides nothing about money: the invoice's reserved part and the ledger's reservation follow.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlmodel import Session

from settlement import approvals, ledger
from settlement.errors import NotFound
from settlement.settlements import reserving
from settlement.settlements.moves import move_each
from settlement.states import SETTLEMENT_MOVES, SettlementState, advance
from settlement.store import row_lock
from settlement.store.bulk import rows_by_key

_ROWS = "SELECT id, state, invoice_id, claim_minor FROM settlement WHERE id {keys} ORDER BY id"

AS_NEW = (
    ", reason = NULL, outcome = NULL, outcome_code = NULL, chain_tx_id = NULL,"
    " clearance_id = NULL, block_number = NULL, block_hash = NULL, tx_hash = NULL,"
    " log_index = NULL, reverted_count = 0"
)
"""What a settlement forgets when it starts once more. Never its sequence or reference."""


class _Row(NamedTuple):
    id: str
    state: str
    invoice_id: str
    claim_minor: int


def hold(session: Session, ids: Sequence[str], *, reason: str, actor: str, now: datetime) -> None:
    """Keep settlements from being claimed until they are released. Their clearance is dropped.

    Raises:
        NotFound, IllegalMove: one is unknown or claimed already; nothing is held.
    """
    found = locked(session, ids, "hold")
    rows = [{"id": row.id, "reason": reason} for row in found]
    changes = ", clearance_id = NULL, reason = :reason"
    move_each(session, "hold", rows, actor=actor, now=now, changes=changes)
    ledger.void(session, [row.id for row in found], now)


def release(session: Session, ids: Sequence[str], *, actor: str, now: datetime) -> None:
    """Let held settlements be cleared anew.

    Raises:
        NotFound, IllegalMove: one is unknown or not held; nothing is released.
    """
    rows = [{"id": row.id} for row in locked(session, ids, "release")]
    # A person has looked: the batches that reverted before count no more.
    changes = ", reason = NULL, clearance_id = NULL, reverted_count = 0"
    move_each(session, "release", rows, actor=actor, now=now, changes=changes)


def cancel(session: Session, ids: Sequence[str], *, reason: str, actor: str, now: datetime) -> None:
    """End settlements that were not claimed; their part of the invoice is free again.

    Raises:
        NotFound, IllegalMove: one is unknown or claimed already; nothing is cancelled.
    """
    found = locked(session, ids, "cancel")
    rows = [{"id": row.id, "reason": reason} for row in found]
    move_each(session, "cancel", rows, actor=actor, now=now, changes=", reason = :reason")
    approvals.make_void(
        session, [row.id for row in found], kind="settlement", reason="cancelled", now=now
    )
    reserving.give_back(session, found, now)
    ledger.void(session, [row.id for row in found], now)


def retry(session: Session, ids: Sequence[str], *, actor: str, now: datetime) -> None:
    """Pay rejected settlements after all, each with the sequence it has: never a second time.

    Raises:
        NotFound, IllegalMove: one is unknown or not rejected.
        InvoiceOverpaid: its invoice has been paid otherwise since; nothing is retried.
        LimitExceeded: today's limits have no room for it; nothing is retried.
    """
    found = locked(session, ids, "retry")
    reserving.take_again(session, found, now)
    rows = [{"id": row.id} for row in found]
    move_each(session, "retry", rows, actor=actor, now=now, changes=AS_NEW)


def locked(session: Session, ids: Sequence[str], move: str) -> list[_Row]:
    """Lock settlements, each once, check that each may make the move, and return them.

    Raises:
        NotFound, IllegalMove: one is unknown, or not where the move begins.
    """
    wanted = list(dict.fromkeys(ids))
    rows = rows_by_key(session, _ROWS + row_lock(session, "settlement"), wanted)
    found = {row[0]: _Row(*row) for row in rows}
    for key in wanted:
        if key not in found:
            raise NotFound("settlement", key)
        state = SettlementState(found[key].state)
        advance(SETTLEMENT_MOVES, state, move, noun="settlement", key=key)
    return [found[key] for key in wanted]
