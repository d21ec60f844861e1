"""From a misfit of shape to the rule that it breaks: which field stands for which business term.

Runs only for documents that are refused. Pure: pydantic's errors in, failures out.
"""

from __future__ import annotations

import re
from typing import Any

from pydantic import ValidationError

from settlement.documents.errors import RuleFailure
from settlement.documents.repairs import hint

_MANDATORY = {
    "/type_code": "BR-04",
    "/number": "BR-02",
    "/issue_date": "BR-03",
    "/currency": "BR-05",
    "/seller": "BR-06",
    "/seller/name": "BR-06",
    "/seller/address": "BR-08",
    "/seller/address/country": "BR-09",
    "/buyer": "BR-07",
    "/buyer/name": "BR-07",
    "/buyer/address": "BR-10",
    "/buyer/address/country": "BR-11",
    "/lines": "BR-16",
    "/lines/*/id": "BR-21",
    "/lines/*/quantity": "BR-22",
    "/lines/*/unit": "BR-23",
    "/lines/*/net": "BR-24",
    "/lines/*/name": "BR-25",
    "/lines/*/price": "BR-26",
    "/lines/*/vat_category": "BR-CO-04",
    "/allowances/*/amount": "BR-31",
    "/allowances/*/vat_category": "BR-32",
    "/allowances/*/reason": "BR-33",
    "/charges/*/amount": "BR-36",
    "/charges/*/vat_category": "BR-37",
    "/charges/*/reason": "BR-38",
    "/vat_breakdown": "BR-CO-18",
    "/vat_breakdown/*/taxable": "BR-45",
    "/vat_breakdown/*/tax": "BR-46",
    "/vat_breakdown/*/category": "BR-47",
    "/totals": "BR-12",
    "/totals/lines_net": "BR-12",
    "/totals/tax_exclusive": "BR-13",
    "/totals/tax": "BR-CO-14",
    "/totals/tax_inclusive": "BR-14",
    "/totals/payable": "BR-15",
}
_AMOUNTS = frozenset(
    [
        "net",
        "allowance",
        "charge",
        "amount",
        "taxable",
        "tax",
        "lines_net",
        "tax_exclusive",
        "tax_inclusive",
        "payable",
        "allowances",
        "charges",
        "prepaid",
        "rounding",
        "price",
        "price_quantity",
        "quantity",
    ]
)
_DAYS = frozenset({"issue_date", "due_date", "preceding_issue_date"})
_CATEGORIES = frozenset({"vat_category", "category"})
_AMOUNT_REPAIR = (
    'Write a JSON string of digits with one point, such as "1200.50": no number, exponent, plus '
    "sign, leading zero, blank or separator."
)
_PLAIN = re.compile(r"-?([0-9]+)(?:\.([0-9]+))?")
_DIGITS = {"quantity": (12, 6), "price": (18, 6), "price_quantity": (18, 6)}
"""Digits before and behind the point, of what is no amount of money."""
_FOUND_MAX = 100


def shape_failures(error: ValidationError) -> list[RuleFailure]:
    """Return a failure for every misfit that pydantic found, in the order of the document."""
    return [_failure(entry) for entry in error.errors(include_url=False, include_context=False)]


def in_json_words(value: object) -> str:
    """Return what was found, in the words of JSON; text in its quotes."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "an array"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return repr(value)


def _failure(entry: Any) -> RuleFailure:
    steps = entry["loc"]
    place = "/" + "/".join(str(step) for step in steps)
    field = str(steps[-1]) if steps else ""
    kind, found = entry["type"], in_json_words(entry["input"])[:_FOUND_MAX]
    starred = "/" + "/".join("*" if isinstance(step, int) else step for step in steps)
    empty = kind in ("too_short", "string_too_short") or entry["input"] is None
    if kind == "missing" or (empty and starred in _MANDATORY):
        rule_id = _MANDATORY.get(starred, "SR-FIELD")
        shown = "nothing" if kind == "missing" else found
        return RuleFailure(rule_id, place, shown, "a mandatory field", hint(rule_id).repair)
    if kind == "extra_forbidden":
        repair = "Leave the field out; check its spelling against the schema."
        return RuleFailure("SR-UNKNOWN", place, found, "no such field", repair)
    if field in _AMOUNTS and kind.startswith("string"):
        message = _amount_rule(field, entry["input"])
        return RuleFailure("SR-AMOUNT", place, found, message, _AMOUNT_REPAIR)
    if field in _DAYS:
        repair = 'Write the day as "YYYY-MM-DD".'
        return RuleFailure("SR-DATE", place, found, "no day", repair)
    if field in _CATEGORIES:
        return RuleFailure("BR-CL-17", place, found, entry["msg"], hint("BR-CL-17").repair)
    if kind == "too_long":
        repair = "Split the invoice into several."
        return RuleFailure("SR-SIZE", place, "a longer list", entry["msg"], repair)
    repair = "Write the field as the schema describes it."
    return RuleFailure("SR-FIELD", place, found, entry["msg"], repair)


def _amount_rule(field: str, value: object) -> str:
    """Return the rule that an amount, price or quantity breaks by the way it is written."""
    if not isinstance(value, str):
        return "an amount is a decimal string, never a JSON number"
    found = _PLAIN.fullmatch(value)
    if found is None:
        return "an amount is written in digits 0-9 with at most one point between them"
    whole, fraction = found.groups("")
    most_whole, most_fraction = _DIGITS.get(field, (18, 4))
    if whole != "0" and whole.startswith("0"):
        return "an amount begins with no zero that could be left out"
    if len(whole) > most_whole or len(fraction) > most_fraction:
        return f"it has at most {most_whole} digits before the point and {most_fraction} behind it"
    return "this amount may not be negative"
