"""Our own rules (SR-…), for every syntax: what EN 16931 leaves open and a payment needs decided.

Pure: a value and its place in, a failure or None out. Arithmetic is judged elsewhere.
"""

from __future__ import annotations

from settlement.documents.errors import RuleFailure
from settlement.documents.identifiers import (
    COUNTRIES,
    iban_fault,
    lei_fault,
    minor_units,
    number_fault,
    text_fault,
    vat_fault,
)
from settlement.documents.model import CREDIT_NOTE, INVOICE
from settlement.money import MINOR_MAX, format_minor

_CLAIMS = "80 82 84 130 202 203 204 211 295 326 380 383 386 387 388 389 390 393 394 395 456 457"
_CLAIMS += " 527 575 623 633 780 817 870 875 876 877"
_CREDITS = "81 83 261 262 296 308 381 396 420 458 532"
_NO_CLAIMS = {
    "325": "a pro forma invoice asks for no payment",
    "384": "a corrected invoice replaces another one, so both could be paid",
    "751": "an invoice for accounting asks for no payment",
    "935": "a customs invoice asks for no payment",
}
_TYPES = {
    **dict.fromkeys(_CLAIMS.split(), INVOICE),
    **dict.fromkeys(_CREDITS.split(), CREDIT_NOTE),
}
"""UNTDID 1001, as far as EN 16931 allows it in BT-3, to what it is for a payment."""


def type_of(code: str, location: str) -> tuple[str, RuleFailure | None]:
    """Return 380 or 381 for a type code (BT-3), with the failure where it makes no claim."""
    if code not in _TYPES:
        why = _NO_CLAIMS.get(code, "the type code is no invoice's or credit note's")
        repair = (
            "Send an invoice (380) or credit note (381); correct by credit note and new invoice."
        )
        return INVOICE, RuleFailure("SR-TYPE", location, code or "nothing", why, repair)
    return _TYPES[code], None


def currency(code: str, location: str) -> RuleFailure | None:
    """Refuse what is no currency of money (BT-5)."""
    if minor_units(code) is not None:
        return None
    return RuleFailure(
        "SR-CURRENCY",
        location,
        code or "nothing",
        "the currency is not a current ISO 4217 code of money",
        "Use an ISO 4217 code such as EUR, USD, AED, CNY or INR.",
    )


def country(code: str, location: str) -> RuleFailure | None:
    """Refuse what is no country code (BT-40, BT-55)."""
    if code in COUNTRIES:
        return None
    return RuleFailure(
        "SR-COUNTRY",
        location,
        code or "nothing",
        "the country is not an ISO 3166-1 alpha-2 code",
        "Use two capital letters such as DE, AE, IN or CN.",
    )


def number(value: str, location: str) -> RuleFailure | None:
    """Refuse a document number (BT-1) that hides something or does not fit."""
    fault = number_fault(value)
    if not fault:
        return None
    repair = "Use letters of one alphabet, digits and ordinary punctuation."
    return RuleFailure("SR-NUMBER", location, repr(value[:120]), f"number: {fault}", repair)


def text(value: str, location: str, limit: int) -> RuleFailure | None:
    """Refuse a text that is too long or holds hidden characters."""
    fault = f"it has more than {limit} characters" if len(value) > limit else text_fault(value)
    if not fault:
        return None
    repair = f"Write plain text of at most {limit} characters."
    return RuleFailure("SR-TEXT", location, repr(value[:60]), f"text: {fault}", repair)


def lei(value: str, location: str) -> RuleFailure | None:
    """Refuse a wrong Legal Entity Identifier: parties are found by it."""
    fault = lei_fault(value)
    if not fault:
        return None
    repair = "Copy the 20 characters from the GLEIF register."
    return RuleFailure("SR-LEI", location, value[:60], f"LEI: {fault}", repair)


def vat_id(value: str, location: str) -> RuleFailure | None:
    """Name a VAT number (BT-31, BT-48) that does not check."""
    fault = vat_fault(value)
    if not fault:
        return None
    repair = "Write the country code and the number as the tax office gave it."
    return RuleFailure("SR-VAT", location, value[:60], f"VAT identifier: {fault}", repair)


def iban(value: str, location: str) -> RuleFailure | None:
    """Name an account (BT-84) that looks like an IBAN and does not check."""
    if not (value[:2].isalpha() and value[2:4].isdigit()) or not iban_fault(value):
        return None
    repair = "Copy the IBAN from the bank's statement."
    return RuleFailure("SR-IBAN", location, value[:60], iban_fault(value), repair)


def payable(minor: int, decimals: int, location: str) -> RuleFailure | None:
    """Refuse an amount due (BT-115) that cannot be paid."""
    if 0 < minor <= MINOR_MAX:
        return None
    limit = format_minor(MINOR_MAX, decimals)
    return RuleFailure(
        "SR-PAYABLE",
        location,
        format_minor(minor, decimals),
        f"the amount due must be more than zero and at most {limit}",
        "Send no document where nothing is due; send a credit note (381) where you owe the buyer.",
    )


def range_of(minor: int, decimals: int, location: str) -> RuleFailure | None:
    """Refuse an amount that no 64-bit integer of minor units holds."""
    if -MINOR_MAX <= minor <= MINOR_MAX:
        return None
    return RuleFailure(
        "SR-AMOUNT",
        location,
        format_minor(minor, decimals)[:60],
        f"amounts have at most {format_minor(MINOR_MAX, decimals)}",
        "Check the amount; split the invoice if it is right.",
    )


def decimals_of(found: str, decimals: int, location: str) -> RuleFailure:
    """Return the failure of an amount finer than the currency's minor unit."""
    return RuleFailure(
        "SR-DECIMALS",
        location,
        found[:60],
        f"the currency has {decimals} digits after the point; more cannot be paid",
        f"Round the amount to {decimals} digits and correct the totals.",
    )


def preceding(count: int, location: str) -> RuleFailure | None:
    """Refuse a credit note that reduces several invoices at once (BG-3)."""
    if count <= 1:
        return None
    return RuleFailure(
        "SR-PRECEDING",
        location,
        f"{count} preceding invoices",
        "a credit note reduces one invoice",
        "Send one credit note for each invoice.",
    )
