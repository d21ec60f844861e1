"""Reservations: pending lines that set funds aside at clearance, released by payment or voided.

A reservation is ours alone: on the chain the debtor can still move the tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlmodel import Session

from settlement.ledger.entries import PENDING, Entry, Line
from settlement.ledger.journal import post
from settlement.store.bulk import rows_by_key


class Reservation(NamedTuple):
    """Funds that a clearance sets aside for one settlement: minor units of the token `symbol`."""

    clearance_id: str
    settlement_id: str
    debtor_wallet: str
    creditor_wallet: str
    symbol: str
    amount_minor: int
    invoice_id: str | None = None


def reserve(session: Session, rows: Sequence[Reservation], now: datetime) -> int:
    """Set funds aside, once per settlement: one that still holds a reservation gets no second."""
    held = releases(session, [row.settlement_id for row in rows])
    entries = [_reserve_entry(row) for row in rows if row.settlement_id not in held]
    return post(session, entries, now)


def void(session: Session, settlement_ids: Sequence[str], now: datetime) -> int:
    """Give back what these settlements still have set aside; those without are left alone."""
    lines_of = releases(session, settlement_ids)
    if not lines_of:
        return 0
    rows = rows_by_key(
        session,
        "SELECT settlement_id, MAX(seq), MAX(invoice_id) FROM journal_entry"
        # A reversed payment sets aside once more what it had released.
        " WHERE settlement_id {keys} AND kind IN ('reserve', 'reversal') GROUP BY settlement_id"
        " ORDER BY MAX(seq)",
        lines_of,
    )
    entries = [
        Entry("void", f"void:{seq}", lines_of[settlement_id], invoice_id, settlement_id)
        for settlement_id, seq, invoice_id in rows
    ]
    return post(session, entries, now)


def releases(session: Session, settlement_ids: Sequence[str]) -> dict[str, tuple[Line, ...]]:
    """Return per settlement the lines that end its reservation; only those that still hold one."""
    rows = rows_by_key(
        session,
        "SELECT e.settlement_id, a.code, p.amount_minor FROM journal_entry e"
        " JOIN posting p ON p.entry_seq = e.seq JOIN account a ON a.id = p.account_id"
        " WHERE e.settlement_id {keys} AND p.phase = 'pending'",
        settlement_ids,
    )
    sums: dict[str, dict[str, int]] = {}
    for settlement_id, code, minor in rows:
        of_settlement = sums.setdefault(settlement_id, {})
        of_settlement[code] = of_settlement.get(code, 0) + minor
    return {
        settlement_id: lines
        for settlement_id, by_code in sums.items()
        if (lines := tuple(Line(code, -minor, PENDING) for code, minor in by_code.items() if minor))
    }


def _reserve_entry(row: Reservation) -> Entry:
    lines = (
        Line(f"wallet:{row.debtor_wallet}:{row.symbol}", -row.amount_minor, PENDING),
        Line(f"wallet:{row.creditor_wallet}:{row.symbol}", row.amount_minor, PENDING),
    )
    return Entry("reserve", f"reserve:{row.clearance_id}", lines, row.invoice_id, row.settlement_id)
