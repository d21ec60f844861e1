"""One key in, the whole journey out: what the key leads to, with every step of it.

The number of queries is fixed, whatever the key and however many settlements a batch holds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlmodel import Session

from settlement.clock import from_micros
from settlement.errors import NotFound
from settlement.money import Money, Unit
from settlement.states import SettlementState, iso_20022_status
from settlement.trace import reading, sending
from settlement.trace.finding import Focus, focus
from settlement.trace.journey import EntryStep, InvoiceStep, Journey, Party, SettlementStep, Trace
from settlement.trace.keys import Key, KeyKind, parse_key

_INVOICES = (
    "SELECT i.*, d.received_at, s.name AS seller_name, s.country AS seller_country,"
    " s.lei AS seller_lei, b.name AS buyer_name, b.country AS buyer_country, b.lei AS buyer_lei"
    " FROM invoice i JOIN document d ON d.sha256 = i.document_sha256"
    " JOIN participant s ON s.id = i.seller_id JOIN participant b ON b.id = i.buyer_id"
    " WHERE i.id IN :keys ORDER BY i.id"
)
_SETTLEMENTS = (
    "SELECT s.*, i.currency, t.symbol, t.decimals FROM settlement s"
    " JOIN invoice i ON i.id = s.invoice_id JOIN token t ON t.address = s.token"
    " WHERE s.id IN :keys ORDER BY s.id"
)


def trace(session: Session, key: str, *, participant_id: str | None = None) -> Trace:
    """Return the journey that any of its ids or hashes leads to.

    `participant_id` restricts it to what that participant is a party to; None sees all.

    Raises:
        NotFound: nothing has this key, or the participant is no party to it.
    """
    parsed = parse_key(key)
    found = focus(session, parsed, participant_id=participant_id)
    if not found.invoice_ids:
        if participant_id is not None:
            raise NotFound("journey", key)
        return _alone(session, key, parsed)
    sees_all = participant_id is None
    batches = sending.batches(session, found.settlement_ids)
    chain_tx_ids = list(dict.fromkeys(each for ids in batches.values() for each in ids))
    return Trace(
        key=key,
        kind=parsed.kind.value,
        journeys=_journeys(session, found, batches, sees_all),
        chain_txs=sending.chain_txs(session, chain_tx_ids, with_totals=sees_all),
    )


def _journeys(
    session: Session, found: Focus, batches: dict[str, tuple[str, ...]], sees_all: bool
) -> tuple[Journey, ...]:
    keys = found.settlement_ids
    entries: dict[str, list[EntryStep]] = defaultdict(list)
    for row, entry in reading.entries(session, "e.settlement_id IN :keys", keys):
        entries[row.settlement_id].append(entry)
    rows = reading.rows_of(session, _SETTLEMENTS, keys)
    moves = reading.moves(session, "settlement", keys)
    clearances = reading.clearances(session, keys, with_verdicts=sees_all)
    logs = reading.logs(session, [row.reference for row in rows])
    matches = reading.matches(session, keys)
    log_keys = [log.key for some in logs.values() for log in some]
    breaks = reading.breaks(session, [*keys, *log_keys])
    of_invoice: dict[str, list[SettlementStep]] = defaultdict(list)
    for row in rows:
        subjects = [row.id, *(log.key for log in logs.get(row.reference, ()))]
        of_invoice[row.invoice_id].append(
            SettlementStep(
                **_terms(row),
                moves=moves.get(row.id, ()),
                clearances=clearances.get(row.id, ()),
                chain_tx_ids=batches.get(row.id, ()),
                logs=logs.get(row.reference, ()),
                entries=tuple(entries[row.id]),
                matches=matches.get(row.id, ()),
                breaks=tuple(each for key in subjects for each in breaks.get(key, ())),
            )
        )
    invoices = _invoices(session, found.invoice_ids)
    return tuple(Journey(invoice, tuple(of_invoice[invoice.id])) for invoice in invoices)


def _terms(row: Any) -> dict[str, Any]:
    currency = Unit(row.currency, reading.unit_decimals(row.currency, None))
    return {
        "id": row.id,
        "end_to_end_id": row.end_to_end_id,
        "reference": row.reference,
        "state": row.state,
        "iso_status": iso_20022_status(
            SettlementState(row.state), is_approved=row.approved_by is not None
        ),
        "reason": row.reason,
        "outcome": row.outcome,
        "sequence": row.sequence,
        "amount": Money(row.amount_minor, Unit(row.symbol, row.decimals)),
        "claim": Money(row.claim_minor, currency),
        "debtor_wallet": row.debtor_wallet,
        "creditor_wallet": row.creditor_wallet,
        "execution_date": row.execution_date,
        "block_number": row.block_number,
        "tx_hash": row.tx_hash,
    }


def _invoices(session: Session, keys: Sequence[str]) -> list[InvoiceStep]:
    moves = reading.moves(session, "invoice", keys)
    entries: dict[str, list[EntryStep]] = defaultdict(list)
    where = "e.settlement_id IS NULL AND e.invoice_id IN :keys"
    for row, entry in reading.entries(session, where, keys):
        entries[row.invoice_id].append(entry)
    invoices = []
    for row in reading.rows_of(session, _INVOICES, keys):
        unit = Unit(row.currency, reading.unit_decimals(row.currency, None))
        invoices.append(
            InvoiceStep(
                id=row.id,
                number=row.number,
                type_code=row.type_code,
                issue_date=row.issue_date,
                due_date=row.due_date,
                state=row.state,
                seller=Party(row.seller_id, row.seller_name, row.seller_country, row.seller_lei),
                buyer=Party(row.buyer_id, row.buyer_name, row.buyer_country, row.buyer_lei),
                payable=Money(row.payable_minor, unit),
                in_flight=Money(row.in_flight_minor, unit),
                settled=Money(row.settled_minor, unit),
                credited=Money(row.credited_minor, unit),
                document_sha256=row.document_sha256,
                received_at=from_micros(row.received_at),
                preceding_id=row.preceding_id,
                moves=moves.get(row.id, ()),
                entries=tuple(entries[row.id]),
            )
        )
    return invoices


def _alone(session: Session, key: str, parsed: Key) -> Trace:
    """Return what has this key and belongs to no invoice: a deposit, a mint, gas, a cancel.

    Raises:
        NotFound: nothing has it.
    """
    break_id = parsed.text if parsed.kind is KeyKind.BREAK else ""
    subjects = reading.breaks(session, [], break_id) if break_id else {}
    for subject in subjects:
        parsed = parse_key(subject)
    logs, where, keys = _places(session, parsed)
    entries = [entry for _, entry in reading.entries(session, where, keys)]
    chain_tx_ids = [parsed.text] if parsed.kind is KeyKind.CHAIN_TX else []
    if parsed.kind is KeyKind.HASH:
        chain_tx_ids += sending.chain_tx_of_attempt(session, parsed.text)
    chain_txs = sending.chain_txs(session, chain_tx_ids, with_totals=True)
    named = [log.key for log in logs] + [entry.source_key for entry in entries]
    breaks = reading.breaks(session, named, break_id)
    if not (logs or entries or chain_txs or breaks):
        raise NotFound("journey", key)
    return Trace(
        key=key,
        kind=parsed.kind.value,
        journeys=(),
        chain_txs=chain_txs,
        logs=logs,
        entries=tuple(entries),
        breaks=tuple(each for some in breaks.values() for each in some),
    )


def _places(session: Session, parsed: Key) -> tuple[tuple[Any, ...], str, list[Any]]:
    """Return the logs that a lone key names, and where their entries are."""
    if parsed.kind is KeyKind.ENTRY:
        rows = reading.entries(session, "e.seq IN :keys", [parsed.number])
        made_from = [parse_key(entry.source_key) for _, entry in rows]
        logs = tuple(
            log
            for source in made_from
            if source.kind is KeyKind.LOG
            for log in reading.logs_at(session, [source.text], source.number)
        )
        return logs, "e.seq IN :keys", [parsed.number]
    if parsed.kind is KeyKind.LOG:
        logs = reading.logs_at(session, [parsed.text], parsed.number)
        return logs, "e.source_key IN :keys", [log.key for log in logs]
    if parsed.kind is KeyKind.HASH:
        logs = reading.logs_at(session, [parsed.text])
        return logs, "e.tx_hash IN :keys", [parsed.text]
    return (), "e.seq IN :keys", []
