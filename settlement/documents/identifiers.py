"""Identifiers in documents: LEI, VAT numbers, IBAN, currency and country codes, and clean text.

Says what is wrong with a value. It does not know where the value stood.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from iso3166 import countries_by_alpha2
from iso4217 import Currency
from stdnum import get_cc_module, iban, lei
from stdnum.exceptions import ValidationError

NUMBER_MAX = 100
"""Characters of an invoice number: more is an error or an attack."""

NOT_MONEY = frozenset({"XXX", "XTS"})
"""ISO 4217 codes for "no currency" and "for testing"."""

COUNTRIES = frozenset(countries_by_alpha2) | {"XI", "1A"}
"""ISO 3166-1 alpha-2, and the two that EN 16931 adds: XI (Northern Ireland), 1A (Kosovo)."""

_MINOR_UNITS = {
    currency.code: currency.exponent
    for currency in Currency
    if currency.exponent is not None and currency.code not in NOT_MONEY
}
_VAT_PREFIXES = {"EL": "GR"}
_UNSAFE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\uffff]"
)
"""Controls, direction overrides and non-characters: they hide or reorder what a person reads."""


def minor_units(currency: str) -> int | None:
    """Return the currency's minor units; None where it is no money. Source: ISO 4217."""
    return _MINOR_UNITS.get(currency)


@lru_cache(maxsize=8192)
def lei_fault(value: str) -> str:
    """Return what is wrong with a Legal Entity Identifier, or "". Source: ISO 17442."""
    if len(value) != 20 or not value.isascii() or not value.isalnum() or value != value.upper():
        return "a Legal Entity Identifier has 20 capital letters and digits"
    return "" if lei.is_valid(value) else "the last two digits do not check (ISO 7064, mod 97-10)"


@lru_cache(maxsize=8192)
def vat_fault(value: str) -> str:
    """Return what is wrong with a VAT number, or ""; not every country has a check."""
    country, number = value[:2], value[2:]
    if country not in COUNTRIES and country != "EL":
        return f"the prefix {country!r} is no ISO 3166-1 country code"
    module = get_cc_module(_VAT_PREFIXES.get(country, country).lower(), "vat")
    if module is None:
        return "" if number.isascii() and number.isalnum() else "only letters and digits may follow"
    try:
        module.validate(number)
    except ValidationError as error:
        return f"it is no valid {country} VAT number ({error})"
    return ""


@lru_cache(maxsize=8192)
def iban_fault(value: str) -> str:
    """Return what is wrong with an IBAN, or "". Source: ISO 13616."""
    return "" if iban.is_valid(value) else "the IBAN's check digits or length are wrong"


def text_fault(value: str) -> str:
    """Return what is wrong with a free text, or "": controls and hidden direction marks."""
    found = None if value.isascii() and value.isprintable() else _UNSAFE.search(value)
    return f"it holds the control character U+{ord(found.group()):04X}" if found else ""


def number_fault(value: str) -> str:
    """Return what is wrong with a document number, or "".

    A number identifies: what looks like another one, or breaks a log line, is refused.
    """
    if not value or value != value.strip() or len(value) > NUMBER_MAX:
        return f"it must have 1 to {NUMBER_MAX} characters, no spaces around them"
    if value.isascii():
        return "" if value.isprintable() else "it holds a control character"
    if not value.isprintable() or unicodedata.normalize("NFKC", value) != value:
        return "it holds hidden or look-alike characters (Unicode NFKC changes it)"
    scripts = {name for name in map(_script, value) if name}
    return "it mixes alphabets that look alike" if len(scripts) > 1 else ""


def _script(character: str) -> str:
    """Return the alphabet of a letter that has twins in another one: Latin, Greek, Cyrillic."""
    name = unicodedata.name(character, "").partition(" ")[0]
    return name if name in {"LATIN", "GREEK", "CYRILLIC"} else ""
