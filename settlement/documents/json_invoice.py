"""The shape of our own JSON invoice: EN 16931's mandatory fields, amounts as decimal strings.

Knows names, types and lengths, and an example. What the values must add up to is in `arithmetic`;
`json_reading` turns bytes into the record. The names are those of the record without `_minor`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from pydantic import ConfigDict, Field, StringConstraints, TypeAdapter, with_config
from typing_extensions import TypedDict

LINES_MAX = 1_000

_AMOUNT = r"^(0|[1-9][0-9]{0,17})(\.[0-9]{1,4})?$"
_SIGNED = r"^-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,4})?$"
_QUANTITY = r"^-?(0|[1-9][0-9]{0,11})(\.[0-9]{1,6})?$"
_PRICE = r"^(0|[1-9][0-9]{0,17})(\.[0-9]{1,6})?$"

Amount = Annotated[
    str,
    StringConstraints(pattern=_AMOUNT),
    Field(description="A decimal string in the document's currency.", examples=["1200.50"]),
]
SignedAmount = Annotated[
    str,
    StringConstraints(pattern=_SIGNED),
    Field(description="A decimal string in the document's currency.", examples=["1200.50", "-3"]),
]
Quantity = Annotated[str, StringConstraints(pattern=_QUANTITY)]
Price = Annotated[str, StringConstraints(pattern=_PRICE)]
Rate = Annotated[str, StringConstraints(pattern=r"^(0|[1-9][0-9]{0,2})(\.[0-9]{1,4})?$")]
Day = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=1_000)]
Note = Annotated[str, StringConstraints(min_length=1, max_length=10_000)]
Code = Annotated[str, StringConstraints(min_length=1, max_length=35)]
VatCategory = Literal["S", "Z", "E", "AE", "K", "G", "O"]


CLOSED = ConfigDict(extra="forbid", strict=True)
"""An unknown field is refused; a number is no string."""


@with_config(CLOSED)
class JsonAddress(TypedDict):
    """A structured postal address (BG-5, BG-8)."""

    country: Annotated[str, StringConstraints(min_length=2, max_length=2)]
    street: NotRequired[Name | None]
    additional_street: NotRequired[Name | None]
    city: NotRequired[Name | None]
    postcode: NotRequired[Code | None]
    subdivision: NotRequired[Name | None]


@with_config(CLOSED)
class JsonParty(TypedDict):
    """A seller (BG-4) or buyer (BG-7)."""

    name: Name
    address: JsonAddress
    lei: NotRequired[Code | None]
    legal_id: NotRequired[Code | None]
    legal_id_scheme: NotRequired[Code | None]
    vat_id: NotRequired[Code | None]
    endpoint: NotRequired[Name | None]
    endpoint_scheme: NotRequired[Code | None]


@with_config(CLOSED)
class JsonClassification(TypedDict):
    """An item's class (BT-158): `scheme` from UNTDID 7143, for instance HS or STI (CPV)."""

    scheme: Code
    code: Code


@with_config(CLOSED)
class JsonLine(TypedDict):
    """An invoice line (BG-25). `net` = quantity × price ÷ price_quantity + charge − allowance."""

    id: Code
    name: Name
    quantity: Quantity
    unit: Code
    price: Price
    net: SignedAmount
    vat_category: VatCategory
    vat_rate: NotRequired[Rate | None]
    price_quantity: NotRequired[Price | None]
    allowance: NotRequired[Amount | None]
    charge: NotRequired[Amount | None]
    description: NotRequired[Note | None]
    classifications: NotRequired[Annotated[list[JsonClassification], Field(max_length=10)]]


@with_config(CLOSED)
class JsonAdjustment(TypedDict):
    """A document level allowance (BG-20) or charge (BG-21)."""

    amount: Amount
    reason: Name
    vat_category: VatCategory
    vat_rate: NotRequired[Rate | None]


