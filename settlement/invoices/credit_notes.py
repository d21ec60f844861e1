"""Credit notes (381): they reduce an accepted invoice by what is neither in flight nor paid.

It takes effect at once and has no moves of its own. What exceeds the open part is refused.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from settlement import ledger, outbox
from settlement.clock import to_micros
from settlement.documents.identifiers import minor_units
from settlement.documents.model import InvoiceDocument
from settlement.invoices.errors import CreditNoteTooLarge, PrecedingInvoiceUnknown
from settlement.invoices.records import COLUMNS, InvoiceRecord
from settlement.money import format_minor
from settlement.states import INVOICE_MOVES, InvoiceState, advance

_PRECEDING = text(
    "SELECT id, buyer_id, currency, issue_date FROM invoice"
    " WHERE seller_id = :seller_id AND number = :number AND type_code <> '381'"
)
_REDUCE = text(
    "UPDATE invoice SET credited_minor = credited_minor + :minor, version = version + 1"
    " WHERE id = :id AND state IN ('ACCEPTED', 'PARTLY_PAID')"
    " AND settled_minor + in_flight_minor - returned_minor"
    " <= payable_minor - credited_minor - :minor"
)
_MOVE = text("UPDATE invoice SET state = :state WHERE id = :id")
_EVENT = text(
    "INSERT INTO invoice_event (invoice_id, move, state, actor, reason, at)"
    " VALUES (:id, :move, :state, :actor, :reason, :at)"
)


def prepare(session: Session, document: InvoiceDocument, row: dict[str, Any]) -> None:
    """Complete a credit note's row: its preceding invoice, and nothing on it that could be paid.

    Raises:
        PrecedingInvoiceUnknown: none, several, or one of another buyer or currency.
    """
    number = document.preceding_number
    if not number:
        raise PrecedingInvoiceUnknown("", "the credit note names none")
    dated = document.preceding_issue_date
    found = [
        each
        for each in session.connection().execute(
            _PRECEDING, {"seller_id": row["seller_id"], "number": number}
        )
        if dated is None or each.issue_date == dated.isoformat()
    ]
    if not found:
        raise PrecedingInvoiceUnknown(number, "the seller has issued no such invoice")
    if len(found) > 1:
        raise PrecedingInvoiceUnknown(number, "the seller has used the number in several years")
    (preceding,) = found
    if preceding.buyer_id != row["buyer_id"]:
        raise PrecedingInvoiceUnknown(number, "it has another buyer")
    if preceding.currency != row["currency"]:
        raise PrecedingInvoiceUnknown(number, f"it is in {preceding.currency}")
    row["preceding_id"] = preceding.id
    row["credited_minor"] = row["payable_minor"]
    row["state"] = InvoiceState.ACCEPTED.value


def apply(session: Session, note: InvoiceRecord, *, actor: str, now: datetime) -> None:
    """Reduce the preceding invoice by the whole credit note, with its journal entry.

    Raises:
        CreditNoteTooLarge: the invoice is not accepted, or has less left than that.
    """
    assert note.preceding_id is not None, "prepare() has named it"
    connection = session.connection()
    params = {"id": note.preceding_id, "minor": note.payable_minor}
    reduced = connection.execute(_REDUCE, params).rowcount
    preceding = _preceding(session, note.preceding_id)
    if not reduced:
        raise CreditNoteTooLarge(preceding.id, *_fault(preceding))
    ledger.post(session, [ledger.entries.credit(_claim(note))], now)
    move, state = _move(preceding)
    if state != preceding.state:
        connection.execute(_MOVE, {"id": preceding.id, "state": state.value})
    event = {
        "id": preceding.id,
        "move": move,
        "state": state.value,
        "actor": actor,
        "reason": f"credit note {note.number}",
        "at": to_micros(now),
    }
    connection.execute(_EVENT, event)
    outbox.record(session, [outbox.OutboxEvent(f"invoice.{move}", preceding.id)], now)


def _claim(note: InvoiceRecord) -> ledger.Claim:
    return ledger.Claim(
        invoice_id=note.id,
        seller_id=note.seller_id,
        buyer_id=note.buyer_id,
        currency=note.currency,
        minor=note.payable_minor,
        value_date=note.issue_date,
    )


def _preceding(session: Session, invoice_id: str) -> InvoiceRecord:
    statement = text(f"SELECT {COLUMNS} FROM invoice i WHERE i.id = :id")
    return InvoiceRecord(*session.connection().execute(statement, {"id": invoice_id}).one())


def _move(preceding: InvoiceRecord) -> tuple[str, InvoiceState]:
    """Say what the reduction makes of the invoice: nothing, cancelled, or paid."""
    state = InvoiceState(preceding.state)
    if preceding.open_minor or preceding.in_flight_minor:
        return "credit", state
    move = "paid" if state is InvoiceState.PARTLY_PAID else "credited"
    return move, advance(INVOICE_MOVES, state, move, noun="invoice", key=preceding.id)


def _fault(preceding: InvoiceRecord) -> tuple[str, str]:
    """Say why an invoice cannot be reduced, and what to do."""
    repair = _REPAIRS.get(InvoiceState(preceding.state))
    if repair is not None:
        return f"it is {preceding.state}", repair
    decimals = minor_units(preceding.currency)
    assert decimals is not None, "an invoice's currency was checked when it came in"
    left = format_minor(preceding.open_minor, decimals)
    return (
        f"only {left} {preceding.currency} of it is neither in flight nor paid",
        "cancel settlements that are not claimed yet, or agree on a return payment",
    )


_REPAIRS = {
    InvoiceState.ISSUED: "it was not accepted yet: cancel the invoice instead",
    InvoiceState.QUERIED: "it was not accepted yet: cancel the invoice instead",
    InvoiceState.REJECTED: "send none: nothing of it is owed",
    InvoiceState.CANCELLED: "send none: nothing of it is owed",
    InvoiceState.PAID: "agree on a return payment",
}
