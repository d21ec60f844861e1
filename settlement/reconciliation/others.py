"""The breaks beside matching: settlements that nobody knows, rejections, what a reorg took.

Each function opens what it finds and closes what has healed, and returns both counts.
"""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from settlement.reconciliation import breaks
from settlement.reconciliation.breaks import BreakKind, Finding
from settlement.store.bulk import rows, rows_by_key

_LIVE_REVERSALS = "NOT EXISTS (SELECT 1 FROM journal_entry r WHERE r.reverses_seq = {}.seq)"
_UNKNOWN = (
    "SELECT l.block_hash, l.log_index, l.tx_hash, l.reference, l.debtor, l.creditor,"
    " l.amount_minor, l.token"
    # In this order: the new logs are few, the receipts all there are; and nearly every log has its
    # settlement, so that is asked first: the rest is looked up for those that have none.
    " FROM chain_log l CROSS JOIN block b CROSS JOIN receipt c"
    " WHERE l.block_number > ? AND l.name = 'Settled'"
    " AND NOT EXISTS (SELECT 1 FROM settlement s WHERE s.reference = l.reference"
    " AND s.rail = l.address)"
    " AND b.hash = l.block_hash AND b.canonical"
    " AND c.block_hash = l.block_hash AND c.tx_index = l.tx_index AND c.books = 'posted'"
)
_KNOWN_NOW = (
    "SELECT k.subject FROM settlement_break k JOIN chain_log l"
    " ON l.block_hash = substr(k.subject, 5, 66)"
    " AND k.subject = 'log:' || l.block_hash || ':' || l.log_index"
    " JOIN settlement s ON s.reference = l.reference AND s.rail = l.address"
    " WHERE k.kind = 'unknown_settlement' AND k.closed_at IS NULL"
)
_REJECTED = (
    "SELECT s.id, s.outcome_code, s.reason, s.block_number, s.tx_hash, s.log_index,"
    " s.creditor_id, s.amount_minor, t.symbol FROM settlement s JOIN token t ON t.address = s.token"
    # Not a plain comparison: the index by state would lead through all that ever were rejected.
    " WHERE s.block_number > ? AND (s.state || '') = 'REJECTED' AND s.outcome = 'rejected'"
)
_STILL_REJECTED = "SELECT id FROM settlement WHERE id {keys} AND state = 'REJECTED'"
_REORGED = (
    "SELECT e.settlement_id, MAX(e.seq), MAX(e.block_number)"
    " FROM journal_entry r CROSS JOIN journal_entry e"
    " WHERE r.block_number > ? AND r.kind = 'reversal' AND e.seq = r.reverses_seq"
    " AND e.kind = 'payment' GROUP BY e.settlement_id"
)
_NOT_BACK = (
    "SELECT s.id FROM settlement s WHERE s.id {keys}"
    " AND s.state NOT IN ('SETTLED', 'REJECTED', 'CANCELLED')"
    " AND NOT EXISTS (SELECT 1 FROM journal_entry e WHERE e.settlement_id = s.id"
    f" AND e.kind = 'payment' AND {_LIVE_REVERSALS.format('e')})"
)


def unknown_settlements(session: Session, after: int, now: datetime) -> tuple[int, int]:
    """Settled logs under references that no settlement has."""
    found = [
        Finding(
            BreakKind.UNKNOWN_SETTLEMENT,
            f"log:{block_hash}:{log_index}",
            f"the rail settled {minor} minor units under {reference}, which no settlement has:"
            " somebody else used the operator's key, or this database is an old backup",
            {"tx": tx_hash, "debtor": debtor, "creditor": creditor, "token": token},
        )
        for block_hash, log_index, tx_hash, reference, debtor, creditor, minor, token in rows(
            session, _UNKNOWN, (after,)
        )
    ]
    is_open = breaks.open_of(session, [BreakKind.UNKNOWN_SETTLEMENT])
    known_now = {subject for (subject,) in rows(session, _KNOWN_NOW)} if is_open else set()
    known = [each for each in is_open if each.subject in known_now]
    closed = breaks.close(session, known, "a settlement has its reference", now)
    closed += breaks.close_orphaned(session, is_open, now)
    return breaks.open_new(session, found, now), closed


def rejected(session: Session, after: int, now: datetime) -> tuple[int, int]:
    """Settlements that the rail refused for good behind block `after`, until they are retried."""
    found = [
        Finding(
            BreakKind.REJECTED,
            key,
            f"{reason or 'the rail refused the payment'} (code {code})",
            {"code": code, "block": number, "tx": tx_hash, "log_index": log_index},
            party=creditor,
            amount_minor=minor,
            unit=symbol,
        )
        for key, code, reason, number, tx_hash, log_index, creditor, minor, symbol in rows(
            session, _REJECTED, (after,)
        )
    ]
    is_open = breaks.open_of(session, [BreakKind.REJECTED])
    still = {
        key for (key,) in rows_by_key(session, _STILL_REJECTED, [each.subject for each in is_open])
    }
    retried = [each for each in is_open if each.subject not in still]
    closed = breaks.close(session, retried, "it is retried", now)
    return breaks.open_new(session, found, now), closed


def reorged(session: Session, after: int, now: datetime) -> tuple[int, int]:
    """Settlements whose booked payment was reversed by a reorg and that have not come back."""
    lost = {key: (seq, number) for key, seq, number in rows(session, _REORGED, (after,))}
    is_open = {each.subject for each in breaks.open_of(session, [BreakKind.REORGED])}
    gone = {key for (key,) in rows_by_key(session, _NOT_BACK, lost.keys() | is_open)}
    found = []
    for key in sorted(gone):
        seq, number = lost.get(key, (None, None))
        reason = f"its payment in block {number} was thrown out by a reorg; entry {seq} is reversed"
        found.append(Finding(BreakKind.REORGED, key, reason, {"block": number, "entry": seq}))
    return _keep_in_step(session, BreakKind.REORGED, found, "it is paid again, or has ended", now)


def _keep_in_step(
    session: Session, kind: BreakKind, found: list[Finding], healed_by: str, now: datetime
) -> tuple[int, int]:
    stands = {each.subject for each in found}
    healed = [each for each in breaks.open_of(session, [kind]) if each.subject not in stands]
    closed = breaks.close(session, healed, healed_by, now)
    return breaks.open_new(session, found, now), closed
