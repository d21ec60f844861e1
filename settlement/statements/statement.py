"""The statement of an account and a day, in the form that was asked for.

Decides nothing: the figures are the journal's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import islice
from typing import BinaryIO

from sqlmodel import Session

from settlement.documents.iso20022.camt053 import Movements, StatementHead, camt053
from settlement.documents.iso20022.entries import StatedEntry
from settlement.documents.iso20022.errors import MessageInvalid
from settlement.money import format_minor
from settlement.statements.accounts import StatedAccount, find_account
from settlement.statements.carrying import carried
from settlement.statements.entries import DayEntry, day_entries, scale_of
from settlement.statements.errors import NoSuchPage
from settlement.statements.figures import Basis, DayFigures, amounts, day_figures, midnight
from settlement.statements.tables_out import Cells, Column, Kind, csv_into, write_csv, write_xlsx

PAGE_MIN = 100


class StatementFormat(StrEnum):
    """What a statement can be written as."""

    CAMT053 = "camt053"
    CSV = "csv"
    XLSX = "xlsx"
    PDF = "pdf"


MEDIA_TYPES = {
    StatementFormat.CAMT053: "application/xml",
    StatementFormat.CSV: "text/csv; charset=utf-8",
    StatementFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    StatementFormat.PDF: "application/pdf",
}
ENDINGS = {
    StatementFormat.CAMT053: "xml",
    StatementFormat.CSV: "csv",
    StatementFormat.XLSX: "xlsx",
    StatementFormat.PDF: "pdf",
}

COLUMNS = (
    Column("entry"),
    Column("kind"),
    Column("booking_date", Kind.DATE),
    Column("value_date", Kind.DATE),
    Column("amount", Kind.AMOUNT),
    Column("balance", Kind.AMOUNT),
    Column("unit"),
    Column("is_reversal", Kind.FLAG),
    Column("end_to_end_id"),
    Column("uetr"),
    Column("counterparty"),
    Column("counterparty_lei"),
    Column("invoice"),
    Column("tx_hash"),
    Column("block_number", Kind.COUNT),
    Column("block_hash"),
    Column("note"),
)
_FIRST_DAY = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class StatementWanted:
    """Which statement: an account's code and a day in UTC, by booking or by value date.

    `page` and `page_size` cut a camt.053 into several messages; without a size there is one.
    """

    code: str
    day: date
    form: StatementFormat = StatementFormat.CAMT053
    basis: Basis = Basis.BOOKING
    page: int = 1
    page_size: int | None = None
    with_bom: bool = False


def write_statement(
    session: Session,
    wanted: StatementWanted,
    out: BinaryIO,
    *,
    now: datetime,
    party: str | None = None,
) -> None:
    """Write a statement to `out`, which nobody reads before this returns.

    Raises:
        NotFound: there is no such account, or it is not the party's.
        DayNotBegun, NoSuchPage, StatementTooLong, MessageInvalid: see there.
        FiguresOff, StatementOff: the books contradict themselves.
    """
    account = find_account(session, wanted.code, party=party)
    figures = day_figures(session, account, wanted.day, basis=wanted.basis, now=now)
    match wanted.form:
        case StatementFormat.CAMT053:
            _write_message(session, figures, wanted, out, now)
        case StatementFormat.PDF:
            from settlement.statements.pdf import statement_pdf

            out.write(statement_pdf(figures, day_entries(session, figures)))
        case StatementFormat.CSV:
            stream = csv_into(out)
            write_csv(COLUMNS, _table(session, figures), stream, with_bom=wanted.with_bom)
            stream.detach()
        case StatementFormat.XLSX:
            title = f"{account.code} {wanted.day.isoformat()}"
            rows = _table(session, figures)
            write_xlsx(COLUMNS, rows, out, title=title, created_at=midnight(wanted.day))


def _write_message(
    session: Session, figures: DayFigures, wanted: StatementWanted, out: BinaryIO, now: datetime
) -> None:
    account = figures.account
    if account.currency is None:
        raise MessageInvalid(
            f"{account.unit.code} is no currency and no token of one",
            field="format",
            repair="ask for csv, xlsx or pdf",
        )
    page = _page(figures, amounts(session, figures), wanted)
    head = _head(figures, account.currency, page, wanted)
    with closing(day_entries(session, figures)) as entries:
        shown = (entry.stated for entry in islice(entries, page.first, page.end))
        camt053(head, shown, out, created_at=now)


@dataclass(frozen=True, slots=True)
class _Page:
    """A part of the day's entries, with balances before and after, in the currency."""

    number: int
    first: int
    end: int
    is_last: bool
    opening_minor: int
    closing_minor: int
    movements: Movements


