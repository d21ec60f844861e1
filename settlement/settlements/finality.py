"""What becomes true for good when a block is final: paid, rejected, or to be tried again.

Only from here on is anything called paid to the outside (I10).
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlmodel import Session

from settlement import ledger
from settlement.chain.rail_abi import Rejection
from settlement.config import Settings
from settlement.invoices import amounts
from settlement.settlements import reserving
from settlement.settlements.moves import move_each, move_where
from settlement.settlements.tracking import record_chain_tx
from settlement.store.bulk import rows, run_many

_FINAL_TXS = {
    "finalize": ("FINAL", "done"),
    "revert": ("REVERTED", "reverted"),
    "replace": ("REPLACED", "replaced"),
}
_FINAL_BLOCK = "b.hash = settlement.block_hash AND b.canonical AND b.number <= :final"
_ENDED_UNPAID = (
    "SELECT s.id, s.invoice_id, s.claim_minor, s.outcome, s.outcome_code, s.reverted_count"
    " FROM settlement s JOIN block b ON b.hash = s.block_hash AND b.canonical"
    " WHERE s.state = 'CONFIRMING' AND s.outcome <> 'paid' AND b.number <= :final ORDER BY s.id"
)
_LEAVE_BATCH = "UPDATE batch_member SET live = false WHERE settlement_id = :id AND live"
_CLEARED_ANEW = (
    ", reason = :reason, reverted_count = reverted_count + 1, clearance_id = NULL,"
    " chain_tx_id = NULL, outcome = NULL, outcome_code = NULL, block_number = NULL,"
    " block_hash = NULL, tx_hash = NULL, log_index = NULL"
)

REJECTION_WORDS = {
    Rejection.ALREADY_SETTLED: "the rail says that this sequence was paid before",
    Rejection.MANDATE_MISSING: "the debtor has granted no mandate for this token",
    Rejection.MANDATE_EXPIRED: "the debtor's mandate has expired",
    Rejection.OVER_PAYMENT_CAP: "the amount is over the mandate's cap per payment",
    Rejection.OVER_DAY_CAP: "the mandate's cap of the day is used up",
    Rejection.DEBTOR_NOT_LISTED: "the debtor's wallet is not listed on the rail",
    Rejection.CREDITOR_NOT_LISTED: "the creditor's wallet is not listed on the rail",
    Rejection.TOKEN_REFUSED: "the token refused the transfer (blocked, paused, no allowance or"
    " too little money)",
    Rejection.AMOUNT_INVALID: "the rail does not accept the amount or the payee",
}

_UNDONE = {
    "reverted": "its batch was reverted: the rail takes none while it is paused, or while it does"
    " not know operator or token (`settle doctor` asks it)",
    "replaced": "its batch was replaced",
}


class _Unpaid(NamedTuple):
    """A settlement that a final block ended without payment."""

    id: str
    invoice_id: str
    claim_minor: int
    outcome: str
    outcome_code: int | None
    reverted_count: int


def finalize(session: Session, settings: Settings, *, head: int, now: datetime) -> int:
    """End what stands in final blocks; return how many settlements became SETTLED."""
    final = head + 1 - settings.finality_confirmations
    for move, (state, outcome) in _FINAL_TXS.items():
        ended = rows(
            session,
            f"UPDATE chain_tx SET state = '{state}' FROM block b"
            " WHERE b.hash = chain_tx.block_hash AND b.canonical AND b.number <= :final"
            f" AND chain_tx.state = 'SEEN' AND chain_tx.outcome = '{outcome}'"
            " RETURNING chain_tx.id",
            {"final": final},
        )
        record_chain_tx(session, [key for (key,) in ended], move, now=now)
    amounts.settle(session, final=final, now=now)
    settled = move_where(
        session,
        "finalized",
        _FINAL_BLOCK,
        {"final": final},
        source="FROM block b",
        actor="chain",
        now=now,
    )
    _end_unpaid(session, settings, final=final, now=now)
    return len(settled)


def _end_unpaid(session: Session, settings: Settings, *, final: int, now: datetime) -> None:
    """Sort final outcomes without payment: rejected, to be cleared anew, held, or for a person."""
    ended = [_Unpaid._make(row) for row in rows(session, _ENDED_UNPAID, {"final": final})]
    if not ended:
        return
    rejected = [row for row in ended if row.outcome == "rejected" and row.outcome_code != 1]
    undone = [row for row in ended if row.outcome in ("reverted", "replaced")]
    again = [row for row in undone if row.reverted_count + 1 < settings.reverts_max]
    often = [row for row in undone if row.reverted_count + 1 >= settings.reverts_max]
    unclear = [row for row in ended if row not in rejected and row not in undone]

    run_many(session, _LEAVE_BATCH, [{"id": row.id} for row in rejected + undone])
    reserving.give_back(session, rejected, now)
    move_each(
        session,
        "rejected",
        [{"id": r.id, "reason": REJECTION_WORDS[Rejection(r.outcome_code or 0)]} for r in rejected],
        actor="chain",
        now=now,
        changes=", reason = :reason, clearance_id = NULL",
    )
    for move, group in (("unclaim", again), ("suspend", often)):
        move_each(
            session,
            move,
            [{"id": r.id, "reason": _UNDONE[r.outcome]} for r in group],
            actor="chain",
            now=now,
            changes=_CLEARED_ANEW,
        )
    ledger.void(session, [row.id for row in rejected + undone], now)
    move_each(
        session,
        "review",
        [{"id": r.id, "reason": _unclear(r.outcome)} for r in unclear],
        actor="chain",
        now=now,
        changes=", reason = :reason",
    )


def _unclear(outcome: str) -> str:
    return {
        "unpaired": "the rail reported a payment without its exact transfer: the token may lie",
        "missing": "its chain transaction succeeded without a word about this payment",
    }.get(outcome, "the rail says that it was paid before, but no such payment is to be found")
