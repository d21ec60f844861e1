"""What the database says of one invoice and of every settlement of it, for a proof.

Reads; asks no node and judges nothing but whether there is something to prove.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import text
from sqlmodel import Session

from settlement import invoices
from settlement.clock import from_micros
from settlement.documents.identifiers import minor_units
from settlement.errors import Conflict
from settlement.invoices import InvoiceRecord
from settlement.ledger import stored
from settlement.ledger.stored import StoredEntry
from settlement.proof.blocks import Place
from settlement.store.bulk import rows_by_key

SETTLEMENTS_MAX = 500

_OUTCOMES = {"SETTLED": "paid", "REJECTED": "rejected", "CANCELLED": "unpaid"}
_SETTLEMENTS = text(
    "SELECT s.*, t.symbol, t.decimals, m.id AS match_id, m.block_hash AS match_hash,"
    " m.log_index AS match_index, m.entry_seq, m.created_at AS matched_at, l.pair_index"
    " FROM settlement s JOIN token t ON t.address = s.token"
    " LEFT JOIN settlement_match m ON m.settlement_id = s.id AND m.live"
    " LEFT JOIN chain_log l ON l.block_hash = s.block_hash AND l.log_index = s.log_index"
    " WHERE s.invoice_id = :id ORDER BY s.id LIMIT :limit"
)
_CLEARANCES = (
    "SELECT settlement_id, id, outcome, policy_version, list_versions, verdicts, inputs_hash,"
    " debtor_wallet, creditor_wallet, token, amount_minor, reference, created_at, expires_at,"
    " revoked_at FROM clearance WHERE settlement_id {keys} ORDER BY created_at, id"
)
_ENTRIES = "SELECT seq FROM journal_entry WHERE invoice_id {keys} ORDER BY seq"
_PARTIES = text("SELECT id, lei, name, country FROM participant WHERE id = :id")


class NothingPaid(Conflict):
    """A proof is made of payments that are final; the invoice has none."""

    def __init__(self, invoice: InvoiceRecord) -> None:
        super().__init__(
            f"invoice {invoice.id} is {invoice.state}: no payment of it is final yet",
            repair=f"settle trace {invoice.id} says how far it is",
        )
        self.invoice = invoice


class NotProvable(Conflict):
    """What happened to this invoice is more than a proof can show."""

    def __init__(self, invoice_id: str, why: str) -> None:
        super().__init__(f"invoice {invoice_id} cannot be proven: {why}")
        self.invoice_id, self.why = invoice_id, why


@dataclass(frozen=True, slots=True)
class Facts:
    """Members of a proof as they will stand in it, and what else it is made from."""

    rail: dict[str, Any]
    head: dict[str, Any]
    """The newest block that the rail has seen."""
    invoice: dict[str, Any]
    acceptance: dict[str, Any]
    credit_notes: list[str]
    settlements: list[dict[str, Any]]
    places: list[Place | None]
    """Where each settlement's outcome stands, None where the chain has none that is final."""
    entries: list[StoredEntry]


def read(session: Session, invoice_id: str, *, party: str | None) -> Facts:
    """Return all that is known of an invoice of which something was paid for good.

    Raises:
        NotFound: there is none, or it is not the party's.
        NothingPaid: no settlement of it is final.
        NotProvable: a part of it went back, or it has too many settlements.
    """
    invoice = invoices.find(session, invoice_id, party=party)
    if invoice.returned_minor:
        raise NotProvable(invoice_id, "a part of what was paid went back")
    found = session.execute(_SETTLEMENTS, {"id": invoice_id, "limit": SETTLEMENTS_MAX + 1}).all()
    if len(found) > SETTLEMENTS_MAX:
        raise NotProvable(invoice_id, f"it has more than {SETTLEMENTS_MAX} settlements")
    if not any(row.state == "SETTLED" for row in found):
        raise NothingPaid(invoice)
    unmatched = [row.id for row in found if row.state == "SETTLED" and row.match_id is None]
    if unmatched:
        raise NotProvable(invoice_id, f"{unmatched[0]} has no match: `settle break list` says why")
    clearances: dict[str, list[Any]] = {}
    for settlement_id, *row in rows_by_key(session, _CLEARANCES, [row.id for row in found]):
        clearances.setdefault(settlement_id, []).append(row)
    notes = session.execute(
        text("SELECT id FROM invoice WHERE preceding_id = :id AND type_code = '381' ORDER BY id"),
        {"id": invoice_id},
    )
    credit_notes = [str(key) for (key,) in notes]
    seqs = [seq for (seq,) in rows_by_key(session, _ENTRIES, [invoice_id, *credit_notes])]
    (seen,) = session.execute(text("SELECT number, hash FROM cursor WHERE name = 'head'")).all()
    return Facts(
        rail=_rail(session),
        head={"number": seen.number, "hash": seen.hash},
        invoice=_invoice(session, invoice),
        acceptance=_acceptance(session, invoice_id),
        credit_notes=credit_notes,
        settlements=[_settlement(row, clearances.get(row.id, ())) for row in found],
        places=[_place(row) for row in found],
        entries=stored.by_seq(session, seqs),
    )