def _page(figures: DayFigures, movements: Iterable[int], wanted: StatementWanted) -> _Page:
    """Read all movements once, and sum up those of the page that is wanted."""
    scale = scale_of(figures)
    balance = opening = scale.shown(figures.opening_minor)
    size = wanted.page_size
    first = 0 if size is None else (wanted.page - 1) * size
    end = None if size is None else first + size
    counts, sums, closing, total = [0, 0], [0, 0], balance, 0
    for minor in carried(scale, figures.opening_minor, movements):
        if total == first:
            opening = balance
        balance += minor
        if total >= first and (end is None or total < end):
            side = 0 if minor >= 0 else 1
            counts[side] += 1
            sums[side] += abs(minor)
            closing = balance
        total += 1
    last = 1 if size is None else max(1, -(-total // size))
    if wanted.page > last:
        raise NoSuchPage(wanted.page, last)
    if sum(counts) == 0:
        closing = opening
    return _Page(
        number=wanted.page,
        first=first,
        end=total if end is None else min(end, total),
        is_last=wanted.page == last,
        opening_minor=opening,
        closing_minor=closing,
        movements=Movements(counts[0], sums[0], counts[1], sums[1]),
    )


def _head(
    figures: DayFigures, currency: str, page: _Page, wanted: StatementWanted
) -> StatementHead:
    account, day = figures.account, figures.day
    letter = "B" if figures.basis is Basis.BOOKING else "V"
    return StatementHead(
        statement_id=f"{day:%Y%m%d}-{account.id}-{letter}{page.number}",
        sequence=(day - _FIRST_DAY).days,
        day=day,
        from_at=midnight(day),
        to_at=midnight(day + timedelta(days=1)) - timedelta(seconds=1),
        owner=account.owner,
        account=account.in_messages,
        currency=currency,
        opening_minor=page.opening_minor,
        closing_minor=page.closing_minor,
        movements=page.movements,
        page=page.number,
        is_last=page.is_last,
        is_over=figures.is_over,
        note=_note(figures, account),
    )


def _note(figures: DayFigures, account: StatedAccount) -> str:
    scale, unit = scale_of(figures), account.unit
    basis = "booking date" if figures.basis is Basis.BOOKING else "value date"
    words = [f"by {basis}, days in UTC"]
    if not figures.is_over:
        words.append("the day is not over")
    if account.currency != unit.code:
        words.append(f"in {unit.code}: {_exact(account, figures.opening_minor)} at its beginning")
        words.append(f"{_exact(account, figures.closing_minor)} at its end")
    if scale.rest(figures.opening_minor) or scale.rest(figures.closing_minor):
        words.append(f"parts below one minor unit of {account.currency} are carried")
    return "; ".join(words)


def _exact(account: StatedAccount, minor: int) -> str:
    return format_minor(minor, account.unit.decimals)


def _table(session: Session, figures: DayFigures) -> Iterator[Cells]:
    """Yield opening balance, movements and closing balance, exact in the account's own unit."""
    # Read once beforehand: what does not add up is not begun.
    for _minor in amounts(session, figures):
        pass
    account, day = figures.account, figures.day
    yield _balance("opening balance", figures.opening_minor, account, day)
    for entry in day_entries(session, figures):
        yield _row(entry, entry.stated, account)
    yield _balance("closing balance", figures.closing_minor, account, day)


def _balance(kind: str, minor: int, account: StatedAccount, day: date) -> Cells:
    shown = (None, kind, day, None, None, _exact(account, minor), account.unit.code)
    return (*shown, *([None] * (len(COLUMNS) - len(shown))))


def _row(entry: DayEntry, stated: StatedEntry, account: StatedAccount) -> Cells:
    chain, other = stated.chain, stated.other_party
    return (
        stated.reference,
        stated.kind,
        stated.booking_date,
        stated.value_date,
        _exact(account, entry.minor),
        _exact(account, entry.balance_minor),
        account.unit.code,
        stated.is_reversal,
        stated.end_to_end_id,
        stated.uetr,
        other.name if other else None,
        other.lei if other else None,
        stated.invoice.number if stated.invoice else None,
        chain.tx_hash if chain else None,
        chain.block_number if chain else None,
        chain.block_hash if chain else None,
        stated.note,
    )