@with_config(CLOSED)
class JsonVatBreakdown(TypedDict):
    """A VAT category and rate (BG-23)."""

    category: VatCategory
    taxable: SignedAmount
    tax: SignedAmount
    rate: NotRequired[Rate | None]
    exemption_reason: NotRequired[Name | None]


@with_config(CLOSED)
class JsonTotals(TypedDict):
    """The document's totals (BG-22)."""

    lines_net: SignedAmount
    tax_exclusive: SignedAmount
    tax: SignedAmount
    tax_inclusive: SignedAmount
    payable: SignedAmount
    allowances: NotRequired[Amount]
    charges: NotRequired[Amount]
    prepaid: NotRequired[Amount]
    rounding: NotRequired[SignedAmount]


@with_config(CLOSED)
class JsonInvoice(TypedDict):
    """A trade invoice (380) or credit note (381) by EN 16931."""

    type_code: Code
    number: Name
    issue_date: Day
    currency: Annotated[str, StringConstraints(min_length=3, max_length=3)]
    seller: JsonParty
    buyer: JsonParty
    lines: Annotated[list[JsonLine], Field(min_length=1, max_length=LINES_MAX)]
    vat_breakdown: Annotated[list[JsonVatBreakdown], Field(min_length=1, max_length=50)]
    totals: JsonTotals
    due_date: NotRequired[Day | None]
    payment_terms: NotRequired[Note | None]
    allowances: NotRequired[Annotated[list[JsonAdjustment], Field(max_length=50)]]
    charges: NotRequired[Annotated[list[JsonAdjustment], Field(max_length=50)]]
    preceding_number: NotRequired[Name | None]
    preceding_issue_date: NotRequired[Day | None]
    order_reference: NotRequired[Name | None]
    payment_reference: NotRequired[Name | None]
    iban: NotRequired[Code | None]
    notes: NotRequired[Annotated[list[Note], Field(max_length=20)]]


INVOICE_SHAPE: TypeAdapter[JsonInvoice] = TypeAdapter(JsonInvoice)
"""Judges the shape. Typed dictionaries, not models: they are checked in half the time."""


def schema() -> dict[str, Any]:
    """Return the JSON schema of an invoice, for the API's documentation."""
    return INVOICE_SHAPE.json_schema()


EXAMPLE: dict[str, Any] = {
    "type_code": "380",
    "number": "HM-2026-00417",
    "issue_date": "2026-10-05",
    "due_date": "2026-11-04",
    "currency": "EUR",
    "order_reference": "PO-77120",
    "payment_reference": "HM-2026-00417",
    "seller": {
        "name": "Hartwig Maschinenbau GmbH",
        "lei": "529900HARTWIG7MB2K73",
        "vat_id": "DE129274202",
        "address": {
            "street": "Industriestraße 14",
            "city": "Esslingen",
            "postcode": "73730",
            "country": "DE",
        },
    },
    "buyer": {
        "name": "Al Noor Metals Trading FZCO",
        "lei": "2138005NOORMTL84QX03",
        "address": {"street": "Jebel Ali Free Zone, S20116", "city": "Dubai", "country": "AE"},
    },
    "lines": [
        {
            "id": "1",
            "name": "Ball screw, 32 mm, 1.5 m",
            "quantity": "12",
            "unit": "C62",
            "price": "345.00",
            "net": "4140.00",
            "vat_category": "G",
            "vat_rate": "0",
            "classifications": [{"scheme": "HS", "code": "84834021"}],
        },
    ],
    "charges": [
        {"amount": "180.00", "reason": "Sea freight", "vat_category": "G", "vat_rate": "0"},
    ],
    "vat_breakdown": [
        {
            "category": "G",
            "rate": "0",
            "taxable": "4320.00",
            "tax": "0.00",
            "exemption_reason": "Export outside the EU",
        },
    ],
    "totals": {
        "lines_net": "4140.00",
        "charges": "180.00",
        "tax_exclusive": "4320.00",
        "tax": "0.00",
        "tax_inclusive": "4320.00",
        "payable": "4320.00",
    },
}
"""A valid invoice, for the API's documentation."""
