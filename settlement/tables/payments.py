"""Settlements, the decisions that clear them, and the lists those decisions read."""

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import SQLModel

from settlement.tables.columns import big, moment, only, text


class SettlementSequence(SQLModel, table=True):
    """The next sequence of a debtor's wallet on the rail: given at instruct, never reused."""

    __tablename__ = "settlement_sequence"
    debtor_wallet: str = text(primary_key=True)
    next_sequence: int = big()


class Settlement(SQLModel, table=True):
    """One payment of (part of) one invoice; keeps its (rail, debtor wallet, sequence) for life."""

    __tablename__ = "settlement"
    __table_args__ = (
        UniqueConstraint("rail", "debtor_wallet", "sequence", name="settlement_sequence_once"),
        CheckConstraint("amount_minor > 0 AND claim_minor > 0", name="settlement_positive"),
        CheckConstraint("debtor_wallet <> creditor_wallet", name="settlement_two_parties"),
        Index("settlement_by_state", "state", "execution_date"),
        Index("settlement_by_chain_tx", "chain_tx_id", **only("chain_tx_id IS NOT NULL")),
        Index("settlement_by_block", "block_number", **only("block_number IS NOT NULL")),
        # A company's newest are found without sorting all that it ever paid or was paid.
        Index("settlement_by_debtor", "debtor_id", "id"),
        Index("settlement_by_creditor", "creditor_id", "id"),
        # Sums over a span of days read that span alone.
        Index("settlement_by_debtor_time", "debtor_id", "created_at"),
    )
    id: str = text(primary_key=True)
    invoice_id: str = text(foreign_key="invoice.id", index=True)
    end_to_end_id: str = text(unique=True)
    """ISO 20022 EndToEndId: up to 35 characters, travels to every statement."""
    rail: str = text()
    token: str = text(foreign_key="token.address")
    debtor_id: str = text(foreign_key="participant.id")
    creditor_id: str = text(foreign_key="participant.id")
    debtor_wallet: str = text()
    creditor_wallet: str = text()
    sequence: int = big()
    amount_minor: int = big()
    """Minor units of the token."""
    claim_minor: int = big()
    """The same amount in minor units of the invoice's currency."""
    reference: str = text(unique=True)
    """32 bytes that commit to the terms. Source: docs/architecture.md, reference preimage."""
    document_sha256: str = text()
    execution_date: str = text()
    """Requested execution date, ISO 8601."""
    state: str = text()
    reason: str | None = text(default=None)
    approved_by: str | None = text(default=None)
    clearance_id: str | None = text(default=None)
    chain_tx_id: str | None = text(default=None)
    outcome: str | None = text(default=None)
    """What the chain shows so far: paid, rejected, reverted, replaced. Provisional until final."""
    outcome_code: int | None = None
    block_number: int | None = big(default=None)
    block_hash: str | None = text(default=None)
    tx_hash: str | None = text(default=None)
    log_index: int | None = None
    reverted_count: int = 0
    version: int = 1
    created_at: int = moment()


class SettlementEvent(SQLModel, table=True):
    """One move of a settlement. Append-only."""

    __tablename__ = "settlement_event"
    id: int | None = big(default=None, primary_key=True)
    settlement_id: str = text(foreign_key="settlement.id", index=True)
    move: str = text()
    state: str = text()
    actor: str = text()
    reason: str | None = text(default=None)
    at: int = moment()


class Clearance(SQLModel, table=True):
    """A stored decision that lets a settlement be paid, or says why not; bound to its terms."""

    __tablename__ = "clearance"
    __table_args__ = (
        CheckConstraint("outcome IN ('ALLOW', 'ALLOW_WITH_DATA', 'HOLD', 'REJECT', 'BLOCK')"),
        # What has to be reported is found without reading all that was paid.
        Index(
            "clearance_refused",
            "outcome",
            "created_at",
            **only("outcome IN ('REJECT', 'BLOCK')"),
        ),
    )
    id: str = text(primary_key=True)
    settlement_id: str = text(foreign_key="settlement.id", index=True)
    outcome: str = text()
    inputs_hash: str = text()
    """SHA-256 over all that the rules looked at."""
    verdicts: str = text()
    """What rules found, as JSON; all others of the policy's have passed."""
    policy_version: str = text()
    list_versions: str = text()
    """Name and SHA-256 of every list and register in force, as JSON."""
    pair_sha256: str | None = text(default=None)
    """Of `policy_inputs`: what was known of the parties and the asset."""
    inputs: str | None = text(default=None)
    """What was known of the payment and its trade, as JSON."""
    debtor_wallet: str = text()
    creditor_wallet: str = text()
    token: str = text()
    amount_minor: int = big()
    reference: str = text()
    expires_at: int = moment()
    revoked_at: int | None = moment(default=None)
    created_at: int = moment()


class ListVersion(SQLModel, table=True):
    """One state of one list. The newest per name is in force."""

    __tablename__ = "list_version"
    id: str = text(primary_key=True)
    name: str = text(index=True)
    sha256: str = text()
    """Of the file's bytes; of the files' hashes in order, where a list comes in several."""
    entry_count: int
    created_at: int = moment()
    format: str = text(default="plain")
    stats: str = text(default="{}")
    """JSON: how many parties, names, addresses, identifiers and links were read."""
    loaded_by: str = text(default="rail")


class ListEntry(SQLModel, table=True):
    """A listed name (folded) or address, in force from one list version until another."""

    __tablename__ = "list_entry"
    __table_args__ = (Index("list_entry_in_force", "value", **only("ended_by IS NULL")),)
    list_version_id: str = text(primary_key=True, foreign_key="list_version.id")
    kind: str = text(primary_key=True)
    """`name` or `address`."""
    value: str = text(primary_key=True)
    detail: str = text(default="")
    ended_by: str | None = text(default=None)
    """The version that no longer holds it."""