def moment(micros: int) -> str:
    """Return ISO 8601 in UTC with all its digits: such texts sort by time."""
    return from_micros(micros).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _rail(session: Session) -> dict[str, Any]:
    (row,) = session.execute(
        text("SELECT chain_id, genesis_hash, rail, code_hash FROM deployment")
    ).all()
    return {
        "chain_id": row.chain_id,
        "genesis_hash": row.genesis_hash,
        "address": row.rail,
        "code_hash": row.code_hash,
    }


def _invoice(session: Session, invoice: InvoiceRecord) -> dict[str, Any]:
    (document,) = session.execute(
        text("SELECT media_type, LENGTH(content) AS length FROM document WHERE sha256 = :sha256"),
        {"sha256": invoice.document_sha256},
    ).all()
    return {
        "id": invoice.id,
        "number": invoice.number,
        "issue_date": invoice.issue_date,
        "due_date": invoice.due_date,
        "state": invoice.state,
        "currency": invoice.currency,
        "decimals": minor_units(invoice.currency),
        "payable_minor": str(invoice.payable_minor),
        "credited_minor": str(invoice.credited_minor),
        "paid_minor": str(invoice.settled_minor),
        "seller": _party(session, invoice.seller_id),
        "buyer": _party(session, invoice.buyer_id),
        "document": {
            "sha256": invoice.document_sha256,
            "media_type": document.media_type,
            "length": document.length,
        },
    }


def _party(session: Session, key: str) -> dict[str, Any]:
    (row,) = session.execute(_PARTIES, {"id": key}).all()
    return {"id": row.id, "lei": row.lei, "name": row.name, "country": row.country}


def _acceptance(session: Session, invoice_id: str) -> dict[str, Any]:
    row = session.execute(
        text(
            "SELECT id, actor, at FROM invoice_event WHERE invoice_id = :id AND move = 'accept'"
            " ORDER BY id DESC LIMIT 1"
        ),
        {"id": invoice_id},
    ).one()
    return {"event_id": row.id, "actor": row.actor, "at": moment(row.at)}


def _settlement(row: Any, clearances: Sequence[Any]) -> dict[str, Any]:
    outcome = _OUTCOMES.get(row.state, "under_way")
    if outcome == "rejected" and _place(row) is None:
        outcome = "unpaid"
    return {
        "id": row.id,
        "end_to_end_id": row.end_to_end_id,
        "outcome": outcome,
        "terms": {
            "token": row.token,
            "symbol": row.symbol,
            "decimals": row.decimals,
            "debtor": row.debtor_wallet,
            "sequence": row.sequence,
            "creditor": row.creditor_wallet,
            "amount_minor": str(row.amount_minor),
            "claim_minor": str(row.claim_minor),
        },
        "reference": row.reference,
        "clearance": _clearance(row, clearances),
        "chain": None,
        "match": _match(row) if outcome == "paid" else None,
    }


def _clearance(row: Any, found: Sequence[Any]) -> dict[str, Any] | None:
    """Return the decision that it was paid under, else the last one."""
    chosen = [each for each in found if each[0] == row.clearance_id] or list(found[-1:])
    if not chosen:
        return None
    (key, outcome, policy, lists, verdicts, inputs, debtor, creditor, token, amount, reference,
     created, expires, revoked) = chosen[0]  # fmt: skip
    return {
        "id": key,
        "outcome": outcome,
        "policy_version": policy,
        "list_versions": [
            {"name": name, "sha256": digest} for name, digest in orjson.loads(lists).items()
        ],
        # A flag is the supervisor's: others are told what decided.
        "verdicts": [
            {"found": None, **each} for each in orjson.loads(verdicts) if each["outcome"] != "FLAG"
        ],
        "inputs_hash": inputs,
        "debtor": debtor,
        "creditor": creditor,
        "token": token,
        "amount_minor": str(amount),
        "reference": reference,
        "created_at": moment(created),
        "expires_at": moment(expires),
        "revoked_at": None if revoked is None else moment(revoked),
    }


def _match(row: Any) -> dict[str, Any] | None:
    if row.match_id is None:
        return None
    return {
        "id": row.match_id,
        "log": f"log:{row.match_hash}:{row.match_index}",
        "entry_seq": row.entry_seq,
        "created_at": moment(row.matched_at),
    }


def _place(row: Any) -> Place | None:
    is_shown = row.state == "SETTLED" or (row.state == "REJECTED" and row.outcome == "rejected")
    if not is_shown or row.block_hash is None:
        return None
    return Place(row.block_number, row.block_hash, row.tx_hash, row.log_index, row.pair_index)


def at(now: datetime) -> str:
    """Return a moment as `moment` does."""
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
