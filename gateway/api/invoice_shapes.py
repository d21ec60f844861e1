"""Invoices as the API shows them: amounts as decimal strings, times in ISO 8601."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from gateway.problems import Problem
from settlement.clock import iso
from settlement.documents.identifiers import minor_units
from settlement.invoices import InvoiceEventRecord, InvoiceRecord
from settlement.money import format_minor

Amount = Field(description="Decimal string in the currency's minor units.", examples=["1190.00"])


class Shape(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(extra="forbid")


class Invoice(Shape):
    """An invoice or a credit note."""

    id: str
    object: Literal["invoice"]
    number: str
    type_code: str = Field(description="380 invoice, 381 credit note (UNTDID 1001).")
    issue_date: str
    due_date: str | None
    seller_id: str
    buyer_id: str
    currency: str = Field(description="ISO 4217.")
    payable_amount: str = Amount
    open_amount: str = Field(description="What can still be instructed.", examples=["1190.00"])
    in_flight_amount: str = Amount
    settled_amount: str = Field(description="Paid, and final on the chain.", examples=["0.00"])
    credited_amount: str = Amount
    returned_amount: str = Amount
    state: str
    reason: str | None
    preceding_id: str | None
    document_sha256: str
    version: int
    created_at: str


class InvoiceEvent(Shape):
    """One move of an invoice."""

    move: str
    state: str
    actor: str
    reason: str | None
    at: str


class InvoiceDetail(Invoice):
    """An invoice with its history."""

    events: list[InvoiceEvent]


class InvoiceList(Shape):
    """A page of invoices, newest first."""

    object: Literal["list"]
    has_more: bool
    data: list[Invoice]


class MovedInvoices(Shape):
    """The invoices that were moved."""

    object: Literal["list"]
    data: list[Invoice]


class BatchItem(Shape):
    """The answer to one document of a batch: an invoice, or why there is none."""

    status: int
    invoice: Invoice | None = None
    problem: Problem | None = None


class BatchAnswer(Shape):
    """An answer per document, in their order."""

    object: Literal["batch"]
    issued: int
    refused: int
    items: list[BatchItem]


def shown(invoice: InvoiceRecord) -> dict[str, Any]:
    """Return an invoice as the API shows it."""
    decimals = minor_units(invoice.currency)
    assert decimals is not None, "an invoice's currency was checked when it came in"
    return {
        "id": invoice.id,
        "object": "invoice",
        "number": invoice.number,
        "type_code": invoice.type_code,
        "issue_date": invoice.issue_date,
        "due_date": invoice.due_date,
        "seller_id": invoice.seller_id,
        "buyer_id": invoice.buyer_id,
        "currency": invoice.currency,
        "payable_amount": format_minor(invoice.payable_minor, decimals),
        "open_amount": format_minor(invoice.open_minor, decimals),
        "in_flight_amount": format_minor(invoice.in_flight_minor, decimals),
        "settled_amount": format_minor(invoice.settled_minor, decimals),
        "credited_amount": format_minor(invoice.credited_minor, decimals),
        "returned_amount": format_minor(invoice.returned_minor, decimals),
        "state": invoice.state,
        "reason": invoice.reason,
        "preceding_id": invoice.preceding_id,
        "document_sha256": invoice.document_sha256,
        "version": invoice.version,
        "created_at": iso(invoice.created_at),
    }


def shown_event(event: InvoiceEventRecord) -> dict[str, Any]:
    """Return a move as the API shows it."""
    return {
        "move": event.move,
        "state": event.state,
        "actor": event.actor,
        "reason": event.reason,
        "at": iso(event.at),
    }


INVOICE = {
    "id": "inv_019a8f2e6c1f7d3e9b6a2d4c5e6f7081",
    "object": "invoice",
    "number": "HM-2026-00417",
    "type_code": "380",
    "issue_date": "2026-10-05",
    "due_date": "2026-11-04",
    "seller_id": "par_019a8f2e5a0b7c1d8e2f3a4b5c6d7e8f",
    "buyer_id": "par_019a8f2e5a0c7c1d8e2f3a4b5c6d7e90",
    "currency": "EUR",
    "payable_amount": "4320.00",
    "open_amount": "4320.00",
    "in_flight_amount": "0.00",
    "settled_amount": "0.00",
    "credited_amount": "0.00",
    "returned_amount": "0.00",
    "state": "ISSUED",
    "reason": None,
    "preceding_id": None,
    "document_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "version": 1,
    "created_at": "2026-10-05T08:15:30.123456Z",
}
"""An example for the API's documentation."""

EVENT = {
    "move": "issue",
    "state": "ISSUED",
    "actor": "exporter:stk_0a1b2c3d4e5f",
    "reason": None,
    "at": "2026-10-05T08:15:30.123456Z",
}
