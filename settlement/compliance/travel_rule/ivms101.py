"""IVMS 101 (version 101.2023): the shapes of a travel-rule payload, checked when they are made.

Knows nobody: `building` fills them. Field names are Python's here, the standard's in JSON.

Source: interVASP Messaging Standard IVMS 101, version 2023; C numbers are its constraints.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic.alias_generators import to_camel

VERSION: Literal["101.2023"] = "101.2023"

Max50 = Annotated[str, StringConstraints(min_length=1, max_length=50)]
Max70 = Annotated[str, StringConstraints(min_length=1, max_length=70)]
Max100 = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Max140 = Annotated[str, StringConstraints(min_length=1, max_length=140)]
Max16 = Annotated[str, StringConstraints(min_length=1, max_length=16)]
Max35 = Annotated[str, StringConstraints(min_length=1, max_length=35)]
Country = Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")]
Day = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
RegistrationAuthority = Annotated[str, StringConstraints(pattern="^RA[0-9]{6}$")]
Lei = Annotated[str, StringConstraints(pattern="^[A-Z0-9]{18}[0-9]{2}$")]

AddressType = Literal["HOME", "BIZZ", "GEOG"]
LegalNameType = Literal["LEGL", "SHRT", "TRAD"]
NaturalNameType = Literal["ALIA", "BIRT", "MAID", "LEGL", "MISC"]
LegalIdType = Literal["RAID", "FIIN", "TXID", "LEIX", "MISC"]
NaturalIdType = Literal["ARNU", "CCPT", "DRLC", "FIIN", "TXID", "SOCS", "IDCD", "MISC"]
NO_AUTHORITY = "RA999999"
"""Of a registration authority that has no code. Source: GLEIF registration authorities list."""


class _Shape(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel, extra="forbid", frozen=True, populate_by_name=True
    )


class Address(_Shape):
    """A location; with lines, or with a street and a number or name of a building (C8)."""

    address_type: AddressType
    street_name: Max70 | None = None
    building_number: Max16 | None = None
    building_name: Max35 | None = None
    postcode: Max16 | None = None
    town_name: Max35
    country_sub_division: Max35 | None = None
    country: Country
    address_line: Annotated[list[Max70], Field(max_length=7)] | None = None

    @model_validator(mode="after")
    def _is_located(self) -> Self:
        is_structured = self.street_name and (self.building_number or self.building_name)
        if not self.address_line and not is_structured:
            raise ValueError("C8: an address has lines, or a street and a building")
        return self


class LegalName(_Shape):
    """A name of a legal person."""

    legal_person_name: Max100
    legal_person_name_identifier_type: LegalNameType


class LegalNames(_Shape):
    """All names of a legal person; one of them is the legal one (C5)."""

    name_identifier: Annotated[list[LegalName], Field(min_length=1, max_length=3)]

    @model_validator(mode="after")
    def _has_a_legal_name(self) -> Self:
        if all(each.legal_person_name_identifier_type != "LEGL" for each in self.name_identifier):
            raise ValueError("C5: one of the names is the legal one")
        return self


class LegalId(_Shape):
    """An identifier of a legal person. No country; an authority unless it is an LEI (C9)."""

    national_identifier: Max35
    national_identifier_type: LegalIdType
    registration_authority: RegistrationAuthority | None = None

    @model_validator(mode="after")
    def _names_its_authority(self) -> Self:
        is_lei = self.national_identifier_type == "LEIX"
        if is_lei == (self.registration_authority is not None):
            raise ValueError("C9: an authority is named for all but an LEI")
        return self


class LegalPerson(_Shape):
    """A company. It has an address, an identifier or a customer number (C4)."""

    name: LegalNames
    geographic_address: Annotated[list[Address], Field(max_length=5)] | None = None
    customer_identification: Max50 | None = None
    national_identification: LegalId | None = None
    country_of_registration: Country | None = None

    @model_validator(mode="after")
    def _can_be_told_apart(self) -> Self:
        is_placed = any(each.address_type == "GEOG" for each in self.geographic_address or ())
        if not (is_placed or self.customer_identification or self.national_identification):
            raise ValueError("C4: a legal person has a registered address, an identifier or number")
        return self


class NaturalName(_Shape):
    """A name of a natural person; where it is not known which part is which, all is primary."""

    primary_identifier: Max100
    secondary_identifier: Max100 | None = None
    natural_person_name_identifier_type: NaturalNameType


class NaturalNames(_Shape):
    """All names of a natural person; one of them is the legal one (C6)."""

    name_identifier: Annotated[list[NaturalName], Field(min_length=1, max_length=5)]


class NaturalId(_Shape):
    """An identifier of a natural person; of a country, never of a registration authority."""

    national_identifier: Max35
    national_identifier_type: NaturalIdType
    country_of_issue: Country | None = None


class Birth(_Shape):
    """When and where somebody was born."""

    date_of_birth: Day
    place_of_birth: Max70


class NaturalPerson(_Shape):
    """A human being who trades in his own name."""

    name: NaturalNames
    geographic_address: Annotated[list[Address], Field(max_length=5)] | None = None
    national_identification: NaturalId | None = None
    customer_identification: Max50 | None = None
    date_and_place_of_birth: Birth | None = None
    country_of_residence: Country | None = None

    @model_validator(mode="after")
    def _can_be_told_apart(self) -> Self:
        if not (
            self.geographic_address
            or self.customer_identification
            or self.national_identification
            or self.date_and_place_of_birth
        ):
            raise ValueError("C1: a natural person has an address, a number or a date of birth")
        return self


class Person(_Shape):
    """A natural or a legal person, not both, with the accounts that are used."""

    natural_person: NaturalPerson | None = None
    legal_person: LegalPerson | None = None
    account_number: Annotated[list[Max100], Field(max_length=20)] | None = None

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if (self.natural_person is None) == (self.legal_person is None):
            raise ValueError("a person is either natural or legal")
        return self


class Originator(_Shape):
    """Who pays."""

    originator_person: Annotated[list[Person], Field(min_length=1, max_length=10)]


class Beneficiary(_Shape):
    """Who is paid."""

    beneficiary_person: Annotated[list[Person], Field(min_length=1, max_length=10)]


class Metadata(_Shape):
    """Which version of the standard it is."""

    payload_version: Literal["101.2023"]


class Payload(_Shape):
    """All that travels with a payment."""

    originator: Originator
    beneficiary: Beneficiary
    originating_vasp: Annotated[Person | None, Field(alias="originatingVASP")] = None
    beneficiary_vasp: Annotated[Person | None, Field(alias="beneficiaryVASP")] = None
    payload_metadata: Metadata


def plain(shape: BaseModel) -> Any:
    """Return a shape as JSON values by the standard's names; what is absent is left out."""
    return shape.model_dump(by_alias=True, exclude_none=True)
