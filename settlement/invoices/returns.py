"""Return claims: what a creditor sends back of an invoice that was paid, as a claim of its debtor.

A return claim is an invoice of type 383 with the paid one before it: the parties are the other way
round, so the rail pays it like any other, under the creditor's own mandate. When that is final, the
paid invoice counts it as returned, and is open again by as much.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple

import orjson
from sqlalchemy import text
from sqlmodel import Session

from settlement import ledger, outbox
from settlement.clock import Ids, to_micros
from settlement.documents.identifiers import minor_units
from settlement.documents.model import DocumentAddress, DocumentLine, DocumentParty, InvoiceDocument
from settlement.errors import Conflict, NotFound
from settlement.ledger import Claim, entries
from settlement.money import format_minor
from settlement.outbox import OutboxEvent
from settlement.store import row_lock
from settlement.store.bulk import insert_rows, rows_by_key, run_many

RETURN = "383"
"""Debit note. Source: UNTDID 1001."""

_PAID = (
    "SELECT i.id, i.number, i.seller_id, i.buyer_id, i.currency, i.type_code,"
    " i.settled_minor - i.returned_minor AS kept_minor, s.name AS seller_name,"
    " s.country AS seller_country, b.name AS buyer_name, b.country AS buyer_country"
    " FROM invoice i JOIN participant s ON s.id = i.seller_id"
    " JOIN participant b ON b.id = i.buyer_id WHERE i.id = :id"
)
_UNDER_WAY = text(
    "SELECT COUNT(*), CAST(COALESCE(SUM(CASE WHEN state NOT IN ('PAID', 'CANCELLED')"
    " THEN payable_minor ELSE 0 END), 0) AS BIGINT)"
    " FROM invoice WHERE preceding_id = :id AND type_code = '383'"
)
_CANCEL = text(
    "UPDATE invoice SET state = 'CANCELLED', reason = :reason, version = version + 1"
    " WHERE id = :id AND type_code = '383' AND state = 'ACCEPTED' AND in_flight_minor = 0"
    " AND settled_minor = 0"
)
_SENT_BACK = (
    "SELECT preceding_id, payable_minor FROM invoice WHERE id {keys}"
    # Not a plain comparison: the index by state would lead through all that was ever paid.
    " AND type_code = '383' AND (state || '') = 'PAID'"
)
_RETURNED = (
    "UPDATE invoice SET returned_minor = returned_minor + :minor, state = 'PARTLY_PAID',"
    " version = version + 1 WHERE id = :id"
)
_DOCUMENT = ("sha256", "media_type", "content", "record", "received_at")
_EVENT = ("invoice_id", "move", "state", "actor", "reason", "at")


class ReturnTooLarge(Conflict):
    """No more goes back than came in and was not sent back yet."""

    def __init__(self, number: str, kept: str) -> None:
        super().__init__(
            f"of invoice {number} only {kept} is left that was received and not returned",
            field="amount",
            repair="name an amount up to that",
        )


class _Paid(NamedTuple):
    """The invoice of which something goes back."""

    id: str
    number: str
    seller_id: str
    buyer_id: str
    currency: str
    type_code: str
    kept_minor: int
    seller_name: str
    seller_country: str
    buyer_name: str
    buyer_country: str


def claim_back(
    session: Session,
    invoice_id: str,
    minor: int | None,
    *,
    actor: str,
    reason: str,
    ids: Ids,
    now: datetime,
    let_go_minor: int = 0,
) -> str:
    """Make a return claim of `minor` (None: all that was kept) and return its id, ACCEPTED.

    `let_go_minor` of what counts as settled was written off: it never came in.

    Raises:
        NotFound, ReturnTooLarge: nothing is claimed.
    """
    statement = text(_PAID + row_lock(session, "i"))
    row = session.connection().execute(statement, {"id": invoice_id}).one_or_none()
    if row is None or row.type_code == "381":
        raise NotFound("invoice", invoice_id)
    paid = _Paid(*row)
    count, under_way = session.connection().execute(_UNDER_WAY, {"id": paid.id}).one()
    kept = paid.kept_minor - under_way - let_go_minor
    decimals = minor_units(paid.currency)
    assert decimals is not None, "an invoice's currency was checked when it came in"
    wanted = kept if minor is None else minor
    if paid.type_code == RETURN or not 0 < wanted <= kept:
        shown = f"{format_minor(max(kept, 0), decimals)} {paid.currency}"
        raise ReturnTooLarge(paid.number, shown)
    claim_id = ids("inv")
    document, content = _written(paid, f"{paid.number}/R{count + 1}", wanted, decimals, reason, now)
    _store(session, paid, claim_id, document, content, now)
    at = to_micros(now)
    moves = (("issue", "ISSUED"), ("accept", "ACCEPTED"))
    events = [(claim_id, move, state, actor, reason, at) for move, state in moves]
    insert_rows(session, "invoice_event", _EVENT, events)
    told = ("invoice.issued", "invoice.accepted")
    outbox.record(session, [OutboxEvent(kind, claim_id) for kind in told], now)
    claim = Claim(
        claim_id,
        paid.buyer_id,
        paid.seller_id,
        paid.currency,
        wanted,
        document.issue_date.isoformat(),
    )
    ledger.post(session, [entries.claim_back(claim)], now)
    return claim_id


def drop(session: Session, claim_id: str, *, actor: str, reason: str, now: datetime) -> None:
    """Cancel a return claim of which nothing is paid or under way; its entry is reversed.

    Raises:
        Conflict: it is paid, or its payment is under way.
    """
    cancelled = session.connection().execute(_CANCEL, {"id": claim_id, "reason": reason})
    if cancelled.rowcount != 1:
        raise Conflict(
            f"return claim {claim_id} is paid, or under way",
            repair="what was sent back comes again only as a new payment of the invoice",
        )
    event = (claim_id, "drop", "CANCELLED", actor, reason, to_micros(now))
    insert_rows(session, "invoice_event", _EVENT, [event])
    outbox.record(session, [OutboxEvent("invoice.cancelled", claim_id)], now)
    seq = session.connection().execute(
        text("SELECT seq FROM journal_entry WHERE source_key = :key"), {"key": f"accept:{claim_id}"}
    )
    ledger.reverse(session, [seq.scalar_one()], now, reason)


def count_returned(session: Session, moved: Sequence[str], now: datetime) -> None:
    """Count as returned, of the invoices before them, the return claims among what was paid."""
    sent_back: Counter[str] = Counter()
    for key, minor in rows_by_key(session, _SENT_BACK, moved):
        sent_back[key] += minor
    found = sorted(sent_back)
    run_many(session, _RETURNED, [{"id": key, "minor": sent_back[key]} for key in found])
    at = to_micros(now)
    rows = [(key, "returned", "PARTLY_PAID", "rail", None, at) for key in found]
    insert_rows(session, "invoice_event", _EVENT, rows)
    outbox.record(session, [OutboxEvent("invoice.returned", key) for key in found], now)


def _written(
    paid: _Paid, number: str, minor: int, decimals: int, reason: str, now: datetime
) -> tuple[InvoiceDocument, bytes]:
    """Return the claim as a document, and the bytes that stand for it."""
    terms = {
        "kind": "return",
        "number": number,
        "returns": paid.id,
        "currency": paid.currency,
        "payable": format_minor(minor, decimals),
        "reason": reason,
        "at": to_micros(now),
    }
    content = orjson.dumps(terms, option=orjson.OPT_SORT_KEYS)
    document = InvoiceDocument(
        kind="json",
        type_code=RETURN,
        source_type_code=RETURN,
        number=number,
        issue_date=now.date(),
        due_date=now.date(),
        currency=paid.currency,
        decimals=decimals,
        seller=DocumentParty(paid.buyer_name, DocumentAddress(paid.buyer_country)),
        buyer=DocumentParty(paid.seller_name, DocumentAddress(paid.seller_country)),
        lines_net_minor=minor,
        allowances_minor=0,
        charges_minor=0,
        tax_exclusive_minor=minor,
        tax_minor=0,
        tax_inclusive_minor=minor,
        prepaid_minor=0,
        rounding_minor=0,
        payable_minor=minor,
        lines=(DocumentLine("1", f"Return of invoice {paid.number}", "1", "C62", minor),),
        adjustments=(),
        vat_breakdown=(),
        preceding_number=paid.number,
        notes=(reason,),
        sha256=sha256(content).hexdigest(),
    )
    return document, content


def _store(
    session: Session,
    paid: _Paid,
    claim_id: str,
    document: InvoiceDocument,
    content: bytes,
    now: datetime,
) -> None:
    record = document.as_json_bytes().decode()
    rows = [(document.sha256, "application/json", content, record, to_micros(now))]
    insert_rows(session, "document", _DOCUMENT, rows)
    row = {
        "id": claim_id,
        "number": document.number,
        "issue_date": document.issue_date.isoformat(),
        "issue_year": document.issue_date.year,
        "due_date": document.issue_date.isoformat(),
        "type_code": RETURN,
        "seller_id": paid.buyer_id,
        "buyer_id": paid.seller_id,
        "currency": paid.currency,
        "payable_minor": document.payable_minor,
        "in_flight_minor": 0,
        "settled_minor": 0,
        "returned_minor": 0,
        "credited_minor": 0,
        "state": "ACCEPTED",
        "preceding_id": paid.id,
        "document_sha256": document.sha256,
        "version": 1,
        "created_at": to_micros(now),
    }
    insert_rows(session, "invoice", tuple(row), [tuple(row.values())])
