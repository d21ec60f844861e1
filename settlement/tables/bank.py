"""Accounts at banks, the files that tell of them, their statements and entries."""

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from settlement.tables.columns import big, moment, only, text


class BankAccount(SQLModel, table=True):
    """An account at a bank that a participant owns."""

    __tablename__ = "bank_account"
    __table_args__ = (
        CheckConstraint("role IN ('payout', 'reserve', 'nostro')"),
        # A token's reserve is one account, and only a reserve backs a token.
        CheckConstraint("(role = 'reserve') = (reserve_of IS NOT NULL)"),
        CheckConstraint("payout_days BETWEEN 0 AND 366"),
        # One IBAN may hold several currencies, each with statements of its own.
        UniqueConstraint("iban", "currency"),
    )
    id: str = text(primary_key=True)
    owner_id: str = text(foreign_key="participant.id", index=True)
    name: str = text()
    iban: str = text()
    """Without spaces, capitals. Source: ISO 13616."""
    servicer_bic: str = text()
    """The bank's. Source: ISO 9362."""
    currency: str = text()
    role: str = text()
    """payout: where a creditor's money arrives; reserve: what backs a token; nostro: any other."""
    reserve_of: str | None = text(foreign_key="token.address", unique=True, default=None)
    payout_days: int = 0
    """Days after which what was paid on the chain is due at the bank."""
    created_at: int = moment()


class BankMapping(SQLModel, table=True):
    """How to read the CSV files of an account: columns, dates, signs, encoding."""

    __tablename__ = "bank_mapping"
    account_id: str = text(primary_key=True, foreign_key="bank_account.id")
    body: str = text()
    """JSON, validated."""
    sha256: str = text()
    set_by: str = text()
    set_at: int = moment()


class StatementFile(SQLModel, table=True):
    """A file that was read to its end; its hash tells when it comes again."""

    __tablename__ = "statement_file"
    __table_args__ = (CheckConstraint("state IN ('complete')"),)
    id: str = text(primary_key=True)
    sha256: str = text(unique=True)
    name: str = text()
    format: str = text()
    """camt.053.001.08, camt.054.001.08, csv, …"""
    mapping_sha256: str | None = text(default=None)
    actor: str = text()
    state: str = text(default="complete")
    """A file is stored whole or not at all."""
    line_reached: int = big(default=0)
    statement_count: int = big(default=0)
    entry_count: int = big(default=0)
    """Rows of `bank_entry`: a batch booking counts once for each of its details."""
    duplicate_count: int = big(default=0)
    created_at: int = moment()


class Statement(SQLModel, table=True):
    """What a bank said of one account: a statement with balances, or a notification without."""

    __tablename__ = "statement"
    __table_args__ = (
        CheckConstraint("kind IN ('statement', 'notification')"),
        # The same statement again is the first one; another one of its name contradicts it.
        UniqueConstraint("account_id", "kind", "statement_id"),
        Index("statement_by_closing", "account_id", "closing_date"),
    )
    id: str = text(primary_key=True)
    file_id: str = text(foreign_key="statement_file.id", index=True)
    account_id: str = text(foreign_key="bank_account.id")
    kind: str = text()
    statement_id: str = text()
    """As the bank calls it."""
    sequence: int | None = big(default=None)
    """The bank's running number."""
    from_date: str | None = text(default=None)
    to_date: str | None = text(default=None)
    opening_minor: int | None = big(default=None)
    closing_minor: int | None = big(default=None)
    opening_date: str | None = text(default=None)
    closing_date: str | None = text(default=None)
    entry_count: int = big(default=0)
    content_sha256: str = text()
    """Of balances and entries, not of the file's bytes."""
    created_at: int = moment()


class BankEntry(SQLModel, table=True):
    """A movement as the bank tells it; of a batch booking, one row for each detail."""

    __tablename__ = "bank_entry"
    __table_args__ = (
        CheckConstraint("status IN ('BOOK', 'PDNG', 'INFO')"),
        Index("bank_entry_by_statement", "statement_id", "entry_index", "detail_index"),
        # What comes a second time is kept, and points to the first.
        Index(
            "bank_entry_once",
            "account_id",
            "fingerprint",
            unique=True,
            **only("duplicate_of IS NULL"),
        ),
        Index("bank_entry_duplicates", "duplicate_of", **only("duplicate_of IS NOT NULL")),
        Index(
            "bank_entry_unposted",
            "id",
            **only("posted_seq IS NULL AND duplicate_of IS NULL AND status = 'BOOK'"),
        ),
    )
    id: int | None = big(default=None, primary_key=True)
    account_id: str = text(foreign_key="bank_account.id")
    statement_id: str = text(foreign_key="statement.id")
    """`statement.id`, ours."""
    file_id: str = text()
    """Its statement's."""
    source_line: int = big()
    """Where the entry begins in its file, from 1."""
    entry_index: int
    """Place in its statement, from 1."""
    detail_index: int = 0
    """Place in its batch booking, from 1; 0 of an entry that is no batch."""
    amount_minor: int = big()
    """Minor units of the currency: + the account received, - it paid."""
    currency: str = text()
    status: str = text()
    """BOOK counts; PDNG and INFO are only told of."""
    booking_date: str = text()
    value_date: str = text()
    end_to_end_id: str | None = text(default=None)
    instruction_id: str | None = text(default=None)
    uetr: str | None = text(default=None)
    bank_reference: str | None = text(default=None)
    """The account servicer's own."""
    creditor_reference: str | None = text(default=None)
    """Structured, such as RF18…: ISO 11649."""
    remittance: str | None = text(default=None)
    counterparty_name: str | None = text(default=None)
    counterparty_account: str | None = text(default=None)
    transaction_code: str | None = text(default=None)
    """Domain/family/sub-family, or the bank's own."""
    charges_minor: int = big(default=0)
    """What the bank took out of this amount or beside it, as a positive number."""
    is_reversal: bool = Field(default=False)
    return_reason: str | None = text(default=None)
    """Why a payment came back. Source: ISO 20022, ExternalReturnReason1Code."""
    fingerprint: str = text()
    """The same for the same entry in whatever file it comes."""
    duplicate_of: int | None = big(foreign_key="bank_entry.id", default=None)
    posted_seq: int | None = big(foreign_key="journal_entry.seq", default=None)
