"""The record that every trade document is read into, whatever its syntax was.

Holds values only. It does not say whether a document is valid: what could be built, was.
Amounts are integers in minor units of the document's currency. Source: EN 16931-1:2017, 6.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar, dataclass_transform

import orjson

from settlement.money import Money, Unit

INVOICE = "380"
CREDIT_NOTE = "381"

_Value = TypeVar("_Value")


@dataclass_transform(frozen_default=True)
def _record(cls: type[_Value]) -> type[_Value]:
    """Make a slotted dataclass that is frozen for the type checker alone.

    A dataclass that is frozen at run time takes six times as long to build; an invoice has a
    hundred fields, and is read in 50 µs in all.
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)


@_record
class DocumentAddress:
    """A structured postal address (BG-5, BG-8); `country` is an ISO 3166-1 alpha-2 code."""

    country: str
    street: str = ""
    additional_street: str = ""
    city: str = ""
    postcode: str = ""
    subdivision: str = ""


@_record
class DocumentParty:
    """A seller (BG-4) or buyer (BG-7) as the document names it; empty where it says nothing.

    `lei` is the identifier with scheme 0199; `legal_id` any other registration (BT-30, BT-47).
    """

    name: str
    address: DocumentAddress
    lei: str = ""
    legal_id: str = ""
    legal_id_scheme: str = ""
    vat_id: str = ""
    endpoint: str = ""
    endpoint_scheme: str = ""

    @property
    def country(self) -> str:
        """The country of the postal address (BT-40, BT-55)."""
        return self.address.country


@_record
class Classification:
    """An item's class (BT-158) with its list, for instance HS or CPV (UNTDID 7143: `STI`)."""

    scheme: str
    code: str


@_record
class DocumentLine:
    """One invoice line (BG-25). `quantity`, `price` and `vat_rate` are decimal strings."""

    id: str
    name: str
    quantity: str
    unit: str
    net_minor: int
    price: str = ""
    description: str = ""
    vat_category: str = ""
    vat_rate: str = ""
    classifications: tuple[Classification, ...] = ()


@_record
class Adjustment:
    """A document level allowance (BG-20) or charge (BG-21); `kind` is "allowance" or "charge"."""

    kind: str
    amount_minor: int
    reason: str = ""
    vat_category: str = ""
    vat_rate: str = ""


@_record
class VatBreakdown:
    """One VAT category and rate (BG-23). `rate` is empty where the category has none."""

    category: str
    rate: str
    taxable_minor: int
    tax_minor: int
    exemption_reason: str = ""


@_record
class RuleWarning:
    """A rule that the document breaks without being refused for it."""

    rule_id: str
    location: str
    message: str


@_record
class InvoiceDocument:
    """One trade invoice or credit note.

    `kind` is "ubl", "cii", "facturx" or "json". `type_code` is 380 or 381; `source_type_code` is
    what the document says (BT-3). `decimals` are the currency's minor units. `sha256` is of the
    bytes as received.
    """

    kind: str
    type_code: str
    source_type_code: str
    number: str
    issue_date: date
    due_date: date | None
    currency: str
    decimals: int
    seller: DocumentParty
    buyer: DocumentParty
    lines_net_minor: int
    allowances_minor: int
    charges_minor: int
    tax_exclusive_minor: int
    tax_minor: int
    tax_inclusive_minor: int
    prepaid_minor: int
    rounding_minor: int
    payable_minor: int
    lines: tuple[DocumentLine, ...]
    adjustments: tuple[Adjustment, ...]
    vat_breakdown: tuple[VatBreakdown, ...]
    tax_currency: str = ""
    tax_currency_tax: str = ""
    """The tax in the tax currency (BT-111), a decimal string in `tax_currency` (BT-6)."""
    preceding_number: str = ""
    preceding_issue_date: date | None = None
    payment_reference: str = ""
    payment_terms: str = ""
    iban: str = ""
    order_reference: str = ""
    notes: tuple[str, ...] = ()
    warnings: tuple[RuleWarning, ...] = ()
    sha256: str = ""

    @property
    def is_credit_note(self) -> bool:
        """Whether the document reduces a claim instead of making one."""
        return self.type_code == CREDIT_NOTE

    @property
    def payable(self) -> Money:
        """The amount due (BT-115) with its unit."""
        return Money(self.payable_minor, Unit(self.currency, self.decimals))

    def as_json(self) -> dict[str, Any]:
        """Return plain JSON values: dates as ISO strings, amounts as integers in minor units."""
        plain: dict[str, Any] = orjson.loads(orjson.dumps(self))
        return plain

    def as_json_bytes(self) -> bytes:
        """Return `as_json` as UTF-8 bytes, for storing."""
        return orjson.dumps(self)


def from_json(plain: Mapping[str, Any]) -> InvoiceDocument:
    """Build the record that `as_json` came from."""
    values = dict(plain)
    for side in ("seller", "buyer"):
        party = dict(values[side])
        party["address"] = DocumentAddress(**party["address"])
        values[side] = DocumentParty(**party)
    values["issue_date"] = date.fromisoformat(values["issue_date"])
    for name in ("due_date", "preceding_issue_date"):
        values[name] = date.fromisoformat(values[name]) if values.get(name) else None
    values["lines"] = tuple(_line(line) for line in values["lines"])
    values["adjustments"] = tuple(Adjustment(**item) for item in values["adjustments"])
    values["vat_breakdown"] = tuple(VatBreakdown(**item) for item in values["vat_breakdown"])
    values["notes"] = tuple(values["notes"])
    values["warnings"] = tuple(RuleWarning(**item) for item in values["warnings"])
    return InvoiceDocument(**values)


def _line(plain: Mapping[str, Any]) -> DocumentLine:
    classes = tuple(Classification(**item) for item in plain["classifications"])
    return DocumentLine(**{**plain, "classifications": classes})
