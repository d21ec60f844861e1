"""EN 16931's arithmetic and VAT rules over the record, in integers, with the standard's rule ids.

For our own JSON: XML is judged by the official rules themselves. Locations are JSON pointers.
The tolerance of one unit of currency in BR-CO-17, BR-S-08 and BR-S-09 is the official rules' own.
Source: EN 16931-1:2017, 6.4, and its validation artefacts 1.3.16.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from settlement.documents.errors import RuleFailure
from settlement.documents.model import InvoiceDocument, VatBreakdown
from settlement.documents.repairs import hint
from settlement.money import format_minor

_RATE_SCALE = 10**4
_FAMILY = {"S": "S", "Z": "Z", "E": "E", "AE": "AE", "K": "IC", "G": "G", "O": "O"}
"""A VAT category's letters in rule ids: K (intra-community) is IC there."""

_NEEDS_NO_REASON = ("S", "Z")

_TaxKey = tuple[str, int]
"""A VAT category, and its rate in ten-thousandths of a percent."""


def failures_of(document: InvoiceDocument) -> list[RuleFailure]:
    """Return every arithmetic and VAT rule that the document breaks."""
    return [*_totals(document), *_taxes(document), *_parties(document)]


def _totals(it: InvoiceDocument) -> Iterator[RuleFailure]:
    """Judge BR-CO-10 to BR-CO-16: each total is the sum of its parts."""
    net = sum([line.net_minor for line in it.lines])
    allowances = charges = 0
    for item in it.adjustments:
        if item.kind == "charge":
            charges += item.amount_minor
        else:
            allowances += item.amount_minor
    if it.lines_net_minor != net:
        yield _unequal(it, "BR-CO-10", "lines_net", it.lines_net_minor, net)
    if it.allowances_minor != allowances:
        yield _unequal(it, "BR-CO-11", "allowances", it.allowances_minor, allowances)
    if it.charges_minor != charges:
        yield _unequal(it, "BR-CO-12", "charges", it.charges_minor, charges)
    without_tax = it.lines_net_minor - it.allowances_minor + it.charges_minor
    if it.tax_exclusive_minor != without_tax:
        yield _unequal(it, "BR-CO-13", "tax_exclusive", it.tax_exclusive_minor, without_tax)
    tax = sum([part.tax_minor for part in it.vat_breakdown])
    if it.tax_minor != tax:
        yield _unequal(it, "BR-CO-14", "tax", it.tax_minor, tax)
    with_tax = it.tax_exclusive_minor + it.tax_minor
    if it.tax_inclusive_minor != with_tax:
        yield _unequal(it, "BR-CO-15", "tax_inclusive", it.tax_inclusive_minor, with_tax)
    due = it.tax_inclusive_minor - it.prepaid_minor + it.rounding_minor
    if it.payable_minor != due:
        yield _unequal(it, "BR-CO-16", "payable", it.payable_minor, due)


def _taxes(it: InvoiceDocument) -> Iterator[RuleFailure]:
    """Judge the rates on lines and adjustments, and each part of the VAT breakdown."""
    sums: dict[_TaxKey, int] = {}
    for index, line in enumerate(it.lines):
        key, is_wrong = _tax_key(line.vat_category, line.vat_rate)
        if is_wrong:
            yield _vat(key[0], "05", f"/lines/{index}/vat_rate", line.vat_rate)
        sums[key] = sums.get(key, 0) + line.net_minor
    counts = {"allowance": 0, "charge": 0}
    for item in it.adjustments:
        key, is_wrong = _tax_key(item.vat_category, item.vat_rate)
        if is_wrong:
            rule = "07" if item.kind == "charge" else "06"
            yield _vat(key[0], rule, f"/{item.kind}s/{counts[item.kind]}/vat_rate", item.vat_rate)
        amount = item.amount_minor if item.kind == "charge" else -item.amount_minor
        sums[key] = sums.get(key, 0) + amount
        counts[item.kind] += 1
    seen: set[_TaxKey] = set()
    for index, part in enumerate(it.vat_breakdown):
        key, _ = _tax_key(part.category, part.rate)
        if key in seen:
            yield _vat(part.category, "01", f"/vat_breakdown/{index}", f"{part.rate} twice")
        seen.add(key)
        yield from _part_failures(it, part, f"/vat_breakdown/{index}", sums.get(key))
    categories = {part.category for part in it.vat_breakdown}
    for category, rate in sums:
        if (category, rate) not in seen:
            rule = "08" if category in categories else "01"
            yield _vat(category, rule, "/vat_breakdown", f"no part at {_shown(rate)} %")
    if "O" in categories and len(categories) > 1:
        yield _vat("O", "11", "/vat_breakdown", ", ".join(sorted(categories)))


