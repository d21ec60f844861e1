"""Invoices, the documents that they came in, and the events that leave with each change."""

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from settlement.tables.columns import big, moment, text


class Document(SQLModel, table=True):
    """The original bytes, once per content."""

    __tablename__ = "document"
    sha256: str = text(primary_key=True)
    """64 hexadecimal digits."""
    media_type: str = text()
    content: bytes = Field()
    record: str = text()
    """What was read from the content, as JSON; here, so that an invoice's moves rewrite little."""
    received_at: int = moment()


class Invoice(SQLModel, table=True):
    """A claim of the seller on the buyer. Amounts are minor units of `currency`."""

    __tablename__ = "invoice"
    __table_args__ = (
        # The same number in another year is another invoice; in the same year it is a duplicate.
        UniqueConstraint("seller_id", "number", "issue_year", name="invoice_number_once"),
        CheckConstraint("payable_minor > 0", name="invoice_payable_positive"),
        # I16: never paid, in flight and credited together more than was invoiced.
        CheckConstraint(
            "in_flight_minor >= 0 AND settled_minor >= 0 AND returned_minor >= 0"
            " AND credited_minor >= 0 AND"
            " settled_minor + in_flight_minor - returned_minor <= payable_minor - credited_minor",
            name="invoice_never_overpaid",
        ),
        Index("invoice_by_seller", "seller_id", "id"),
        Index("invoice_by_buyer", "buyer_id", "id"),
        Index("invoice_by_document", "document_sha256"),
    )
    id: str = text(primary_key=True)
    number: str = text(index=True)
    issue_date: str = text()
    """ISO 8601 date, as the document says (BT-2)."""
    issue_year: int
    due_date: str | None = text(default=None)
    type_code: str = text()
    """380 invoice, 381 credit note. Source: UNTDID 1001."""
    seller_id: str = text(foreign_key="participant.id")
    buyer_id: str = text(foreign_key="participant.id")
    currency: str = text()
    payable_minor: int = big()
    in_flight_minor: int = big(default=0)
    settled_minor: int = big(default=0)
    returned_minor: int = big(default=0)
    credited_minor: int = big(default=0)
    state: str = text(index=True)
    reason: str | None = text(default=None)
    preceding_id: str | None = text(foreign_key="invoice.id", default=None)
    """The invoice that a credit note reduces."""
    document_sha256: str = text(foreign_key="document.sha256")
    version: int = 1
    created_at: int = moment()


class InvoiceEvent(SQLModel, table=True):
    """One move of an invoice. Append-only."""

    __tablename__ = "invoice_event"
    id: int | None = big(default=None, primary_key=True)
    invoice_id: str = text(foreign_key="invoice.id", index=True)
    move: str = text()
    state: str = text()
    actor: str = text()
    reason: str | None = text(default=None)
    at: int = moment()


class Outbox(SQLModel, table=True):
    """An event for the outside, in the same commit as the change it tells of."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("outbox_by_aggregate", "aggregate_id", "seq"),
        {"sqlite_autoincrement": True},
    )
    seq: int | None = big(default=None, primary_key=True)
    kind: str = text()
    """Such as `invoice.accepted`, `settlement.settled`."""
    aggregate_id: str = text()
    body: str = text(default="{}")
    at: int = moment()
