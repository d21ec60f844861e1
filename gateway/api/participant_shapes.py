"""Participants' files as the API shows them. Persons' fields are in `file` alone."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from gateway.api.invoice_shapes import Shape


class OwnerAnswer(Shape):
    """Who owns or controls a participant."""

    kind: str = Field(description="participant, person or company.")
    role: str = Field(description="owner or controller.")
    share_bp: int = Field(description="Basis points of the whole: 2500 is a quarter.")
    name: str
    country: str | None
    participant_id: str | None
    person_id: str | None


class DocumentAnswer(Shape):
    """A document that was looked at."""

    id: str
    kind: str
    number: str = Field(description="Empty where it is a person's: it stands with the person.")
    person_id: str | None
    issuer: str
    issued_on: str
    expires_on: str | None
    good_until: str | None = Field(description="The first moment at which it is good no more.")
    sha256: str
    offered_by: str
    accepted_by: str | None = Field(description="Null: it waits for a second person.")
    accepted_at: str | None


class AccountAnswer(Shape):
    """An account at a bank."""

    id: str
    iban: str | None
    account_number: str | None
    clearing_system: str | None
    clearing_code: str | None
    bic: str | None
    currency: str
    country: str
    usable_from: str | None


class WalletAnswer(Shape):
    """An address, what proves it, and from when on money may go there."""

    address: str
    kind: str = Field(description="custodial or self_hosted.")
    provider: str | None
    proved_by: str = Field(
        description="signature, contract, operator (only his word), or migration (never asked)."
    )
    usable_from: str | None = Field(description="Null: not before the activation.")
    retired_at: str | None


class PersonAnswer(Shape):
    """A person behind a participant; after an erasure without fields."""

    id: str
    name: str
    country: str
    birth_date: str | None
    document_number: str | None
    erased_at: str | None


class ParticipantFile(Shape):
    """All that is known of a participant, and what it lacks."""

    object: Literal["participant_file"]
    participant_id: str
    state: str = Field(description="The one that counts now.")
    known_by: str = Field(
        description="documents, operator or migration: what its being active rests on."
    )
    kyb_valid_until: str | None = Field(description="From then on it is expired by itself.")
    review_on: str | None
    lacks: list[str] = Field(description="What stands between it and an activation.")
    aliases: list[str]
    owners: list[OwnerAnswer]
    persons: list[PersonAnswer]
    documents: list[DocumentAnswer]
    wallets: list[WalletAnswer]
    accounts: list[AccountAnswer]
    changes: list[ChangeAnswer] = Field(description="Pending, or still cooling off.")


class ChangeAnswer(Shape):
    """A change: done, or waiting for a second person and then for its cooling-off."""

    object: Literal["participant_change"]
    id: str | None = Field(description="Null: done at once, the participant has only applied.")
    participant_id: str
    kind: str
    subject: str
    terms: dict[str, Any]
    state: str = Field(description="pending, approved, effective, refused or withdrawn.")
    asked_by: str | None
    asked_at: str | None
    approval_id: str | None
    decided_by: str | None
    decided_at: str | None
    usable_from: str | None = Field(description="From then on money follows it.")
    reason: str | None


class ChangeList(Shape):
    """A page of changes, oldest first."""

    object: Literal["list"]
    has_more: bool
    data: list[ChangeAnswer]


class ActivationAsked(Shape):
    """A request for a second person: decide about it with its `what_hash`."""

    object: Literal["activation_request"]
    approval_id: str
    participant_id: str
    move: str = Field(description="activate, renew or reinstate.")
    what_hash: str
    approver_roles: list[str]
    needed: int
    state: str
    expires_at: str
    terms: dict[str, Any]


class EventAnswer(Shape):
    """Something that happened to a participant."""

    move: str
    state: str
    actor: str
    reason: str | None
    detail: dict[str, Any]
    at: str


class EventList(Shape):
    """What happened to a participant, oldest first."""

    object: Literal["list"]
    has_more: bool
    data: list[EventAnswer]


class ChallengeAnswer(Shape):
    """What a wallet signs, once: the text, or the same as typed data."""

    object: Literal["wallet_challenge"]
    id: str
    participant_id: str
    address: str
    chain_id: int
    message: str = Field(description="For personal_sign (EIP-191), to the letter.")
    typed_data: dict[str, Any] = Field(description="For eth_signTypedData_v4 (EIP-712).")
    expires_at: str


class OfferedAnswer(Shape):
    """A document that was offered, taken back, or a person erased."""

    object: Literal["participant_document"]
    id: str
    participant_id: str
    state: str = Field(description="offered or withdrawn.")


class ErasedAnswer(Shape):
    """A person of whom no field is left."""

    object: Literal["erasure"]
    participant_id: str
    person_id: str


class RequirementsAnswer(Shape):
    """Which documents each legal form needs."""

    object: Literal["requirements"]
    version: str
    review_days: int
    kinds: dict[str, dict[str, Any]]
    required: dict[str, list[str]]


ParticipantFile.model_rebuild()
