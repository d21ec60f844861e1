"""What the chain was seen to hold: blocks, receipts and logs, canonical or orphaned."""

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel

from settlement.tables.columns import big, moment, only, text

REGISTRY_LOGS = "name IN ('ParticipantListed', 'ParticipantUnlisted', 'Frozen', 'Unfrozen')"


class Block(SQLModel, table=True):
    """A block that was seen. Orphaned blocks stay."""

    __tablename__ = "block"
    __table_args__ = (
        # One canonical block per height.
        Index("block_canonical_once", "number", unique=True, **only("canonical")),
        # What a reorg threw out is found without reading the whole chain.
        Index("block_orphaned", "number", **only("NOT canonical")),
    )
    hash: str = text(primary_key=True)
    number: int = big()
    parent_hash: str = text()
    timestamp: int = big()
    canonical: bool = True
    seen_at: int = moment()


class Receipt(SQLModel, table=True):
    """A chain transaction in a block, if it is ours or holds a log of ours."""

    __tablename__ = "receipt"
    __table_args__ = (
        CheckConstraint("books IN ('due', 'posted', 'reversed', 'none')"),
        Index("receipt_by_tx", "tx_hash"),
        Index("receipt_by_books", "books", "block_number"),
    )
    block_hash: str = text(primary_key=True, foreign_key="block.hash")
    tx_index: int = Field(primary_key=True)
    tx_hash: str = text()
    block_number: int = big()
    sender: str = text()
    status: int
    gas_used: int = big()
    gas_price_wei: int = big()
    depth: int
    """Confirmations at which its logs are booked: the policy's tier for its largest total."""
    books: str = text(default="due")
    """due: to post at `depth`; posted; reversed: posted, then orphaned; none: orphaned before."""


class ChainLog(SQLModel, table=True):
    """A log of the rail or of a listed token, decoded. Append-only."""

    __tablename__ = "chain_log"
    __table_args__ = (
        Index("chain_log_by_reference", "reference", **only("reference IS NOT NULL")),
        Index("chain_log_by_number", "block_number", "log_index"),
        # Mandates are few among the logs, and every clearance reads them.
        Index(
            "chain_log_mandates",
            "debtor",
            "token",
            **only("name IN ('MandateSet', 'MandateRevoked')"),
        ),
        # So are those that list and freeze.
        Index("chain_log_registry", "block_number", **only(REGISTRY_LOGS)),
        Index(
            "chain_log_standing",
            *("debtor", "address", "block_number", "log_index"),
            **only(REGISTRY_LOGS),
        ),
    )
    block_hash: str = text(primary_key=True, foreign_key="block.hash")
    log_index: int = Field(primary_key=True)
    tx_index: int
    tx_hash: str = text()
    block_number: int = big()
    address: str = text()
    name: str = text()
    """Transfer, Settled, Rejected, MandateSet, MandateRevoked, ParticipantListed,
    ParticipantUnlisted, Frozen, Unfrozen; `other`: raw words in `detail`."""
    token: str | None = text(default=None)
    debtor: str | None = text(default=None)
    """Of a Transfer: from; of a listing or a freeze: whose wallet."""
    creditor: str | None = text(default=None)
    """Of a Transfer: to."""
    amount_minor: int | None = big(default=None)
    """None where the chain's number does not fit 63 bits; then `detail` has it."""
    sequence: int | None = big(default=None)
    reference: str | None = text(default=None)
    code: int | None = None
    """Of Rejected: why."""
    pair_index: int | None = None
    """Of Settled: log index of its exact Transfer in the same chain transaction, and vice versa."""
    detail: str | None = text(default=None)


class Cursor(SQLModel, table=True):
    """How far the watcher has come; one row, moved in the commit that stores the block."""

    __tablename__ = "cursor"
    name: str = text(primary_key=True)
    number: int = big()
    hash: str = text()
    at: int = moment()
