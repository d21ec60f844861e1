"""The ways out of a review: what a person decides about a settlement that nobody else can judge.

Believes the chain, not the person: what is paid there cannot be closed, what is not cannot be
found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from settlement import ledger
from settlement.errors import Conflict, Invalid
from settlement.settlements import reserving
from settlement.settlements.control import AS_NEW, locked
from settlement.settlements.moves import move_each
from settlement.store.bulk import rows_by_key

_WAITING = text(
    "SELECT s.id, s.invoice_id, s.claim_minor, i.currency, s.reason, s.tx_hash, s.outcome,"
    " (SELECT MAX(e.at) FROM settlement_event e WHERE e.settlement_id = s.id"
    "   AND e.move = 'review') AS since"
    " FROM settlement s JOIN invoice i ON i.id = s.invoice_id"
    " WHERE s.state = 'NEEDS_REVIEW' ORDER BY s.id LIMIT :limit"
)
_PAYMENTS = (
    "SELECT s.id, l.block_number, l.block_hash, l.tx_hash, l.log_index FROM settlement s"
    " JOIN chain_log l ON l.reference = s.reference AND l.address = s.rail"
    " AND l.name = 'Settled' AND l.pair_index IS NOT NULL"
    " JOIN block b ON b.hash = l.block_hash AND b.canonical WHERE s.id {keys}"
)
_UNENDED = (
    "SELECT s.id FROM settlement s JOIN chain_tx c ON c.id = s.chain_tx_id"
    " WHERE s.id {keys} AND c.state NOT IN ('FINAL', 'REVERTED', 'REPLACED')"
)
_LEAVE_BATCH = text("UPDATE batch_member SET live = false WHERE settlement_id = :id AND live")
_FOUND = (
    ", reason = NULL, outcome = 'paid', outcome_code = NULL, block_number = :block_number,"
    " block_hash = :block_hash, tx_hash = :tx_hash, log_index = :log_index"
)


class Decision(StrEnum):
    """What a person found."""

    PAID = "paid"
    """The payment stands on the chain: it is followed to its end from there."""
    RETRY = "retry"
    """It was not paid: tried again, with the sequence that it has."""
    CLOSE = "close"
    """It was not paid and is not to be: its part of the invoice is free again."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A settlement that awaits a person; `claim_minor` of `currency`, `since` in microseconds."""

    id: str
    invoice_id: str
    claim_minor: int
    currency: str
    reason: str | None
    tx_hash: str | None
    outcome: str | None
    since: int | None


def waiting(session: Session, *, limit: int = 1000) -> list[Waiting]:
    """Return what waits for a person, oldest first."""
    return [Waiting(*row) for row in session.execute(_WAITING, {"limit": limit})]


def resolve(
    session: Session,
    ids: Sequence[str],
    decision: Decision,
    *,
    reason: str,
    actor: str,
    now: datetime,
) -> None:
    """Let settlements out of their review, all or none.

    Raises:
        NotFound, IllegalMove: one is unknown or not under review.
        Invalid: no reason is given.
        Conflict: the chain shows otherwise, or may still change its mind.
    """
    words = reason.strip()[:500]
    if not words:
        raise Invalid("a review ends with a reason", field="reason", repair="say what was found")
    move = {Decision.PAID: "found", Decision.RETRY: "resume", Decision.CLOSE: "close"}[decision]
    found = locked(session, ids, move)
    keys = [row.id for row in found]
    payments = {row[0]: row[1:] for row in rows_by_key(session, _PAYMENTS, keys)}
    if decision is Decision.PAID:
        _follow_payments(session, keys, payments, words, actor=actor, now=now)
        return
    _require_unpaid(session, keys, payments)
    session.connection().execute(_LEAVE_BATCH, [{"id": key} for key in keys])
    changes = AS_NEW
    if decision is Decision.CLOSE:
        changes = ", reason = :reason, clearance_id = NULL"
    rows = [{"id": key, "reason": words} for key in keys]
    move_each(session, move, rows, actor=actor, now=now, changes=changes)
    if decision is Decision.CLOSE:
        reserving.give_back(session, found, now)
    ledger.void(session, keys, now)


def _follow_payments(
    session: Session,
    keys: Sequence[str],
    payments: dict[str, tuple[Any, ...]],
    reason: str,
    *,
    actor: str,
    now: datetime,
) -> None:
    rows = []
    for key in keys:
        if key not in payments:
            raise Conflict(
                f"no block holds a payment of settlement {key} with its transfer",
                field="decision",
                repair="look for it with `settle trace`, then retry or close",
            )
        number, block_hash, tx_hash, log_index = payments[key]
        rows.append(
            {
                "id": key,
                "reason": reason,
                "block_number": number,
                "block_hash": block_hash,
                "tx_hash": tx_hash,
                "log_index": log_index,
            }
        )
    move_each(session, "found", rows, actor=actor, now=now, changes=_FOUND)


def _require_unpaid(
    session: Session, keys: Sequence[str], payments: dict[str, tuple[Any, ...]]
) -> None:
    for key in keys:
        if key in payments:
            raise Conflict(
                f"settlement {key} is paid, in chain transaction {payments[key][2]}",
                field="decision",
                repair="resolve it as paid",
            )
    unended = rows_by_key(session, _UNENDED, keys)
    if unended:
        raise Conflict(
            f"the chain transaction of settlement {unended[0][0]} has not ended",
            field="decision",
            repair="wait until it is final, or cancel it",
        )