def _part_failures(
    it: InvoiceDocument, part: VatBreakdown, place: str, used: int | None
) -> Iterator[RuleFailure]:
    """Judge one part of the breakdown against what is `used` of its category and rate."""
    (_, rate), rate_is_wrong = _tax_key(part.category, part.rate)
    one = 10**it.decimals
    if part.category == "S":
        expected = (abs(part.taxable_minor) * rate * 2 // (100 * _RATE_SCALE) + 1) // 2
        if abs(abs(part.tax_minor) - expected) >= one:
            for rule_id in ("BR-CO-17", "BR-S-09"):
                yield _failure(rule_id, f"{place}/tax", _compared(it, part.tax_minor, expected))
        taxable_is_wrong = used is None or abs(part.taxable_minor - used) >= one
    else:
        if part.tax_minor != 0:
            found = format_minor(part.tax_minor, it.decimals)
            yield _vat(part.category, "09", f"{place}/tax", found)
            # The official rule looks at whole units here, rounded half up.
            if (2 * part.tax_minor + one) // (2 * one) != 0:
                yield _failure("BR-CO-17", f"{place}/tax", found)
        taxable_is_wrong = part.taxable_minor != (used or 0)
    if rate_is_wrong:
        rule_id = "BR-48" if not part.rate else "BR-CO-17"
        yield _failure(rule_id, f"{place}/rate", part.rate or "nothing")
    if taxable_is_wrong:
        found = _compared(it, part.taxable_minor, used or 0)
        yield _vat(part.category, "08", f"{place}/taxable", found)
    if bool(part.exemption_reason) == (part.category in _NEEDS_NO_REASON):
        found = part.exemption_reason or "nothing"
        yield _vat(part.category, "10", f"{place}/exemption_reason", found)


def _parties(it: InvoiceDocument) -> Iterator[RuleFailure]:
    """Judge who has to be identified how."""
    seller, buyer = it.seller, it.buyer
    for category in sorted({line.vat_category for line in it.lines}):
        if category == "O":
            if seller.vat_id or buyer.vat_id:
                yield _vat("O", "02", "/seller/vat_id", seller.vat_id or buyer.vat_id)
            continue
        if not seller.vat_id:
            yield _vat(category, "02", "/seller/vat_id", "nothing")
        elif (category == "AE" and not (buyer.vat_id or buyer.legal_id or buyer.lei)) or (
            category == "K" and not buyer.vat_id
        ):
            yield _vat(category, "02", "/buyer/vat_id", "nothing")
    if not (seller.vat_id or seller.legal_id or seller.lei):
        yield _failure("BR-CO-26", "/seller", "no identifier")


@lru_cache(maxsize=1024)
def _tax_key(category: str, text: str) -> tuple[_TaxKey, bool]:
    """Return category and rate in ten-thousandths of a percent, and whether the rate is wrong.

    It has to be above zero for S, absent for O, zero for the rest.
    """
    whole, _, fraction = text.partition(".")
    rate = int((whole or "0") + fraction.ljust(4, "0")[:4])
    if category == "S":
        return (category, rate), rate <= 0
    return (category, rate), bool(text) if category == "O" else rate != 0 or not text


def _shown(rate: int) -> str:
    return format_minor(rate, 4).rstrip("0").rstrip(".")


def _unequal(it: InvoiceDocument, rule_id: str, name: str, found: int, due: int) -> RuleFailure:
    shown = _compared(it, found, due)
    return _failure(rule_id, f"/totals/{name}", shown, "the total is not what its parts add up to")


def _compared(it: InvoiceDocument, found: int, expected: int) -> str:
    shown = format_minor(found, it.decimals)
    return f"{shown}, where the parts give {format_minor(expected, it.decimals)}"


def _vat(category: str, rule: str, place: str, found: str) -> RuleFailure:
    return _failure(f"BR-{_FAMILY[category]}-{rule}", place, found or "nothing")


def _failure(
    rule_id: str, place: str, found: str, message: str = "a rule for VAT or parties is not met"
) -> RuleFailure:
    return RuleFailure(rule_id, place, found, message, hint(rule_id).repair)
