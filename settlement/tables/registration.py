"""What is known of a participant beyond its name: owners, documents, accounts, proofs, changes.

Fields of natural persons stand in one table, so that they can be erased while the rest stays.
"""

from sqlalchemy import CheckConstraint, Index
from sqlmodel import SQLModel

from settlement.tables.columns import big, moment, only, text


class ParticipantEvent(SQLModel, table=True):
    """One move of a participant, or one change of what is known of it. Append-only."""

    __tablename__ = "participant_event"
    id: int | None = big(default=None, primary_key=True)
    participant_id: str = text(foreign_key="participant.id", index=True)
    move: str = text()
    state: str = text()
    """The state after it."""
    actor: str = text()
    reason: str | None = text(default=None)
    detail: str = text(default="{}")
    """JSON with ids and digests only: nothing of a person."""
    at: int = moment()


class ParticipantAlias(SQLModel, table=True):
    """Another name of a participant: it is screened like the first."""

    __tablename__ = "participant_alias"
    __table_args__ = (CheckConstraint("kind IN ('trading', 'former', 'other')"),)
    id: str = text(primary_key=True)
    participant_id: str = text(foreign_key="participant.id", index=True)
    name: str = text()
    kind: str = text(default="trading")
    live: bool = True
    created_at: int = moment()


class NaturalPerson(SQLModel, table=True):
    """A person who owns or controls a participant: the one table with fields of persons.

    Erased, all but the digest is overwritten; without the salt the digest says nothing.
    """

    __tablename__ = "natural_person"
    id: str = text(primary_key=True)
    key_id: str = text(index=True)
    """Whose fields these are, for every store that keeps some of them."""
    name: str = text()
    country: str = text()
    birth_date: str | None = text(default=None)
    document_number: str | None = text(default=None)
    """Of the passport or identity card that was looked at."""
    salt: str = text()
    digest: str = text()
    """SHA-256 over salt and fields as they came."""
    created_at: int = moment()
    erased_at: int | None = moment(default=None)


class ParticipantOwner(SQLModel, table=True):
    """Who owns or controls a participant: another one, a person, or a company outside."""

    __tablename__ = "participant_owner"
    __table_args__ = (
        CheckConstraint("role IN ('owner', 'controller')"),
        CheckConstraint("share_bp BETWEEN 0 AND 10000"),
        CheckConstraint("role <> 'owner' OR share_bp > 0"),
        # Exactly one of three.
        CheckConstraint(
            "(owner_participant_id IS NOT NULL AND person_id IS NULL AND company_name IS NULL)"
            " OR (owner_participant_id IS NULL AND person_id IS NOT NULL AND company_name IS NULL)"
            " OR (owner_participant_id IS NULL AND person_id IS NULL AND company_name IS NOT NULL)"
        ),
        CheckConstraint("owner_participant_id <> participant_id"),
        Index("owner_of_participant", "participant_id", **only("live")),
        Index("owner_who_takes_part", "owner_participant_id", **only("live")),
    )
    id: str = text(primary_key=True)
    participant_id: str = text(foreign_key="participant.id")
    role: str = text(default="owner")
    share_bp: int
    """Basis points of the whole, 10000 for all of it; 0 for control without a share."""
    owner_participant_id: str | None = text(foreign_key="participant.id", default=None)
    person_id: str | None = text(foreign_key="natural_person.id", default=None)
    company_name: str | None = text(default=None)
    company_country: str | None = text(default=None)
    company_number: str | None = text(default=None)
    """LEI or number in its register, as it was given."""
    live: bool = True
    created_at: int = moment()


class ParticipantDocument(SQLModel, table=True):
    """A document that was looked at. It counts from `accepted_at`, which needs a second person."""

    __tablename__ = "participant_document"
    __table_args__ = (
        CheckConstraint("valid_until IS NULL OR valid_until > valid_from"),
        CheckConstraint("accepted_by IS NULL OR accepted_by <> offered_by"),
        CheckConstraint("(accepted_at IS NULL) = (accepted_by IS NULL)"),
        Index("document_of_participant", "participant_id", **only("live")),
        # The same file is one document of a participant, until it is taken back.
        Index(
            "document_file_once", "participant_id", "kind", "sha256", unique=True, **only("live")
        ),
    )
    id: str = text(primary_key=True)
    participant_id: str = text(foreign_key="participant.id")
    kind: str = text()
    number: str = text(default="")
    """Empty where the number is a person's: it stands with the person then."""
    person_id: str | None = text(foreign_key="natural_person.id", default=None)
    issuer: str = text()
    issued_on: str = text()
    expires_on: str | None = text(default=None)
    """The last day on which it is good."""
    valid_from: int = moment()
    valid_until: int | None = moment(default=None)
    """The first moment at which it is good no more; of an undated one by its kind's age."""
    sha256: str = text()
    offered_by: str = text()
    accepted_by: str | None = text(default=None)
    accepted_at: int | None = moment(default=None)
    live: bool = True
    created_at: int = moment()


