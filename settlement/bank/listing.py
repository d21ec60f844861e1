"""Stored statements and entries, page by page; balances of a day; where statements are missing.

Only reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlmodel import Session

from settlement.bank.judging import Gap, StatementSpan, gaps, in_order
from settlement.documents.iso20022.reading_model import Balance
from settlement.store import statement as sql


@dataclass(frozen=True, slots=True)
class StoredStatement:
    """A statement with its file; `created_at` in microseconds."""

    id: str
    file_id: str
    account_id: str
    kind: str
    statement_id: str
    sequence: int | None
    from_date: str | None
    to_date: str | None
    opening_minor: int | None
    closing_minor: int | None
    opening_date: str | None
    closing_date: str | None
    entry_count: int
    created_at: int
    currency: str
    file_name: str
    format: str


@dataclass(frozen=True, slots=True)
class StoredBankEntry:
    """An entry as the bank told it, with where it stands and what became of it."""

    id: int
    account_id: str
    statement_id: str
    file_id: str
    source_line: int
    entry_index: int
    detail_index: int
    amount_minor: int
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
    charges_minor: int
    is_reversal: bool
    return_reason: str | None
    duplicate_of: int | None
    posted_seq: int | None


_STATEMENT_COLUMNS = ", ".join(f"s.{name}" for name in StoredStatement.__slots__[:-3])
_ENTRY_COLUMNS = ", ".join(StoredBankEntry.__slots__)
_SPANS = (
    "SELECT s.id, s.account_id, s.statement_id, s.sequence, s.opening_minor, s.closing_minor,"
    " s.opening_date, s.closing_date, a.currency FROM statement s JOIN bank_account a"
    " ON a.id = s.account_id WHERE s.opening_minor IS NOT NULL AND s.closing_minor IS NOT NULL"
)
_OF_A_DAY_MAX = 100
"""So many statements are put in order to find the first or the last one."""
_TOLD_BEFORE = sql(
    "SELECT SUM(e.amount_minor) FROM bank_entry e JOIN statement n ON n.id = e.statement_id"
    " JOIN statement s ON s.id = :id WHERE e.account_id = :account_id AND n.kind = 'notification'"
    " AND e.posted_seq IS NOT NULL AND e.booking_date < CASE WHEN s.from_date > s.opening_date"
    " THEN s.from_date ELSE s.opening_date END"
    # A statement that has it after all, under whichever day: copies point to the entry's first row.
    " AND NOT EXISTS (SELECT 1 FROM bank_entry o JOIN bank_entry d ON d.duplicate_of = o.id"
    " JOIN statement t ON t.id = d.statement_id WHERE o.statement_id = e.statement_id"
    " AND o.entry_index = e.entry_index AND o.detail_index <= 1 AND t.kind = 'statement')"
)


class FirstOpening(NamedTuple):
    """What an account's first statement begins with; in minor units."""

    opening_minor: int
    told_minor: int
    """Of it, what notifications had told of: that was posted, and must not count twice."""


def statements(
    session: Session, *, account_id: str | None = None, before: str | None = None, limit: int = 100
) -> list[StoredStatement]:
    """Return up to `limit` statements, newest first, with an id below `before`."""
    where, values = _where({"s.account_id =": account_id, "s.id <": before})
    found = session.execute(
        sql(
            f"SELECT {_STATEMENT_COLUMNS}, a.currency, f.name, f.format FROM statement s"
            " JOIN bank_account a ON a.id = s.account_id"
            f" JOIN statement_file f ON f.id = s.file_id{where} ORDER BY s.id DESC LIMIT :limit"
        ),
        {**values, "limit": limit},
    )
    return [StoredStatement(*row) for row in found]


def entries(
    session: Session, *, account_id: str | None = None, statement_id: str | None = None,
    after: int = 0, limit: int = 100,
) -> list[StoredBankEntry]:  # fmt: skip
    """Return up to `limit` entries in the order in which they were stored, ids above `after`."""
    where, values = _where(
        {"account_id =": account_id, "statement_id =": statement_id, "id >": after}
    )
    found = session.execute(
        sql(f"SELECT {_ENTRY_COLUMNS} FROM bank_entry{where} ORDER BY id LIMIT :limit"),
        {**values, "limit": limit},
    )
    return [StoredBankEntry(*row) for row in found]


def closing_balances(session: Session, account_id: str, day: str) -> Balance | None:
    """Return an account's newest closing balance on `day` or before; None: no statement tells."""
    of_account = {"account_id": account_id, "day": day, "limit": _OF_A_DAY_MAX}
    newest = sql(
        f"{_SPANS} AND s.account_id = :account_id AND s.closing_date <= :day ORDER BY"
        " s.closing_date DESC, s.opening_date DESC, COALESCE(s.sequence, 0) DESC, s.id DESC"
        " LIMIT :limit"
    )
    found = in_order([StatementSpan(*row) for row in session.execute(newest, of_account)])
    if not found:
        return None
    return Balance(found[-1].closing_minor, found[-1].currency, found[-1].closing_date)


def first_opening(session: Session, account_id: str) -> FirstOpening | None:
    """Return what an account's oldest statement begins with; None: there is no statement."""
    oldest = sql(
        f"{_SPANS} AND s.account_id = :account_id ORDER BY s.closing_date, s.opening_date,"
        " COALESCE(s.sequence, 0), s.id LIMIT :limit"
    )
    of_account = {"account_id": account_id, "limit": _OF_A_DAY_MAX}
    found = in_order([StatementSpan(*row) for row in session.execute(oldest, of_account)])
    if not found:
        return None
    told = session.execute(_TOLD_BEFORE, {"account_id": account_id, "id": found[0].id}).scalar()
    return FirstOpening(found[0].opening_minor, int(told or 0))


def statement_gaps(session: Session, account_id: str | None = None) -> list[Gap]:
    """Return where statements are missing: each is a `statement_gap`, healed when they come."""
    where, values = ("", {}) if account_id is None else (
        " AND s.account_id = :account_id", {"account_id": account_id}
    )  # fmt: skip
    found = session.execute(sql(f"{_SPANS}{where}"), values)
    return gaps([StatementSpan(*row) for row in found])


def _where(conditions: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the clause of those conditions that have a value, and the values."""
    given = [(words, value) for words, value in conditions.items() if value is not None]
    clause = " AND ".join(f"{words} :v{place}" for place, (words, _) in enumerate(given))
    return f" WHERE {clause}" if given else "", {f"v{n}": v for n, (_, v) in enumerate(given)}
