"""The journal in double entry, and what reconciliation found."""

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel

from settlement.tables.columns import KEYED, big, moment, only, text


class Account(SQLModel, table=True):
    """A place for one unit. The code says it all: `wallet:0x…:TUSD`, `receivable:par_…:USD`."""

    __tablename__ = "account"
    id: int | None = Field(default=None, primary_key=True)
    code: str = text(unique=True)
    kind: str = text(index=True)
    """wallet, receivable, payable, sales, purchases, par, liability, outside, suspense, coin,
    gas."""
    owner: str = text(index=True)
    """Participant id, or an address for coin, liability and outside."""
    unit: str = text()
    """ISO 4217 code, token symbol, or WEI."""


class Balance(SQLModel, table=True):
    """An account's sums, kept with every posting. Derived: the journal alone is the truth."""

    __tablename__ = "balance"
    account_id: int = Field(primary_key=True, foreign_key="account.id")
    posted_minor: int = big(default=0)
    """Money. Of an account in WEI, whose sum does not always fit 63 bits, the low part."""
    posted_high: int = big(default=0)
    """Of an account in WEI: how often 2^32 is to be added to `posted_minor`; else 0."""
    reserved_minor: int = big(default=0)
    """Of the money, what reservations have set aside to be paid."""
    expected_minor: int = big(default=0)
    """What reservations of others will bring, once paid."""


class JournalEntry(SQLModel, table=True):
    """An entry: balanced in each unit and phase, chained to the one before. Append-only."""

    __tablename__ = "journal_entry"
    __table_args__ = (
        Index("journal_entry_by_settlement", "settlement_id", **only("settlement_id IS NOT NULL")),
        Index("journal_entry_by_block", "block_number", **only("block_number IS NOT NULL")),
        Index("ix_journal_entry_tx_hash", "tx_hash", **only("tx_hash IS NOT NULL")),
    )
    seq: int = big(primary_key=True)
    """Place in the chain of hashes, from 1, without gaps."""
    kind: str = text()
    """accept, credit, reserve, void, payment, transfer, mint, burn, gas, funding, reversal."""
    source_key: str = text(unique=True)
    """What it was made from: a second run is a no-op. `log:<block>:<index>`, `rev:<seq>`, …"""
    invoice_id: str | None = text(default=None, index=True)
    settlement_id: str | None = text(default=None)
    block_number: int | None = big(default=None)
    block_hash: str | None = text(default=None)
    tx_hash: str | None = text(default=None)
    reverses_seq: int | None = big(default=None, unique=True)
    reason: str | None = text(default=None)
    value_date: str = text()
    booked_at: int = moment()
    prev_hash: str = text()
    hash: str = text()
    """SHA-256 over prev_hash, the fields above and all postings."""


class Posting(SQLModel, table=True):
    """One line of an entry; signed minor units of the account's unit. Append-only."""

    __tablename__ = "posting"
    __table_args__ = (
        CheckConstraint("phase IN ('posted', 'pending')"),
        CheckConstraint("amount_minor <> 0"),
        Index("posting_by_account", "account_id", "entry_seq"),
        KEYED,
    )
    entry_seq: int = big(primary_key=True, foreign_key="journal_entry.seq")
    line: int = Field(primary_key=True)
    account_id: int = Field(foreign_key="account.id")
    phase: str = text()
    """posted counts as money; pending is a reservation, released by its opposite."""
    amount_minor: int = big()


class SettlementMatch(SQLModel, table=True):
    """A settlement, its log pair and its entry, found to agree. At most one live match each."""

    __tablename__ = "settlement_match"
    __table_args__ = (
        Index("match_settlement_once", "settlement_id", unique=True, **only("live")),
        Index("match_entry_once", "entry_seq", unique=True, **only("live")),
        Index("match_log_once", "block_hash", "log_index", unique=True, **only("live")),
        # Those that a reorg undid are few; who follows them does not read the others.
        Index("match_undone", "id", **only("NOT live")),
    )
    id: int | None = big(default=None, primary_key=True)
    settlement_id: str = text(foreign_key="settlement.id")
    block_hash: str = text()
    log_index: int
    """Of the Settled log; its Transfer is the log's pair."""
    block_number: int = big()
    entry_seq: int = big()
    live: bool = True
    created_at: int = moment()
    undone_at: int | None = moment(default=None)


class SettlementBreak(SQLModel, table=True):
    """Something that does not agree, with its reason; one row per subject and kind, for ever."""

    __tablename__ = "settlement_break"
    __table_args__ = (
        # What comes back is re-opened: its history stays with it.
        Index("break_once", "subject", "kind", unique=True),
        # Those that have healed grow in number; they are not read with every block.
        Index("break_open_by_kind", "kind", **only("closed_at IS NULL")),
        CheckConstraint("severity IN ('low', 'medium', 'high', 'critical')"),
        CheckConstraint("(closed_at IS NULL) = (closed_by IS NULL)"),
    )
    id: str = text(primary_key=True)
    kind: str = text()
    """unattributed_deposit, missing_on_chain, missing_in_ledger, amount, reorged, rejected,
    tie_out, …"""
    subject: str = text()
    """What it is about: a settlement's id, `log:<block>:<index>`, `wallet:<address>:<symbol>`."""
    reason: str = text()
    detail: str = text(default="{}")
    facts: str = text()
    """SHA-256 of what makes it this trouble and no other."""
    severity: str = text()
    proposed: str = text()
    """What is proposed to be done."""
    party: str | None = text(default=None, index=True)
    """The participant whose money it is, where that is known."""
    amount_minor: int | None = big(default=None)
    """What is in question, signed: + came in, - went out; None where no one amount is."""
    unit: str | None = text(default=None)
    owner: str | None = text(default=None)
    """Who works on it."""
    comment_count: int = 0
    reopened_count: int = 0
    version: int = 1
    """Changes with every act: what was decided about an older one is refused."""
    opened_at: int = moment()
    """When it was opened the last time."""
    due_at: int = moment()
    closed_at: int | None = moment(default=None)
    closed_reason: str | None = text(default=None)
    closed_by: str | None = text(default=None)
    """`rail` where it has healed by itself; else who has closed it."""