class ParticipantAccount(SQLModel, table=True):
    """An account at a bank to which a participant is paid out."""

    __tablename__ = "participant_account"
    __table_args__ = (
        CheckConstraint("(iban IS NULL) <> (account_number IS NULL)"),
        CheckConstraint("(clearing_code IS NULL) = (account_number IS NULL)"),
        CheckConstraint("(clearing_system IS NULL) = (account_number IS NULL)"),
        Index("account_iban_once", "iban", "currency", unique=True, **only("live")),
        Index(
            "account_number_once", "clearing_system", "clearing_code", "account_number",
            "currency", unique=True, **only("live"),
        ),
    )  # fmt: skip
    id: str = text(primary_key=True)
    participant_id: str = text(foreign_key="participant.id", index=True)
    iban: str | None = text(default=None)
    account_number: str | None = text(default=None)
    clearing_system: str | None = text(default=None)
    """ISO 20022 ExternalClearingSystemIdentification1Code: USABA, INFSC, GBDSC …"""
    clearing_code: str | None = text(default=None)
    bic: str | None = text(default=None)
    currency: str = text()
    country: str = text()
    usable_from: int | None = moment(default=None)
    """None: not before the participant is activated."""
    live: bool = True
    created_at: int = moment()


class WalletChallenge(SQLModel, table=True):
    """What somebody is to sign to prove that an address is theirs: once, and for a short time."""

    __tablename__ = "wallet_challenge"
    __table_args__ = (CheckConstraint("kind IN ('custodial', 'self_hosted')"),)
    id: str = text(primary_key=True)
    participant_id: str = text(foreign_key="participant.id", index=True)
    address: str = text()
    chain_id: int = big()
    domain: str = text()
    nonce: str = text()
    kind: str = text()
    provider: str | None = text(default=None)
    issued_by: str = text()
    issued_at: int = moment()
    expires_at: int = moment()
    used_at: int | None = moment(default=None)


class WalletProof(SQLModel, table=True):
    """A signature by which an address was proved. Append-only."""

    __tablename__ = "wallet_proof"
    __table_args__ = (CheckConstraint("method IN ('eip191', 'eip712', 'eip1271')"),)
    challenge_id: str = text(foreign_key="wallet_challenge.id", primary_key=True)
    participant_id: str = text(foreign_key="participant.id", index=True)
    address: str = text(index=True)
    chain_id: int = big()
    method: str = text()
    digest: str = text()
    """The 32 bytes that were signed."""
    signature: str = text()
    proved_by: str = text()
    at: int = moment()


class ParticipantChange(SQLModel, table=True):
    """A change of an active participant that waits for a second person, and then cools off."""

    __tablename__ = "participant_change"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('wallet', 'wallet_removal', 'bank_account', 'bank_account_removal',"
            " 'name', 'address', 'owners', 'aliases')"
        ),
        CheckConstraint("state IN ('pending', 'approved', 'effective', 'refused', 'withdrawn')"),
        CheckConstraint("state <> 'approved' OR decided_by <> asked_by"),
        CheckConstraint("state <> 'effective' OR decided_by <> asked_by"),
        CheckConstraint("(decided_at IS NULL) = (state = 'pending')"),
        # One address, account or name at a time.
        Index(
            "change_pending_once", "participant_id", "kind", "subject", unique=True,
            **only("state = 'pending'"),
        ),
        Index("change_cooling", "usable_from", **only("state = 'approved'")),
    )  # fmt: skip
    id: str = text(primary_key=True)
    participant_id: str = text(foreign_key="participant.id", index=True)
    kind: str = text()
    subject: str = text()
    """The address, the account's id or the field that it is about."""
    terms: str = text()
    """What is to change, as JSON; of persons their ids alone."""
    state: str = text(default="pending")
    asked_by: str = text()
    asked_at: int = moment()
    approval_id: str | None = text(default=None, index=True)
    decided_by: str | None = text(default=None)
    decided_at: int | None = moment(default=None)
    usable_from: int | None = moment(default=None)
    reason: str | None = text(default=None)
