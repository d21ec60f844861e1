"""From a judged XML tree to the record, by the table of paths of its syntax.

Runs after the official rules: a missing mandatory part is an empty value here, their failure there.
"""

from __future__ import annotations

from datetime import date
from functools import partial

from lxml import etree

from settlement.documents import checks
from settlement.documents.errors import RuleFailure
from settlement.documents.identifiers import minor_units
from settlement.documents.model import (
    CREDIT_NOTE,
    Adjustment,
    Classification,
    DocumentAddress,
    DocumentLine,
    DocumentParty,
    InvoiceDocument,
    VatBreakdown,
)
from settlement.documents.rulebook import CII, UBL_CREDIT_NOTE, UBL_INVOICE
from settlement.documents.xml_paths import (
    CII_PATHS,
    UBL_CREDIT_NOTE_PATHS,
    UBL_INVOICE_PATHS,
    PartyPaths,
    Paths,
)
from settlement.documents.xml_reading import NOTE_MAX, Reading, all_at, selected
from settlement.documents.xml_source import location

_PATHS = {
    UBL_INVOICE: UBL_INVOICE_PATHS,
    UBL_CREDIT_NOTE: UBL_CREDIT_NOTE_PATHS,
    CII: CII_PATHS,
}
_LEI_SCHEME = "0199"


def record_of(
    root: etree._Element, kind: str, sha256: str
) -> tuple[InvoiceDocument, list[RuleFailure]]:
    """Return the record of a tree and the own rules it breaks; it counts only if there are none."""
    reading, paths = Reading(root), _PATHS[root.tag]
    reading.currency = reading.text(root, paths.currency)
    misfit = checks.currency(reading.currency, reading.place(paths.currency))
    if misfit is not None:  # No amount is compared with what is no currency.
        reading.note(misfit)
        reading.currency = ""
    reading.decimals = minor_units(reading.currency) or 0
    return _document(reading, paths, kind, sha256), reading.failures


def _document(reading: Reading, paths: Paths, kind: str, sha256: str) -> InvoiceDocument:
    root, totals = reading.root, paths.totals
    minor, text = partial(reading.minor, root), partial(reading.text, root)
    source_type = text(paths.type_code)
    type_code, misfit = checks.type_of(source_type, reading.place(paths.type_code))
    reading.note(misfit)
    number = text(paths.number)
    reading.note(checks.number(number, reading.place(paths.number)))
    preceding = all_at(root, paths.preceding)
    if type_code == CREDIT_NOTE:
        reading.note(checks.preceding(len(preceding), reading.place(paths.preceding)))
    payable = minor(totals.payable)
    reading.note(checks.payable(payable, reading.decimals, reading.place(totals.payable)))
    tax, tax_currency, tax_currency_tax = _taxes(reading, paths)
    days = (reading.day(root, path) for path in paths.due_dates)
    return InvoiceDocument(
        kind=kind,
        type_code=type_code,
        source_type_code=source_type,
        number=number,
        issue_date=reading.day(root, paths.issue_date) or date.min,
        due_date=next((day for day in days if day is not None), None),
        currency=reading.currency,
        decimals=reading.decimals,
        seller=_party(reading, paths.seller, paths.party),
        buyer=_party(reading, paths.buyer, paths.party),
        lines_net_minor=minor(totals.lines_net),
        allowances_minor=minor(totals.allowances),
        charges_minor=minor(totals.charges),
        tax_exclusive_minor=minor(totals.tax_exclusive),
        tax_minor=tax,
        tax_inclusive_minor=minor(totals.tax_inclusive),
        prepaid_minor=minor(totals.prepaid),
        rounding_minor=minor(totals.rounding),
        payable_minor=payable,
        lines=tuple(_line(reading, paths, node) for node in all_at(root, paths.lines)),
        adjustments=_adjustments(reading, paths),
        vat_breakdown=_breakdown(reading, paths),
        tax_currency=tax_currency,
        tax_currency_tax=tax_currency_tax,
        preceding_number=reading.text(preceding[0], paths.preceding_number) if preceding else "",
        preceding_issue_date=_preceding_day(reading, paths, preceding),
        payment_reference=text(paths.payment_reference),
        payment_terms=text(paths.payment_terms, NOTE_MAX),
        iban=_account(reading, paths),
        order_reference=text(paths.order_reference),
        notes=tuple(reading.text_of(node, NOTE_MAX) for node in all_at(root, paths.notes)),
        warnings=tuple(reading.warnings),
        sha256=sha256,
    )


def _preceding_day(reading: Reading, paths: Paths, preceding: list[etree._Element]) -> date | None:
    """Return the issue date of the invoice that a credit note reduces, where it names one."""
    return reading.day(preceding[0], paths.preceding_date) if preceding else None


