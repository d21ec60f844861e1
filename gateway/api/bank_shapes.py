"""Bank accounts, statements and entries as the API shows them, with an example of each."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from gateway.api.invoice_shapes import Amount, Shape
from settlement.bank import BankAccount, Gap, Imported
from settlement.bank.listing import StoredBankEntry, StoredStatement
from settlement.bank.mappings import SavedMapping
from settlement.clock import iso
from settlement.documents.identifiers import minor_units
from settlement.money import format_minor
from settlement.participants import checksummed


class BankAccountAnswer(Shape):
    """An account at a bank."""

    id: str
    object: Literal["bank_account"]
    owner_id: str
    name: str
    iban: str
    servicer_bic: str
    currency: str
    role: str = Field(description="payout, reserve or nostro.")
    reserve_of: str | None = Field(description="Of a reserve: the token that it backs.")
    payout_days: int = Field(description="Days from the chain to the bank.")
    created_at: str


class BankAccountList(Shape):
    """A page of accounts, in order of their ids."""

    object: Literal["list"]
    has_more: bool
    data: list[BankAccountAnswer]


class BankMappingAnswer(Shape):
    """How an account's CSV files are read."""

    object: Literal["bank_mapping"]
    account_id: str
    sha256: str
    set_by: str
    set_at: str
    mapping: dict[str, Any]


class StatementImport(Shape):
    """What a file came to; of one that was there already, what it came to then."""

    object: Literal["statement_import"]
    file_id: str
    is_new: bool
    statement_ids: list[str]
    entries: int
    duplicates: int = Field(description="Of the entries, those that another file told of before.")


class BankStatementAnswer(Shape):
    """A statement, or a notification: that one has no balances."""

    id: str
    object: Literal["bank_statement"]
    account_id: str
    file_id: str
    file_name: str
    format: str
    kind: str
    statement_id: str
    sequence: int | None
    from_date: str | None
    to_date: str | None
    currency: str
    opening: str | None
    closing: str | None
    opening_date: str | None
    closing_date: str | None
    entries: int
    created_at: str


class BankStatementList(Shape):
    """A page of statements, newest first."""

    object: Literal["list"]
    has_more: bool
    data: list[BankStatementAnswer]


class BankEntryAnswer(Shape):
    """A movement: + the account received, - it paid. Of a batch booking, one of its details."""

    id: str
    object: Literal["bank_entry"]
    account_id: str
    statement_id: str
    file_id: str
    source_line: int
    entry_index: int
    detail_index: int
    amount: str = Amount
    currency: str
    status: str
    booking_date: str
    value_date: str
    end_to_end_id: str | None
    instruction_id: str | None
    uetr: str | None
    bank_reference: str | None
    creditor_reference: str | None
    remittance: str | None
    counterparty_name: str | None
    counterparty_account: str | None
    transaction_code: str | None
    charges: str
    is_reversal: bool
    return_reason: str | None
    duplicate_of: str | None
    posted_seq: int | None


class BankEntryList(Shape):
    """A page of entries, in the order in which they were stored."""

    object: Literal["list"]
    has_more: bool
    data: list[BankEntryAnswer]


class StatementGap(Shape):
    """Between two statements of an account, something is missing."""

    object: Literal["statement_gap"]
    account_id: str
    after: str
    before: str
    missing_sequences: list[int] | None
    reason: str


class StatementGapList(Shape):
    """All gaps."""

    object: Literal["list"]
    has_more: bool
    data: list[StatementGap]


def account(row: BankAccount) -> dict[str, Any]:
    """Return an account as it is shown."""
    fields = {name: getattr(row, name) for name in row.__slots__}
    reserve_of = checksummed(row.reserve_of) if row.reserve_of else None
    return {**fields, "object": "bank_account", "reserve_of": reserve_of,
            "created_at": iso(row.created_at)}  # fmt: skip


def mapping(account_id: str, saved: SavedMapping) -> dict[str, Any]:
    """Return a mapping as it is shown."""
    return {
        "object": "bank_mapping",
        "account_id": account_id,
        "sha256": saved.sha256,
        "set_by": saved.set_by,
        "set_at": iso(saved.set_at),
        "mapping": saved.mapping.model_dump(),
    }


def imported(result: Imported) -> dict[str, Any]:
    """Return an import as it is shown."""
    return {
        "object": "statement_import",
        "file_id": result.file_id,
        "is_new": result.is_new,
        "statement_ids": list(result.statement_ids),
        "entries": result.entries,
        "duplicates": result.duplicates,
    }


def statement(row: StoredStatement) -> dict[str, Any]:
    """Return a statement as it is shown."""
    hidden = ("opening_minor", "closing_minor", "entry_count", "created_at")
    return {
        **{name: getattr(row, name) for name in row.__slots__ if name not in hidden},
        "object": "bank_statement",
        "opening": _amount(row.opening_minor, row.currency),
        "closing": _amount(row.closing_minor, row.currency),
        "entries": row.entry_count,
        "created_at": iso(row.created_at),
    }


def entry(row: StoredBankEntry) -> dict[str, Any]:
    """Return an entry as it is shown."""
    hidden = ("amount_minor", "charges_minor", "duplicate_of", "is_reversal", "id")
    return {
        **{name: getattr(row, name) for name in row.__slots__ if name not in hidden},
        "id": f"bke_{row.id}",
        "object": "bank_entry",
        "amount": _amount(row.amount_minor, row.currency),
        "charges": _amount(row.charges_minor, row.currency),
        "is_reversal": bool(row.is_reversal),
        "duplicate_of": None if row.duplicate_of is None else f"bke_{row.duplicate_of}",
    }


def gap(found: Gap) -> dict[str, Any]:
    """Return a gap as it is shown."""
    numbers = found.missing_sequences
    return {
        "object": "statement_gap",
        "account_id": found.account_id,
        "after": found.after,
        "before": found.before,
        "missing_sequences": None if numbers is None else list(numbers),
        "reason": found.reason,
    }


def _amount(minor: int | None, currency: str) -> str | None:
    return None if minor is None else format_minor(minor, minor_units(currency) or 0)
