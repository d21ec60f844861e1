"""Who takes part, with what wallets and tokens, on which deployment; answers that are kept."""

from sqlalchemy import CheckConstraint
from sqlmodel import Field, SQLModel

from settlement.tables.columns import big, moment, text


class Participant(SQLModel, table=True):
    """Who takes part. The address is structured, as ISO 20022 asks since November 2026."""

    __tablename__ = "participant"
    __table_args__ = (
        CheckConstraint(
            "state IN ('applied', 'active', 'suspended', 'expired', 'closed')",
            name="participant_state_known",
        ),
        CheckConstraint(
            "legal_form IN ('legal_entity', 'sole_proprietor', 'individual')",
            name="participant_form_known",
        ),
        CheckConstraint(
            "lei IS NOT NULL OR legal_form <> 'legal_entity'", name="participant_entity_has_lei"
        ),
        CheckConstraint(
            "known_by IN ('documents', 'operator', 'migration')", name="participant_known_by"
        ),
    )
    id: str = text(primary_key=True)
    lei: str | None = text(unique=True, default=None)
    """Legal Entity Identifier, ISO 17442; legal entities have one, others may."""
    legal_form: str = text(default="legal_entity")
    name: str = text()
    country: str = text()
    subdivision: str = text(default="")
    street: str = text(default="")
    building_number: str = text(default="")
    post_code: str = text(default="")
    town: str = text()
    vat_id: str | None = text(default=None)
    tax_id: str | None = text(default=None)
    """A number of another tax authority, where there is no VAT number."""
    state: str = text(default="active")
    known_by: str = text(default="operator")
    """What its being active rests on: documents that two people looked at, the operator's word,
    or that it was active before documents were asked for."""
    review_on: str | None = text(default=None)
    """The last day before it has to be looked at again."""
    kyb_valid_until: int | None = moment(default=None)
    """The first moment at which it is active no more: of the first required document to end, or
    of the review. Derived; NULL where nothing ends."""
    applied_by: str = text(default="operator")
    created_at: int = moment()


class Wallet(SQLModel, table=True):
    """An address that a participant pays from and is paid to."""

    __tablename__ = "wallet"
    __table_args__ = (
        CheckConstraint("kind IN ('custodial', 'self_hosted')", name="wallet_kind_known"),
        CheckConstraint(
            "proved_by IN ('signature', 'contract', 'operator', 'migration')",
            name="wallet_proof_known",
        ),
    )
    address: str = text(primary_key=True)
    participant_id: str = text(foreign_key="participant.id", index=True)
    kind: str = text(default="self_hosted")
    """Where nobody has named a provider, it counts as the holder's own."""
    provider: str | None = text(default=None)
    proved_by: str = text(default="operator")
    """A signature of its key, its contract's own answer, or only the word of the operator, or
    that it was registered before proofs were asked for."""
    usable_from: int | None = moment(default=None)
    """NULL: not before its participant is activated."""
    retired_at: int | None = moment(default=None)
    created_at: int = moment()


class Token(SQLModel, table=True):
    """A currency's money on the chain, as listed on the rail."""

    __tablename__ = "token"
    __table_args__ = (
        # More decimals would not leave room for amounts in 64 bits.
        CheckConstraint("decimals BETWEEN 0 AND 9"),
        CheckConstraint("kind IN ('exact', 'checked')"),
    )
    address: str = text(primary_key=True)
    symbol: str = text(unique=True)
    currency: str = text(index=True)
    """ISO 4217 code of what one whole unit stands for."""
    decimals: int
    kind: str = text()
    code_hash: str = text()
    listed: bool = True


class Deployment(SQLModel, table=True):
    """The one chain and rail that this database belongs to."""

    __tablename__ = "deployment"
    rail: str = text(primary_key=True)
    chain_id: int = big()
    genesis_hash: str = text()
    code_hash: str = text()
    first_block: int = big()
    """The block before the first one that can hold a log of ours."""
    record: str = text()
    """All addresses, as JSON."""
    created_at: int = moment()


class Idempotency(SQLModel, table=True):
    """The answer to a request that carried an Idempotency-Key, stored with its effect."""

    __tablename__ = "idempotency"
    caller: str = text(primary_key=True)
    """Prefix of the API key with which its line began: keys of different callers never meet."""
    route: str = text(primary_key=True)
    key: str = text(primary_key=True)
    body_hash: str = text()
    status: int
    media_type: str = text()
    body: bytes = Field()
    created_at: int = moment()
