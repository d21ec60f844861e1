"""What wallets are to be on the chain, what they are there, and the calls that change it."""

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel

from settlement.tables.columns import KEYED, big, moment, only, text

STATES = "('listed', 'unlisted', 'frozen', 'free')"


class RegistryWish(SQLModel, table=True):
    """What one side wants a wallet to be on a contract; the strictest of all sides holds."""

    __tablename__ = "registry_wish"
    __table_args__ = (CheckConstraint(f"wanted IN {STATES}", name="registry_wish_wanted"), KEYED)
    wallet: str = text(primary_key=True)
    contract: str = text(primary_key=True)
    """The rail, where a wallet is listed; a token, where it is frozen."""
    source: str = text(primary_key=True)
    """Which side: participant, screening, compliance."""
    wanted: str = text()
    reason: str = text()
    actor: str = text()
    since: int = moment()


class RegistryStanding(SQLModel, table=True):
    """What a wallet is to be on a contract, and what the canonical chain says it is."""

    __tablename__ = "registry_standing"
    __table_args__ = (
        CheckConstraint(f"wanted IN {STATES}", name="registry_standing_wanted"),
        CheckConstraint(f"actual IN {STATES}", name="registry_standing_actual"),
        # A wallet is listed or not on the rail, frozen or free on a token; never both.
        CheckConstraint(
            "(wanted IN ('listed', 'unlisted')) = (actual IN ('listed', 'unlisted'))",
            name="registry_standing_one_noun",
        ),
        # What the admin's lane has to do is found without reading who is as wanted.
        Index("registry_differs", "contract", "wallet", **only("wanted <> actual")),
        # Whoever may not be paid is few among the wallets, and every signature asks.
        Index("registry_restricted", "wallet", **only("wanted IN ('unlisted', 'frozen')")),
        KEYED,
    )
    wallet: str = text(primary_key=True)
    contract: str = text(primary_key=True)
    wanted: str = text()
    actual: str = text()
    since: int = moment()
    """When `wanted` became what it is."""
    differs_from_block: int | None = big(default=None)
    """The head when the two began to differ; None while they are alike."""


class RegistryChange(SQLModel, table=True):
    """A wallet's place in a chain transaction of the admin's lane. Append-only."""

    __tablename__ = "registry_change"
    __table_args__ = (
        CheckConstraint(f"effect IN {STATES}", name="registry_change_effect"),
        Index("registry_change_by_wallet", "wallet", "contract"),
        KEYED,
    )
    chain_tx_id: str = text(primary_key=True, foreign_key="chain_tx.id")
    position: int = Field(primary_key=True)
    wallet: str = text()
    contract: str = text()
    effect: str = text()
    """What the wallet is there once it is mined."""
