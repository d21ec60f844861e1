"""Who takes part, with what wallets and tokens, on which deployment; answers that are kept."""

from sqlalchemy import CheckConstraint
from sqlmodel import Field, SQLModel

from settlement.tables.columns import big, moment, text


class Participant(SQLModel, table=True):
    """A registered company. Its address is structured, as ISO 20022 asks since November 2026."""

    __tablename__ = "participant"
    __table_args__ = (CheckConstraint("state IN ('active', 'suspended', 'closed')"),)
    id: str = text(primary_key=True)
    lei: str = text(unique=True)
    """Legal Entity Identifier, ISO 17442."""
    name: str = text()
    country: str = text()
    street: str = text(default="")
    post_code: str = text(default="")
    town: str = text()
    vat_id: str | None = text(default=None)
    state: str = text(default="active")
    created_at: int = moment()


class Wallet(SQLModel, table=True):
    """An address that a participant pays from and is paid to."""

    __tablename__ = "wallet"
    address: str = text(primary_key=True)
    participant_id: str = text(foreign_key="participant.id", index=True)
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
    """Prefix of the API key: keys of different callers never meet."""
    route: str = text(primary_key=True)
    key: str = text(primary_key=True)
    body_hash: str = text()
    status: int
    media_type: str = text()
    body: bytes = Field()
    created_at: int = moment()
