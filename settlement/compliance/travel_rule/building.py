"""What the register knows of a party, put into the shapes of IVMS 101; and what it lacks. Pure.

Where the register has more than a shape holds (a name of more than 100 characters), it is cut.
"""

from __future__ import annotations

from typing import NamedTuple

from settlement.compliance.travel_rule import ivms101 as ivms
from settlement.participants.profiles import ERASED

LEGAL_ENTITY = "legal_entity"


class Registered(NamedTuple):
    """A party as it is registered, with the wallet that is used."""

    participant_id: str
    legal_form: str
    name: str
    country: str
    subdivision: str
    street: str
    building_number: str
    post_code: str
    town: str
    lei: str | None
    vat_id: str | None
    tax_id: str | None
    wallet: str
    provider: str | None
    """Who keeps the wallet; None: the party itself."""


def person(party: Registered) -> ivms.Person:
    """Return a party as a person with its account."""
    accounts = [party.wallet]
    if party.legal_form == LEGAL_ENTITY:
        return ivms.Person(legal_person=_legal(party), account_number=accounts)
    return ivms.Person(natural_person=_natural(party), account_number=accounts)


def provider(party: Registered) -> ivms.Person | None:
    """Return who keeps the party's wallet, as far as it is known."""
    if party.provider is None:
        return None
    name = ivms.LegalName(
        legal_person_name=party.provider[:100], legal_person_name_identifier_type="LEGL"
    )
    known = ivms.LegalPerson(
        name=ivms.LegalNames(name_identifier=[name]),
        # Of a provider no more is registered than what it is called.
        customer_identification=party.provider[:50],
    )
    return ivms.Person(legal_person=known)


def lacks_as_originator(party: Registered) -> tuple[str, ...]:
    """Return what is missing of who pays: a name, an account, and one thing that tells it apart.

    Source: FATF Recommendation 16, paragraph 7; Regulation (EU) 2023/1113, article 14.
    """
    return (
        *_lacks_name_or_town(party, "originator"),
        *(() if party.wallet else ("the originator's account",)),
        *(
            ()
            if _identifier(party) or _is_located(party)
            else ("an address or official number of the originator",)
        ),
    )


def lacks_as_beneficiary(party: Registered) -> tuple[str, ...]:
    """Return what is missing of who is paid: a name or an account."""
    return (
        *_lacks_name_or_town(party, "beneficiary"),
        *(() if party.wallet else ("the beneficiary's account",)),
    )


def _lacks_name_or_town(party: Registered, side: str) -> tuple[str, ...]:
    has_name = party.name.strip() not in ("", ERASED)
    town = () if party.town.strip() else (f"the {side}'s town",)
    return town if has_name else (f"the {side}'s name", *town)


def _legal(party: Registered) -> ivms.LegalPerson:
    name = ivms.LegalName(
        legal_person_name=party.name[:100], legal_person_name_identifier_type="LEGL"
    )
    number: ivms.LegalId | None = None
    if party.lei:
        number = ivms.LegalId(national_identifier=party.lei, national_identifier_type="LEIX")
    elif _identifier(party):
        number = ivms.LegalId(
            national_identifier=_identifier(party)[:35],
            national_identifier_type="TXID",
            registration_authority=ivms.NO_AUTHORITY,
        )
    return ivms.LegalPerson(
        name=ivms.LegalNames(name_identifier=[name]),
        geographic_address=[_address(party, "GEOG")],
        customer_identification=party.participant_id[:50],
        national_identification=number,
        country_of_registration=party.country,
    )


def _natural(party: Registered) -> ivms.NaturalPerson:
    name = ivms.NaturalName(
        primary_identifier=party.name[:100], natural_person_name_identifier_type="LEGL"
    )
    number: ivms.NaturalId | None = None
    if _identifier(party):
        number = ivms.NaturalId(
            national_identifier=_identifier(party)[:35],
            national_identifier_type="TXID",
            country_of_issue=party.country,
        )
    return ivms.NaturalPerson(
        name=ivms.NaturalNames(name_identifier=[name]),
        geographic_address=[_address(party, "HOME")],
        national_identification=number,
        customer_identification=party.participant_id[:50],
        country_of_residence=party.country,
    )


def _address(party: Registered, kind: ivms.AddressType) -> ivms.Address:
    """Return the address: structured where a street and a number are known, else as a line."""
    is_structured = bool(party.street and party.building_number)
    line = " ".join(part for part in (party.street, party.post_code, party.town) if part)
    return ivms.Address(
        address_type=kind,
        street_name=party.street[:70] if is_structured else None,
        building_number=party.building_number[:16] if is_structured else None,
        postcode=party.post_code[:16] or None,
        town_name=party.town[:35],
        country_sub_division=party.subdivision[:35] or None,
        country=party.country,
        address_line=None if is_structured else [line[:70]],
    )


def _identifier(party: Registered) -> str:
    return party.lei or party.tax_id or party.vat_id or ""


def _is_located(party: Registered) -> bool:
    """Whether the address is more than a town: a street, or a post code."""
    return bool(party.street or party.post_code)
