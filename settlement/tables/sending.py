"""Lanes and duties, chain transactions with their members, every attempt at sending one."""

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from settlement.tables.columns import KEYED, big, moment, only, text


class Lane(SQLModel, table=True):
    """One signer's row of nonces, written by one worker at a time."""

    __tablename__ = "lane"
    __table_args__ = (
        CheckConstraint("state IN ('active', 'paused', 'draining', 'drained', 'halted')"),
        CheckConstraint("kind IN ('operator', 'admin')"),
    )
    signer: str = text(primary_key=True)
    kind: str = text(default="operator", sa_column_kwargs={"server_default": "operator"})
    """operator: it pays; admin: it lists and freezes, and pays nobody."""
    next_nonce: int = big()
    lease_owner: str | None = text(default=None)
    lease_fence: int = big(default=0)
    """Grows with every new holder; every write of the sender carries it."""
    lease_until: int = moment(default=0)
    state: str = text(default="active")
    reason: str | None = text(default=None)


class Duty(SQLModel, table=True):
    """What one worker does for the whole chain: follow, book, clear, reconcile."""

    __tablename__ = "duty"
    name: str = text(primary_key=True)
    lease_owner: str | None = text(default=None)
    lease_fence: int = big(default=0)
    """Grows with every new holder; every write of the duty is made under it."""
    lease_until: int = moment(default=0)


class ChainTx(SQLModel, table=True):
    """What one nonce of one signer is for. Its members are fixed when the nonce is claimed."""

    __tablename__ = "chain_tx"
    __table_args__ = (
        UniqueConstraint("signer", "nonce", name="chain_tx_nonce_once"),
        CheckConstraint("kind IN ('pay', 'noop', 'admin')"),
        Index("chain_tx_by_state", "state", "signer", "nonce"),
    )
    id: str = text(primary_key=True)
    signer: str = text(foreign_key="lane.signer")
    nonce: int = big()
    kind: str = text()
    to_address: str = text()
    calldata: bytes = Field()
    token: str | None = text(default=None)
    debtor_wallet: str | None = text(default=None)
    deadline: int = big(default=0)
    """Seconds of chain time; the earliest clearance expiry of the members."""
    gas_limit: int = big()
    member_count: int = 0
    total_minor: int = big(default=0)
    depth: int = 1
    """Confirmations at which its payments are booked: the policy's tier for `total_minor`."""
    cancelling: bool = False
    """A declared cancel is under way: a no-op competes for the nonce."""
    state: str = text()
    outcome: str | None = text(default=None)
    """Provisional until final: paid, reverted, replaced."""
    block_number: int | None = big(default=None)
    block_hash: str | None = text(default=None)
    tx_hash: str | None = text(default=None)
    """The attempt that was mined."""
    created_at: int = moment()


class ChainTxEvent(SQLModel, table=True):
    """One move of a chain transaction. Append-only."""

    __tablename__ = "chain_tx_event"
    id: int | None = big(default=None, primary_key=True)
    chain_tx_id: str = text(foreign_key="chain_tx.id", index=True)
    move: str = text()
    state: str = text()
    reason: str | None = text(default=None)
    at: int = moment()


class BatchMember(SQLModel, table=True):
    """A settlement's place in a chain transaction; at most one live place per settlement."""

    __tablename__ = "batch_member"
    __table_args__ = (
        Index("batch_member_live_once", "settlement_id", unique=True, **only("live")),
        KEYED,
    )
    chain_tx_id: str = text(primary_key=True, foreign_key="chain_tx.id")
    position: int = Field(primary_key=True)
    settlement_id: str = text(foreign_key="settlement.id")
    clearance_id: str = text(foreign_key="clearance.id")
    live: bool = True


class Attempt(SQLModel, table=True):
    """Signed bytes for a nonce, stored before they are first sent, tracked for ever."""

    __tablename__ = "attempt"
    __table_args__ = (Index("attempt_by_chain_tx", "chain_tx_id", "created_seq"),)
    hash: str = text(primary_key=True)
    chain_tx_id: str = text(foreign_key="chain_tx.id")
    created_seq: int
    """1 for the first attempt at this nonce, 2 for the next."""
    kind: str = text()
    """`pay`, `noop`, `admin` as the chain transaction, or `cancel`."""
    raw: bytes = Field()
    max_fee_wei: int = big()
    priority_fee_wei: int = big()
    created_at: int = moment()
    first_sent_at: int | None = moment(default=None)
    last_sent_at: int | None = moment(default=None)
    sent_block: int | None = big(default=None)
    """Head when it was last sent: bumped after so many blocks without being mined."""
    send_count: int = 0
    outcome: str | None = text(default=None)
    """The meaning of the node's last answer."""
    message: str | None = text(default=None)
