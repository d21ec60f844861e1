"""Who takes part, and what each wallet holds at a final block."""

from __future__ import annotations

from typing import Any

from sqlmodel import Session

from settlement.clock import iso
from settlement.ledger.accounts import wallet
from settlement.ledger.balances import balances_at
from settlement.money import format_minor
from settlement.store.bulk import rows, rows_by_key
from settlement.supervision.periods import Span
from settlement.supervision.views.reading import Row, View, bounds

_REGISTER = (
    "id", "legal_form", "name", "country", "town", "street", "building_number", "post_code", "lei",
    "vat_id", "tax_id", "state", "known_by", "review_on",
)  # fmt: skip
_PARTICIPANTS = (
    f"SELECT {', '.join(_REGISTER)}, kyb_valid_until, created_at FROM participant"
    " WHERE created_at < ? AND id > ? ORDER BY id LIMIT ?"
)
_WALLETS = "SELECT participant_id, address FROM wallet WHERE participant_id {keys} ORDER BY address"
_BLOCK = (
    "SELECT b.number, b.hash, b.timestamp FROM block b JOIN cursor f ON f.name = 'final'"
    " WHERE b.canonical AND b.number <= f.number AND b.timestamp < ?"
    # What is not booked yet is not in the books of that block.
    " AND NOT EXISTS (SELECT 1 FROM receipt r WHERE r.block_hash = b.hash AND r.books <> 'posted')"
    " ORDER BY b.number DESC LIMIT 1"
)
_HELD = (
    "SELECT w.address, w.participant_id, p.name, t.symbol, t.decimals FROM wallet w"
    " JOIN participant p ON p.id = w.participant_id CROSS JOIN token t"
    " ORDER BY w.address, t.symbol"
)


def _participants(session: Session, span: Span, after: str, most: int) -> list[Row]:
    found = rows(session, _PARTICIPANTS, (bounds(span)[1], after, most))
    wallets: dict[str, list[str]] = {}
    for key, address in rows_by_key(session, _WALLETS, [row[0] for row in found]):
        wallets.setdefault(key, []).append(address)
    return [
        (*plain, None if valid is None else iso(valid), " ".join(wallets.get(key, ())), iso(at))
        for key, plain, valid, at in ((row[0], row[:-2], *row[-2:]) for row in found)
    ]


def _holdings(session: Session, span: Span, after: str, most: int) -> list[Row]:
    """Balances at the newest final block of the time, from the books that are tied to the chain."""
    block = _final_block(session, span)
    if block is None:
        return []
    number, block_hash, timestamp = block
    held = balances_at(session, ["wallet"], number)
    at = iso(timestamp * 1_000_000)
    made = []
    for address, participant, name, symbol, decimals in rows(session, _HELD):
        code = wallet(address, symbol)
        if code in held and code > after:
            balance = format_minor(held[code], decimals)
            made.append((code, participant, name, address, symbol, balance, number, block_hash, at))
    return sorted(made)[:most]


def _final_block(session: Session, span: Span) -> Any:
    behind = bounds(span)[1] // 1_000_000
    found = rows(session, _BLOCK, (behind,))
    return found[0] if found else None


PARTICIPANTS = View(
    "participants",
    "The register of participants",
    (*_REGISTER, "kyb_valid_until_at", "wallets", "created_at"),
    _participants,
)
HOLDINGS = View(
    "holdings",
    "What each participant's wallet holds",
    (
        "account", "participant_id", "participant_name", "wallet", "asset", "balance",
        "block_number", "block_hash", "block_at",
    ),
    _holdings,
)  # fmt: skip
