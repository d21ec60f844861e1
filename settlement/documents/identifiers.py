"""Identifiers in documents: LEI, VAT numbers, IBAN, currency and country codes, and clean text.

Says what is wrong with a value. It does not know where the value stood.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from iso4217 import Currency
from stdnum import get_cc_module, iban, lei
from stdnum.exceptions import ValidationError

NUMBER_MAX = 100
"""Characters of an invoice number: more is an error or an attack."""

NOT_MONEY = frozenset({"XXX", "XTS"})
"""ISO 4217 codes for "no currency" and "for testing"."""

COUNTRIES = frozenset(
    """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS
    BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE
    EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM
    HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC
    LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA
    NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW
    SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO
    TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW XI 1A
    """.split()
)
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
    """Return the currency's minor units, or None where it is no currency of money. Source: ISO 4217."""
    return _MINOR_UNITS.get(currency)


@lru_cache(maxsize=8192)
def lei_fault(value: str) -> str:
    """Return what is wrong with a Legal Entity Identifier, or "". Source: ISO 17442."""
    if len(value) != 20 or not value.isascii() or not value.isalnum() or value != value.upper():
        return "a Legal Entity Identifier has 20 capital letters and digits"
    return "" if lei.is_valid(value) else "the last two digits do not check (ISO 7064, mod 97-10)"


@lru_cache(maxsize=8192)
def vat_fault(value: str) -> str:
    """Return what is wrong with a VAT number, or ""; a country whose numbers have no check passes."""
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
