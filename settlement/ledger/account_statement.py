"""The statement of one account: opening balance, every movement, closing balance, on one basis.

It says on which: statements that count by different dates are not compared. Reservations are no
money and are not on it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import NamedTuple

from sqlmodel import Session

from settlement.clock import to_micros
from settlement.errors import Invalid, NotFound, StoreCorrupt
from settlement.ledger.balances import SUM_HALVES, whole
from settlement.ledger.journal import head
from settlement.store.bulk import Row, rows
from settlement.store.engine import statement

_AT_ONCE = 2000
_DAY_MICROS = 86_400_000_000


class Basis(StrEnum):
    """What places an entry in time."""

    VALUE = "value"
    """Its value date: of a payment, the day of its block; of a bank entry, what the bank says."""
    BOOKING = "booking"
    """The day, in UTC, on which it was posted here."""
    BLOCK = "block"
    """The number of its block; an entry without one is not counted."""


class StatementBroken(StoreCorrupt):
    """Opening balance and movements are not the closing balance."""

    def __init__(self, code: str, opening: int, moved: int, closing: int) -> None:
        super().__init__(
            f"the statement of {code} does not add up: {opening} and movements of {moved} are not"
            f" {closing}"
        )


class StatementLine(NamedTuple):
    """One posting to the account, with the balance after it."""

    seq: int
    line: int
    kind: str
    source_key: str
    value_date: str
    booked_at: int
    minor: int
    balance_minor: int
    invoice_id: str | None
    settlement_id: str | None
    block_number: int | None
    block_hash: str | None
    tx_hash: str | None
    reverses_seq: int | None
    reversed_by_seq: int | None
    reason: str | None

    @property
    def state(self) -> str:
        """`posted`, `reversed` by a later entry, or a `reversal` itself."""
        if self.reverses_seq is not None:
            return "reversal"
        return "posted" if self.reversed_by_seq is None else "reversed"


@dataclass(frozen=True, slots=True)
class AccountStatement:
    """An account from `first` to `last`, both included; days, or block numbers."""

    code: str
    unit: str
    basis: Basis
    first: str
    last: str
    opening_minor: int
    closing_minor: int
    line_count: int
    lines: Generator[StatementLine, None, None]
    """Streamed, within the session; at their end they have been added up once more.

    Raises:
        StatementBroken: they do not lead from opening to closing balance.
    """


def account_statement(
    session: Session, code: str, *, first: date | int, last: date | int, basis: Basis
) -> AccountStatement:
    """Return an account's statement; opening and movements were compared with the closing balance.

    The journal's newest entry is fixed first: what is posted while this is read is not on it.

    Raises:
        NotFound: nothing was ever posted to it.
        Invalid: first lies behind last, or they are not of the basis's kind.
        StatementBroken: they do not add up.
    """
    found = rows(session, "SELECT id, unit FROM account WHERE code = ?", (code,))
    if not found:
        raise NotFound("account", code)
    account_id, unit = found[0]
    column, low, high = _bounds(basis, first, last)
    head_seq = head(session).seq
    of = (account_id, head_seq)
    opening = _sum(session, of, f"e.{column} < ?", (low,))[0]
    moved, count = _sum(session, of, f"e.{column} >= ? AND e.{column} <= ?", (low, high))
    closing = _sum(session, of, f"e.{column} <= ?", (high,))[0]
    if opening + moved != closing:
        raise StatementBroken(code, opening, moved, closing)
    lines = _lines(session, of, column, low, high)
    return AccountStatement(
        code, unit, basis, str(first), str(last), opening, closing, count,
        _added_up(code, opening, closing, lines),
    )  # fmt: skip


def _bounds(basis: Basis, first: date | int, last: date | int) -> tuple[str, int | str, int | str]:
    """Return the column of the basis with its smallest and largest value. Pure."""
    if basis is Basis.BLOCK and isinstance(first, int) and isinstance(last, int):
        column, low, high = "block_number", first, last
    elif basis is not Basis.BLOCK and isinstance(first, date) and isinstance(last, date):
        if basis is Basis.VALUE:
            bounds = (first.isoformat(), last.isoformat())
            if bounds[0] > bounds[1]:
                raise _backwards(first, last)
            return "value_date", *bounds
        column, low, high = "booked_at", _midnight(first), _midnight(last) + _DAY_MICROS - 1
    else:
        raise Invalid(
            f"{first} to {last} are no bounds of the basis {basis.value}",
            field="basis",
            repair="name block numbers with the basis block, and days with value or booking",
        )
    if first > last:  # type: ignore[operator]
        raise _backwards(first, last)
    return column, low, high


def _backwards(first: object, last: object) -> Invalid:
    return Invalid(
        f"{first} lies behind {last}", field="first", repair="let first be on or before last"
    )


def _midnight(day: date) -> int:
    return to_micros(datetime(day.year, day.month, day.day, tzinfo=UTC))


def _sum(
    session: Session, of: tuple[int, int], where: str, values: tuple[int | str, ...]
) -> tuple[int, int]:
    """Return the sum, and how many, of an account's postings up to an entry: `of` names both."""
    high, low, count = rows(
        session,
        f"SELECT {SUM_HALVES}, COUNT(*) FROM posting p JOIN journal_entry e ON e.seq = p.entry_seq"
        f" WHERE p.account_id = ? AND e.seq <= ? AND p.phase = 'posted' AND {where}",
        (*of, *values),
    )[0]
    return whole(high, low), count


def _lines(
    session: Session, of: tuple[int, int], column: str, low: int | str, high: int | str
) -> Iterator[Row]:
    """Yield the postings in the order of the basis, then of the journal; some at a time."""
    found = session.execute(
        statement(
            "SELECT e.seq, p.line, e.kind, e.source_key, e.value_date, e.booked_at,"
            " p.amount_minor, e.invoice_id, e.settlement_id, e.block_number, e.block_hash,"
            " e.tx_hash, e.reverses_seq, r.seq AS reversed_by_seq, e.reason"
            " FROM posting p JOIN journal_entry e ON e.seq = p.entry_seq"
            " LEFT JOIN journal_entry r ON r.reverses_seq = e.seq"
            " WHERE p.account_id = :account AND e.seq <= :head AND p.phase = 'posted'"
            f" AND e.{column} >= :low AND e.{column} <= :high ORDER BY e.{column}, e.seq, p.line"
        ),
        {"account": of[0], "head": of[1], "low": low, "high": high},
        execution_options={"stream_results": True, "yield_per": _AT_ONCE},
    )
    try:
        for row in found:
            yield tuple(row)
    finally:
        # Whoever takes a part only closes the generator, and the database's cursor with it.
        found.close()


def _added_up(
    code: str, opening: int, closing: int, lines: Iterator[Row]
) -> Generator[StatementLine, None, None]:
    balance = opening
    for row in lines:
        balance += row[6]
        yield StatementLine._make((*row[:7], balance, *row[7:]))
    if balance != closing:
        raise StatementBroken(code, opening, balance - opening, closing)
