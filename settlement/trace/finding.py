"""From a key to the settlements and invoices that it leads to: one query per kind of key.

Reads no more than ids.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text
from sqlmodel import Session

from settlement.trace.keys import Key, KeyKind

SETTLEMENTS_MAX = 500
"""More than a batch holds, and more settlements than one invoice has."""

_OF_INVOICE = "FROM invoice i LEFT JOIN settlement s ON s.invoice_id = i.id"
_IDS = "SELECT s.id AS settlement_id, s.invoice_id AS invoice_id"
_IDS_OF_INVOICE = f"SELECT s.id AS settlement_id, i.id AS invoice_id {_OF_INVOICE}"
_MEMBERS_OF_ATTEMPT = (
    " FROM attempt a JOIN batch_member m ON m.chain_tx_id = a.chain_tx_id"
    " JOIN settlement s ON s.id = m.settlement_id"
)

_FOUND_BY = {
    KeyKind.INVOICE: f"{_IDS_OF_INVOICE} WHERE i.id = :key",
    KeyKind.DOCUMENT: f"{_IDS_OF_INVOICE} WHERE i.document_sha256 = :key",
    KeyKind.SETTLEMENT: f"{_IDS} FROM settlement s WHERE s.id = :key",
    KeyKind.CLEARANCE: (
        f"{_IDS} FROM clearance c JOIN settlement s ON s.id = c.settlement_id WHERE c.id = :key"
    ),
    KeyKind.CHAIN_TX: (
        f"{_IDS} FROM batch_member m JOIN settlement s ON s.id = m.settlement_id"
        " WHERE m.chain_tx_id = :key"
    ),
    KeyKind.MATCH: (
        f"{_IDS} FROM settlement_match m JOIN settlement s ON s.id = m.settlement_id"
        " WHERE m.id = :number"
    ),
    KeyKind.BREAK: (
        f"{_IDS} FROM settlement_break b JOIN settlement s ON s.id = b.subject WHERE b.id = :key"
    ),
    # A Transfer has no reference of its own: its Settled has.
    KeyKind.LOG: (
        f"{_IDS} FROM chain_log l"
        " LEFT JOIN chain_log p ON p.block_hash = l.block_hash AND p.log_index = l.pair_index"
        " JOIN settlement s ON s.reference = COALESCE(l.reference, p.reference)"
        " WHERE l.block_hash = :key AND l.log_index = :number"
    ),
    KeyKind.ENTRY: (
        f"{_IDS} FROM journal_entry e JOIN settlement s ON s.id = e.settlement_id"
        " WHERE e.seq = :number"
        " UNION SELECT s.id, e.invoice_id FROM journal_entry e"
        " LEFT JOIN settlement s ON s.invoice_id = e.invoice_id"
        " WHERE e.seq = :number AND e.settlement_id IS NULL AND e.invoice_id IS NOT NULL"
        f" UNION {_IDS} FROM journal_entry e JOIN attempt a ON a.hash = e.tx_hash"
        " JOIN batch_member m ON m.chain_tx_id = a.chain_tx_id"
        " JOIN settlement s ON s.id = m.settlement_id WHERE e.seq = :number AND e.kind = 'gas'"
    ),
    KeyKind.HASH: (
        f"{_IDS} FROM settlement s WHERE s.reference = :key"
        f" UNION {_IDS}{_MEMBERS_OF_ATTEMPT} WHERE a.hash = :key"
        f" UNION {_IDS} FROM chain_log l JOIN settlement s ON s.reference = l.reference"
        " JOIN receipt r ON r.block_hash = l.block_hash AND r.tx_index = l.tx_index"
        " WHERE r.tx_hash = :key"
        f" UNION {_IDS} FROM chain_log l JOIN settlement s ON s.reference = l.reference"
        " WHERE l.block_hash = :key"
    ),
    KeyKind.WORDS: (
        f"{_IDS} FROM settlement s WHERE s.end_to_end_id = :key"
        f" UNION {_IDS_OF_INVOICE} WHERE i.number = :key"
    ),
}

_VISIBLE = (
    "SELECT f.settlement_id, f.invoice_id FROM ({found}) f JOIN invoice v ON v.id = f.invoice_id"
    " WHERE CAST(:party AS TEXT) IS NULL OR v.seller_id = :party OR v.buyer_id = :party"
    " ORDER BY f.invoice_id, f.settlement_id LIMIT :limit"
)


@dataclass(frozen=True, slots=True)
class Focus:
    """What a key leads to, in order of time."""

    invoice_ids: tuple[str, ...]
    settlement_ids: tuple[str, ...]


def focus(session: Session, key: Key, *, participant_id: str | None) -> Focus:
    """Return what `key` leads to, as far as the participant is a party to it (None: all)."""
    rows = session.connection().execute(
        text(_VISIBLE.format(found=_FOUND_BY[key.kind])),
        {
            "key": key.text,
            "number": key.number,
            "party": participant_id,
            "limit": SETTLEMENTS_MAX,
        },
    )
    invoices: dict[str, None] = {}
    settlements: dict[str, None] = {}
    for settlement_id, invoice_id in rows:
        invoices[invoice_id] = None
        if settlement_id is not None:
            settlements[settlement_id] = None
    return Focus(tuple(invoices), tuple(settlements))
