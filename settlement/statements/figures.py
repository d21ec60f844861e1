"""The figures of an account on a day: opening, movements, closing, each in whole minor units.

A day runs from midnight to midnight UTC, by booking date (when it was posted) or by value date. By
booking date a day that is over never changes; by value date it can, until its period is closed.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, text
from sqlmodel import Session

from settlement.clock import to_micros
from settlement.errors import StoreCorrupt
from settlement.ledger.balances import SUM_HALVES, whole
from settlement.statements.accounts import StatedAccount
from settlement.statements.errors import DayNotBegun

_AT_ONCE = 1000
_HEAD = text("SELECT MAX(seq) FROM journal_entry")
_POSTED = (
    "FROM posting p JOIN journal_entry e ON e.seq = p.entry_seq"
    " WHERE p.account_id = :account AND p.phase = 'posted' AND e.seq <= :head"
)
_LINES = (
    "SELECT e.seq, p.line, e.kind, e.value_date, e.booked_at, e.reverses_seq, e.reason, e.tx_hash,"
    " e.block_number, e.block_hash, p.amount_minor, o.kind AS reversed_kind,"
    " COALESCE(o.source_key, e.source_key) AS source_key, s.id AS settlement_id, s.end_to_end_id,"
    " s.state, s.debtor_id, s.creditor_id, s.debtor_wallet, s.creditor_wallet, s.claim_minor,"
    " i.number, i.issue_date, i.payable_minor, i.document_sha256, i.currency"
    " FROM posting p JOIN journal_entry e ON e.seq = p.entry_seq"
    " LEFT JOIN journal_entry o ON o.seq = e.reverses_seq"
    " LEFT JOIN settlement s ON s.id = e.settlement_id"
    " LEFT JOIN invoice i ON i.id = COALESCE(s.invoice_id, e.invoice_id)"
    " WHERE p.account_id = :account AND p.phase = 'posted' AND e.seq <= :head"
    " AND {inside} ORDER BY e.seq, p.line"
)
_AMOUNTS = "SELECT p.amount_minor {posted} AND {inside} ORDER BY e.seq, p.line"


class Basis(StrEnum):
    """Which of an entry's dates puts it into a day."""

    BOOKING = "booking"
    VALUE = "value"


_COLUMN = {Basis.BOOKING: "e.booked_at", Basis.VALUE: "e.value_date"}


class FiguresOff(StoreCorrupt):
    """Opening balance and movements of an account do not make its closing balance."""

    def __init__(self, code: str, day: date, made_minor: int, closing_minor: int) -> None:
        super().__init__(
            f"{code} on {day}: opening and movements make {made_minor}, closing is {closing_minor}"
        )


@dataclass(frozen=True, slots=True)
class DayFigures:
    """Signed minor units of the account's unit; the entries are read apart, one after the other.

    `head_seq` fixes what counts: what is posted later is not seen, however long the reading takes.
    """

    account: StatedAccount
    day: date
    basis: Basis
    opening_minor: int
    closing_minor: int
    head_seq: int
    is_over: bool


def day_figures(
    session: Session, account: StatedAccount, day: date, *, basis: Basis, now: datetime
) -> DayFigures:
    """Return opening and closing balance, each added up by itself.

    Raises:
        DayNotBegun: the day lies ahead.
    """
    if day > now.astimezone(UTC).date():
        raise DayNotBegun(day)
    head = session.connection().execute(_HEAD).scalar() or 0
    opening = _sum(session, account, f"{_COLUMN[basis]} < :first", head, day, basis)
    closing = _sum(session, account, f"{_COLUMN[basis]} < :next", head, day, basis)
    is_over = day < now.astimezone(UTC).date()
    return DayFigures(account, day, basis, opening, closing, head, is_over)


def amounts(session: Session, figures: DayFigures) -> Iterator[int]:
    """Yield the movements in the order of the journal.

    Raises:
        FiguresOff: at the end, where they do not lead from opening to closing.
    """
    made = figures.opening_minor
    statement = _AMOUNTS.format(posted=_POSTED, inside=_inside(figures.basis))
    for (minor,) in _streamed(session, statement, figures):
        made += minor
        yield minor
    if made != figures.closing_minor:
        code = figures.account.code
        raise FiguresOff(code, figures.day, made, figures.closing_minor)


def lines(session: Session, figures: DayFigures) -> Generator[Row[Any], None, None]:
    """Yield the movements with all that is known of each, in the order of the journal."""
    statement = _LINES.format(inside=_inside(figures.basis))
    yield from _streamed(session, statement, figures)


def midnight(day: date) -> datetime:
    """Return the moment at which a day begins."""
    return datetime.combine(day, time(), UTC)


def _streamed(session: Session, statement: str, figures: DayFigures) -> Iterator[Row[Any]]:
    values = _values(figures.account, figures.head_seq, figures.day, figures.basis)
    options = {"yield_per": _AT_ONCE}
    result = session.connection().execute(text(statement), values, execution_options=options)
    try:
        yield from result
    finally:
        result.close()  # Whoever stops half-way leaves no cursor open in the database.


def _sum(
    session: Session, account: StatedAccount, where: str, head: int, day: date, basis: Basis
) -> int:
    statement = text(f"SELECT {SUM_HALVES} {_POSTED} AND {where}")
    values = _values(account, head, day, basis)
    bound = {name: value for name, value in values.items() if f":{name}" in str(statement)}
    return whole(*session.connection().execute(statement, bound).one())


def _inside(basis: Basis) -> str:
    return f"{_COLUMN[basis]} >= :first AND {_COLUMN[basis]} < :next"


def _values(account: StatedAccount, head: int, day: date, basis: Basis) -> dict[str, Any]:
    following = day + timedelta(days=1)
    if basis is Basis.BOOKING:
        first: Any = to_micros(midnight(day))
        after: Any = to_micros(midnight(following))
    else:
        first, after = day.isoformat(), following.isoformat()
    return {"account": account.id, "head": head, "first": first, "next": after}