def _taxes(reading: Reading, paths: Paths) -> tuple[int, str, str]:
    """Return the total VAT, and the tax currency with the total in it (BT-6, BT-111)."""
    tax, in_tax_currency = 0, ""
    tax_currency = reading.text(reading.root, paths.tax_currency)
    for element in all_at(reading.root, paths.totals.tax):
        if element.get("currencyID", reading.currency) == reading.currency:
            tax = reading.minor_of(element)
        elif element.get("currencyID") == tax_currency:
            in_tax_currency = reading.text_of(element)
    return tax, tax_currency, in_tax_currency


def _party(reading: Reading, path: str, paths: PartyPaths) -> DocumentParty:
    found = all_at(reading.root, path)
    if not found:
        return DocumentParty(name="", address=DocumentAddress(country=""))
    node = found[0]
    scheme = reading.attribute(node, paths.legal_id, "schemeID")
    is_lei = scheme == _LEI_SCHEME
    vat = selected(node, paths.vat_id)
    vat_id = reading.text_of(vat[0]) if vat else ""
    if vat_id:
        reading.warn(checks.vat_id(vat_id, location(vat[0])))
    return DocumentParty(
        name=reading.text(node, paths.name),
        address=_address(reading, node, paths),
        lei=_lei(reading, node, paths),
        legal_id="" if is_lei else reading.text(node, paths.legal_id),
        legal_id_scheme="" if is_lei else scheme,
        vat_id=vat_id,
        endpoint=reading.text(node, paths.endpoint),
        endpoint_scheme=reading.attribute(node, paths.endpoint, "schemeID"),
    )


def _lei(reading: Reading, node: etree._Element, paths: PartyPaths) -> str:
    """Return the party's LEI: its legal registration, identifier or endpoint of scheme 0199."""
    for path in (paths.legal_id, paths.identifiers, paths.endpoint):
        for element in all_at(node, path):
            if element.get("schemeID") == _LEI_SCHEME:
                value = reading.text_of(element)
                reading.note(checks.lei(value, location(element)))
                return value
    return ""


def _address(reading: Reading, node: etree._Element, paths: PartyPaths) -> DocumentAddress:
    country = reading.text(node, paths.country)
    reading.note(checks.country(country, f"{location(node)}/{paths.country}"))
    return DocumentAddress(
        country=country,
        street=reading.text(node, paths.street),
        additional_street=reading.text(node, paths.additional_street),
        city=reading.text(node, paths.city),
        postcode=reading.text(node, paths.postcode),
        subdivision=reading.text(node, paths.subdivision),
    )


def _line(reading: Reading, paths: Paths, node: etree._Element) -> DocumentLine:
    line = paths.line
    return DocumentLine(
        id=reading.text(node, line.id),
        name=reading.text(node, line.name),
        quantity=reading.text(node, line.quantity),
        unit=reading.attribute(node, line.quantity, "unitCode"),
        net_minor=reading.minor(node, line.net),
        price=reading.text(node, line.price),
        description=reading.text(node, line.description, NOTE_MAX),
        vat_category=reading.text(node, line.tax.category),
        vat_rate=reading.text(node, line.tax.rate),
        classifications=tuple(
            Classification(item.get("listID", ""), reading.text_of(item))
            for item in all_at(node, line.classes)
        ),
    )


def _adjustments(reading: Reading, paths: Paths) -> tuple[Adjustment, ...]:
    return tuple(
        Adjustment(
            kind=(
                "charge"
                if reading.text(node, paths.adjustment_is_charge) in ("true", "1")
                else "allowance"
            ),
            amount_minor=reading.minor(node, paths.adjustment_amount),
            reason=reading.text(node, paths.adjustment_reason),
            vat_category=reading.text(node, paths.adjustment_tax.category),
            vat_rate=reading.text(node, paths.adjustment_tax.rate),
        )
        for node in all_at(reading.root, paths.adjustments)
    )


def _breakdown(reading: Reading, paths: Paths) -> tuple[VatBreakdown, ...]:
    return tuple(
        VatBreakdown(
            category=reading.text(node, paths.breakdown_category.category),
            rate=reading.text(node, paths.breakdown_category.rate),
            taxable_minor=reading.minor(node, paths.breakdown_taxable),
            tax_minor=reading.minor(node, paths.breakdown_tax),
            exemption_reason=reading.text(node, paths.breakdown_reason),
        )
        for node in all_at(reading.root, paths.breakdown)
    )


def _account(reading: Reading, paths: Paths) -> str:
    account = reading.text(reading.root, paths.account)
    if account:
        reading.warn(checks.iban(account, reading.place(paths.account)))
    return account
