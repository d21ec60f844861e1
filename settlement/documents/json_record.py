"""From a JSON invoice of the right shape to the record: texts to integers, days, checked names.

Own rules (SR-…) are judged on the way; sums and VAT are judged by `arithmetic` afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from settlement.documents import checks
from settlement.documents.errors import RuleFailure
from settlement.documents.identifiers import minor_units
from settlement.documents.json_invoice import (
    JsonAdjustment,
    JsonInvoice,
    JsonLine,
    JsonParty,
    JsonVatBreakdown,
)
from settlement.documents.model import (
    CREDIT_NOTE,
    INVOICE,
    Adjustment,
    Classification,
    DocumentAddress,
    DocumentLine,
    DocumentParty,
    InvoiceDocument,
    VatBreakdown,
)
from settlement.money import MINOR_MAX, format_minor

_TYPES = (INVOICE, CREDIT_NOTE)
_TEXT_MAX = 10_000
_MILLION = 10**6
_POWERS = tuple(10**exponent for exponent in range(10))


class JsonReading:
    """One pass over one invoice of the right shape; gathers failures on the way.

    A place is a pattern with the index beside it: it is only written out where something is wrong.
    """

    __slots__ = ("decimals", "failures", "has_plain_text")

    def __init__(self, currency: str, *, has_plain_text: bool) -> None:
        self.failures: list[RuleFailure] = []
        self.has_plain_text = has_plain_text
        decimals = minor_units(currency)
        if decimals is None:
            self._note(checks.currency(currency, "/currency"))
        self.decimals = 2 if decimals is None else decimals

    def document(self, it: JsonInvoice, sha256: str) -> InvoiceDocument:
        """Build the whole record."""
        totals, minor = it["totals"], self._minor
        self._judge(it)
        due, preceding = it.get("due_date"), it.get("preceding_issue_date")
        return InvoiceDocument(
            kind="json",
            type_code=it["type_code"],
            source_type_code=it["type_code"],
            number=it["number"],
            issue_date=self._day(it["issue_date"], "/issue_date") or date.min,
            due_date=self._day(due, "/due_date") if due else None,
            currency=it["currency"],
            decimals=self.decimals,
            seller=self._party(it["seller"], "/seller"),
            buyer=self._party(it["buyer"], "/buyer"),
            lines_net_minor=minor(totals["lines_net"], "/totals/lines_net"),
            allowances_minor=minor(totals.get("allowances", "0"), "/totals/allowances"),
            charges_minor=minor(totals.get("charges", "0"), "/totals/charges"),
            tax_exclusive_minor=minor(totals["tax_exclusive"], "/totals/tax_exclusive"),
            tax_minor=minor(totals["tax"], "/totals/tax"),
            tax_inclusive_minor=minor(totals["tax_inclusive"], "/totals/tax_inclusive"),
            prepaid_minor=minor(totals.get("prepaid", "0"), "/totals/prepaid"),
            rounding_minor=minor(totals.get("rounding", "0"), "/totals/rounding"),
            payable_minor=self._payable(totals["payable"]),
            lines=tuple([self._line(line, index) for index, line in enumerate(it["lines"])]),
            adjustments=(
                *self._adjustments(it.get("allowances", ()), "allowance"),
                *self._adjustments(it.get("charges", ()), "charge"),
            ),
            vat_breakdown=self._breakdown(it["vat_breakdown"]),
            preceding_number=it.get("preceding_number") or "",
            preceding_issue_date=(
                self._day(preceding, "/preceding_issue_date") if preceding else None
            ),
            payment_reference=it.get("payment_reference") or "",
            payment_terms=it.get("payment_terms") or "",
            iban=it.get("iban") or "",
            order_reference=it.get("order_reference") or "",
            notes=tuple(it.get("notes", ())),
            sha256=sha256,
        )

    def _judge(self, it: JsonInvoice) -> None:
        """Judge what stands once: type, number, account; texts unless all are plain."""
        if it["type_code"] not in _TYPES:
            repair = "Use 380 for an invoice or 381 for a credit note."
            message = "the type code is neither 380 nor 381"
            self._note(RuleFailure("SR-TYPE", "/type_code", it["type_code"], message, repair))
        self._note(checks.number(it["number"], "/number"))
        iban, preceding = it.get("iban"), it.get("preceding_number")
        if iban:
            self._note(checks.iban(iban, "/iban"))
        if preceding:
            self._note(checks.number(preceding, "/preceding_number"))
        if not self.has_plain_text:
            for place, text in _texts(it, ""):
                self._note(checks.text(text, place, _TEXT_MAX))

    def _party(self, it: JsonParty, place: str) -> DocumentParty:
        address = it["address"]
        lei, vat_id = it.get("lei") or "", it.get("vat_id") or ""
        self._note(checks.country(address["country"], f"{place}/address/country"))
        if lei:
            self._note(checks.lei(lei, f"{place}/lei"))
        if vat_id:
            self._note(checks.vat_id(vat_id, f"{place}/vat_id"))
        return DocumentParty(
            name=it["name"],
            address=DocumentAddress(
                country=address["country"],
                street=address.get("street") or "",
                additional_street=address.get("additional_street") or "",
                city=address.get("city") or "",
                postcode=address.get("postcode") or "",
                subdivision=address.get("subdivision") or "",
            ),
            lei=lei,
            legal_id=it.get("legal_id") or "",
            legal_id_scheme=it.get("legal_id_scheme") or "",
            vat_id=vat_id,
            endpoint=it.get("endpoint") or "",
            endpoint_scheme=it.get("endpoint_scheme") or "",
        )

    def _line(self, it: JsonLine, index: int) -> DocumentLine:
        net = self._minor(it["net"], "/lines/{}/net", index)
        self._line_net(it, net, index)
        classes = it.get("classifications")
        return DocumentLine(
            id=it["id"],
            name=it["name"],
            quantity=it["quantity"],
            unit=it["unit"],
            net_minor=net,
            price=it["price"],
            description=it.get("description") or "",
            vat_category=it["vat_category"],
            vat_rate=it.get("vat_rate") or "",
            classifications=(
                tuple([Classification(c["scheme"], c["code"]) for c in classes]) if classes else ()
            ),
        )

    def _line_net(self, it: JsonLine, net: int, index: int) -> None:
        """Judge a line's net amount: quantity × price ÷ price_quantity + charge − allowance.

        One minor unit of difference is rounding.
        """
        charge, allowance = it.get("charge"), it.get("allowance")
        per_text = it.get("price_quantity")
        per = _scaled(per_text) if per_text else _MILLION
        beside = 0
        if charge:
            beside = self._minor(charge, "/lines/{}/charge", index)
        if allowance:
            beside -= self._minor(allowance, "/lines/{}/allowance", index)
        # quantity and price are in millionths: their product over `per` is in millionths again.
        exact = _scaled(it["quantity"]) * _scaled(it["price"]) * _POWERS[self.decimals]
        unit = per * _MILLION
        if per <= 0 or not -unit <= (net - beside) * unit - exact <= unit:
            due = exact // unit + beside if per > 0 else 0
            shown = format_minor(due, self.decimals)
            found = f"{it['net']}, where {it['quantity']} × {it['price']} gives {shown}"
            repair = "Let net be quantity × price ÷ price_quantity + charge − allowance."
            message = "the line's net amount is not what quantity and price give"
            place = f"/lines/{index}/net"
            self._note(RuleFailure("SR-LINE-NET", place, found, message, repair))

    def _adjustments(self, items: Iterable[JsonAdjustment], kind: str) -> list[Adjustment]:
        return [
            Adjustment(
                kind=kind,
                amount_minor=self._minor(item["amount"], f"/{kind}s/{{}}/amount", index),
                reason=item["reason"],
                vat_category=item["vat_category"],
                vat_rate=item.get("vat_rate") or "",
            )
            for index, item in enumerate(items)
        ]

    def _breakdown(self, parts: Iterable[JsonVatBreakdown]) -> tuple[VatBreakdown, ...]:
        return tuple(
            [
                VatBreakdown(
                    category=part["category"],
                    rate=part.get("rate") or "",
                    taxable_minor=self._minor(part["taxable"], "/vat_breakdown/{}/taxable", index),
                    tax_minor=self._minor(part["tax"], "/vat_breakdown/{}/tax", index),
                    exemption_reason=part.get("exemption_reason") or "",
                )
                for index, part in enumerate(parts)
            ]
        )

    def _payable(self, text: str) -> int:
        minor = self._minor(text, "/totals/payable")
        if minor <= 0:
            self._note(checks.payable(minor, self.decimals, "/totals/payable"))
        return minor

    def _minor(self, text: str, place: str, index: int = 0) -> int:
        """Return the minor units of an amount of the right shape."""
        whole, _, fraction = text.partition(".")
        decimals = self.decimals
        if len(fraction) != decimals:
            if len(fraction) > decimals:
                self._note(checks.decimals_of(text, decimals, place.format(index)))
                return 0
            fraction = fraction.ljust(decimals, "0")
        minor = int(whole + fraction)
        if not -MINOR_MAX <= minor <= MINOR_MAX:
            self._note(checks.range_of(minor, decimals, place.format(index)))
            return 0
        return minor

    def _day(self, text: str, place: str) -> date | None:
        try:
            return date.fromisoformat(text)
        except ValueError:
            repair = 'Write an existing day as "YYYY-MM-DD".'
            self._note(RuleFailure("SR-DATE", place, text, "no such day", repair))
            return None

    def _note(self, failure: RuleFailure | None) -> None:
        if failure is not None:
            self.failures.append(failure)


def _texts(value: Any, place: str) -> Iterator[tuple[str, str]]:
    """Yield every string in a JSON value with its pointer. The shape has bounded the depth."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from _texts(part, f"{place}/{name}")
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _texts(part, f"{place}/{index}")


def _scaled(text: str) -> int:
    """Return a quantity or price in millionths."""
    whole, _, fraction = text.partition(".")
    return int(whole + fraction.ljust(6, "0"))
