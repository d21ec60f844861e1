"""Who somebody says to be: legal form, identifiers, names and a structured address, checked.

Pure; knows no database. Raises at the first field that its standard does not know.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from stdnum import get_cc_module
from stdnum.exceptions import ValidationError

from settlement.documents.identifiers import COUNTRIES, lei_fault, text_fault, vat_fault
from settlement.errors import Invalid
from settlement.participants.requirements import FORMS

TEXT_MAX = 140
"""Characters of a name or an address line. Source: ISO 20022, Max140Text."""
TAX_ID_MAX = 35
"""Source: ISO 20022, Max35Text."""
BUILDING_MAX = 16
ALIASES_MAX = 20

_TAX_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z ./-]*\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class NewParticipant:
    """Somebody as it asks to take part. Source: ISO 20022, PostalAddress24."""

    lei: str | None
    """A legal entity has one; others may."""
    name: str
    country: str
    """ISO 3166-1 alpha-2."""
    town: str
    street: str = ""
    post_code: str = ""
    vat_id: str | None = None
    wallets: tuple[str, ...] = ()
    """Addresses as a person writes them."""
    legal_form: str = "legal_entity"
    tax_id: str | None = None
    building_number: str = ""
    subdivision: str = ""
    aliases: tuple[str, ...] = ()
    """Other names: trading, former."""


Fault = tuple[str, object, str]
"""Field, value and what is wrong with it; an empty text: nothing."""


def check(company: NewParticipant, prefix: str = "") -> None:
    """Return quietly if every field is what its standard says.

    Raises:
        Invalid: one is not; `field` says which, behind `prefix`.
    """
    faults: list[Fault] = [
        ("legal_form", company.legal_form,
         "" if company.legal_form in FORMS else f"one of {', '.join(FORMS)}"),
        ("lei", company.lei, _lei_fault(company)),
        ("country", company.country, country_fault(company.country)),
        ("vat_id", company.vat_id, "" if company.vat_id is None else vat_fault(company.vat_id)),
        ("tax_id", company.tax_id, _tax_fault(company.tax_id, company.country)),
        ("name", company.name, line_fault(company.name)),
        ("town", company.town, line_fault(company.town)),
        ("street", company.street, line_fault(company.street, needed=False)),
        ("post_code", company.post_code, line_fault(company.post_code, needed=False)),
        ("subdivision", company.subdivision, line_fault(company.subdivision, needed=False)),
        ("building_number", company.building_number,
         line_fault(company.building_number, most=BUILDING_MAX, needed=False)),
        ("aliases", len(company.aliases),
         "" if len(company.aliases) <= ALIASES_MAX else f"at most {ALIASES_MAX}"),
        *(("aliases", alias, line_fault(alias)) for alias in company.aliases),
    ]  # fmt: skip
    refuse(faults, prefix)


def require_tax_number(company: NewParticipant) -> None:
    """Return quietly if somebody names a VAT number or another tax authority's.

    Raises:
        Invalid: neither is there.
    """
    if company.vat_id is None and company.tax_id is None:
        raise Invalid(
            "neither a VAT number nor a tax number is given",
            field="vat_id",
            repair="send vat_id, or tax_id where there is no VAT number",
        )


def refuse(faults: Iterable[Fault], prefix: str = "") -> None:
    """Raise the first fault that is one.

    Raises:
        Invalid: with the field.
    """
    for field, value, fault in faults:
        if fault:
            said = f"{field} {str(value)[:64]!r}" if value is not None else field
            raise Invalid(f"{said}: {fault}", field=prefix + field, repair="correct it")


def line_fault(value: str, *, most: int = TEXT_MAX, needed: bool = True) -> str:
    """Return what is wrong with a line of text, or ""."""
    if needed and not value.strip():
        return "it is needed"
    if len(value) > most:
        return f"it has more than {most} characters"
    return text_fault(value)


def country_fault(value: str) -> str:
    """Return what is wrong with a country's code, or ""."""
    return "" if value in COUNTRIES else "no ISO 3166-1 alpha-2 country code"


def _lei_fault(company: NewParticipant) -> str:
    if company.lei is None:
        return "a legal entity has a LEI" if company.legal_form == "legal_entity" else ""
    return lei_fault(company.lei)


def _tax_fault(value: str | None, country: str) -> str:
    """Return what is wrong with a tax number, or ""; not every country has a check."""
    if value is None:
        return ""
    if len(value) > TAX_ID_MAX or not _TAX_ID.match(value):
        return f"1 to {TAX_ID_MAX} letters and digits, with spaces, dots, slashes and hyphens"
    module = _tax_module(country)
    if module is None:
        return ""
    try:
        module.validate(value)
    except ValidationError as error:
        return f"it is no valid tax number of {country} ({error})"
    return ""


def _tax_module(country: str) -> Any:
    """Return what checks a country's tax numbers, by either of the names that it may have."""
    if country not in COUNTRIES:
        return None
    return get_cc_module(country.lower(), "tin") or get_cc_module(country.lower(), "inn")
