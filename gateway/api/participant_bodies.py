"""What the commands about participants take."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gateway.json_body import Body

Line = Annotated[str, Field(max_length=140)]
Country = Annotated[str, Field(pattern="^[A-Z0-9]{2}$", description="ISO 3166-1 alpha-2.")]
Day = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", description="ISO 8601.")]
Reason = Annotated[str, Field(min_length=1, max_length=500)]
Address = Annotated[str, Field(max_length=42, description="0x and 40 hexadecimal digits.")]
ShareBp = Annotated[int, Field(ge=0, le=10_000, description="Basis points of the whole.")]
Form = Literal["legal_entity", "sole_proprietor", "individual"]


class ApplyBody(Body):
    """Somebody who asks to take part."""

    legal_form: Form
    name: Line
    lei: Annotated[str | None, Field(max_length=20, description="A legal entity has one.")] = None
    vat_id: Annotated[str | None, Field(max_length=20)] = None
    tax_id: Annotated[str | None, Field(max_length=35, description="Where there is no VAT id.")] = (
        None
    )
    country: Country
    subdivision: Line = ""
    town: Line
    post_code: Line = ""
    street: Line = ""
    building_number: Annotated[str, Field(max_length=16)] = ""
    aliases: Annotated[list[Line], Field(max_length=20)] = []


class ReasonBody(Body):
    """Why."""

    reason: Reason


class ActivationBody(Body):
    """Why it may take part, and until when it need not be looked at again."""

    reason: Reason
    review_on: Day | None = None


class DocumentBody(Body):
    """A document as it was looked at; the file itself stays where it is."""

    kind: Annotated[str, Field(max_length=40)]
    number: Annotated[str, Field(max_length=100)]
    issuer: Line
    issued_on: Day
    expires_on: Day | None = None
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="Of the file.")]
    holder_name: Line | None = None
    holder_country: Country | None = None
    holder_birth_date: Day | None = None


class OwnerLine(Body):
    """An owner or controller: a participant, a person, or a company outside."""

    kind: Literal["participant", "person", "company"]
    role: Literal["owner", "controller"] = "owner"
    share_bp: ShareBp
    participant_id: Annotated[str | None, Field(max_length=40)] = None
    name: Line | None = None
    country: Country | None = None
    birth_date: Day | None = None
    number: Annotated[str | None, Field(max_length=40)] = None


class OwnersBody(Body):
    """All owners and controllers: what was declared before counts no more."""

    owners: Annotated[list[OwnerLine], Field(min_length=1, max_length=100)]
    reason: Reason


class AccountBody(Body):
    """An account at a bank: an IBAN, or a number with its clearing code."""

    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]
    iban: Annotated[str | None, Field(max_length=42)] = None
    account_number: Annotated[str | None, Field(max_length=40)] = None
    clearing_system: Annotated[str | None, Field(max_length=5)] = None
    clearing_code: Annotated[str | None, Field(max_length=20)] = None
    bic: Annotated[str | None, Field(max_length=11)] = None
    reason: Reason


class ChallengeBody(Body):
    """An address that somebody says to hold."""

    address: Address
    kind: Literal["custodial", "self_hosted"]
    provider: Annotated[str | None, Field(max_length=140, description="Of a custodial one.")] = None


class ProofBody(Body):
    """The answer to a challenge."""

    challenge_id: Annotated[str, Field(max_length=40)]
    method: Literal["eip191", "eip712", "eip1271"]
    signature: Annotated[str, Field(pattern="^0x([0-9a-fA-F]{2})+$", max_length=16_386)]
    reason: Reason


class WalletRemovalBody(Body):
    """An address that is given up."""

    address: Address
    reason: Reason


class NameBody(Body):
    """A new name; the old one is kept as a former one."""

    name: Line
    reason: Reason


class AddressBody(Body):
    """A new address, whole."""

    country: Country
    subdivision: Line = ""
    town: Line
    post_code: Line = ""
    street: Line = ""
    building_number: Annotated[str, Field(max_length=16)] = ""
    reason: Reason


class AliasLine(Body):
    """Another name."""

    name: Line
    kind: Literal["trading", "former", "other"] = "trading"


class AliasesBody(Body):
    """All other names; former ones stay by themselves."""

    aliases: Annotated[list[AliasLine], Field(max_length=20)]
    reason: Reason
