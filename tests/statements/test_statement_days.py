"""Days of an account: where they begin and end, dust that is carried, pages, late postings."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from lxml import etree
from sqlalchemy import Engine
from sqlmodel import Session

from settlement.documents.iso20022.schema import faults
from settlement.ledger import entries
from settlement.ledger.journal import post
from settlement.statements import figures
from settlement.statements.accounts import find_account
from settlement.statements.errors import DayNotBegun, NoSuchPage
from settlement.statements.figures import Basis, day_figures
from settlement.statements.statement import StatementWanted, write_statement
from settlement.store import reading, transaction
from tests.builders import ledger as books

NAMESPACE = "camt.053.001.08"
DAY = date(2026, 11, 20)
WALLET = f"wallet:{books.SELLER_WALLET}:{books.SYMBOL}"


@pytest.fixture
def dusty(engine: Engine) -> Iterator[Session]:
    """A wallet that got 10.00 on one day, and on the next 0.000001, 5.00 and 0.009999."""
    with transaction(engine) as session:
        books.seed_parties(session)
        session.add(books.a_block(10))
        for place, minor in enumerate([10_000_000, 1, 5_000_000, 9_999]):
            moment = datetime(2026, 11, 20, 23, 59, 59, 999_999, tzinfo=UTC)
            if place == 0:
                moment -= timedelta(days=1)
            _receive(session, minor, place, moment)
    with reading(engine) as session:
        yield session


def test_dust_is_carried_and_told_and_never_stops_a_statement(dusty: Session) -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)

    content = _written(dusty, WALLET, DAY, now)

    assert faults(content, NAMESPACE) == [] and _adds_up(content)
    root = etree.fromstring(content)
    assert [node.findtext("{*}Amt") for node in root.iterfind(".//{*}Bal")] == ["10.00", "15.01"]
    found = [
        (node.findtext("{*}Amt"), node.findtext("{*}AddtlNtryInf"))
        for node in root.iterfind(".//{*}Ntry")
    ]
    assert found == [
        ("0.00", "exactly 0.000001 TUSD"),
        ("5.00", None),
        ("0.01", "exactly 0.009999 TUSD"),
    ]
    assert "10.000000 at its beginning; 15.010000 at its end" in str(
        root.findtext(".//{*}AddtlStmtInf")
    )


def test_a_day_ends_at_midnight_and_begins_where_the_one_before_ended(dusty: Session) -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)

    days = [
        etree.fromstring(_written(dusty, WALLET, DAY + timedelta(days=n), now))
        for n in range(-1, 2)
    ]

    balances = [[_signed(node) for node in root.iterfind(".//{*}Bal")] for root in days]
    assert balances == [
        [Decimal(0), Decimal(10)],
        [Decimal(10), Decimal("15.01")],
        [Decimal("15.01"), Decimal("15.01")],
    ]
    numbers = [int(str(root.findtext(".//{*}ElctrncSeqNb"))) for root in days]
    assert numbers == list(range(numbers[0], numbers[0] + 3))
    assert [len(root.findall(".//{*}Ntry")) for root in days] == [1, 3, 0]


def test_what_is_posted_at_midnight_belongs_to_the_day_that_begins(engine: Engine) -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    with transaction(engine) as session:
        books.seed_parties(session)
        session.add(books.a_block(10))
        _receive(session, 5_000_000, 1, datetime(2026, 11, 20, tzinfo=UTC))

    with reading(engine) as session:
        counts = [
            len(etree.fromstring(_written(session, WALLET, day, now)).findall(".//{*}Ntry"))
            for day in (DAY - timedelta(days=1), DAY)
        ]

    assert counts == [0, 1]


def test_a_running_day_is_marked_and_a_coming_one_refused(dusty: Session) -> None:
    now = datetime(2026, 11, 20, 23, 59, 59, 999_999, tzinfo=UTC)

    running = etree.fromstring(_written(dusty, WALLET, DAY, now))

    codes = [node.findtext("{*}Tp//{*}Cd") for node in running.iterfind(".//{*}Bal")]
    assert codes == ["OPBD", "ITBD"]
    with pytest.raises(DayNotBegun):
        _written(dusty, WALLET, DAY + timedelta(days=1), now)


def test_pages_follow_on_each_other_and_hold_every_entry_once(engine: Engine) -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    with transaction(engine) as session:
        books.seed_parties(session)
        session.add(books.a_block(10))
        for place in range(7):
            _receive(session, 5_000_000 + place, place, datetime(2026, 11, 20, 12, tzinfo=UTC))

    with reading(engine) as session:
        pages = [
            etree.fromstring(_written(session, WALLET, DAY, now, page=page, page_size=3))
            for page in (1, 2, 3)
        ]
        with pytest.raises(NoSuchPage):
            _written(session, WALLET, DAY, now, page=4, page_size=3)

    opening = [_signed(next(root.iterfind(".//{*}Bal"))) for root in pages]
    closing = [_signed(list(root.iterfind(".//{*}Bal"))[1]) for root in pages]
    assert opening[0] == 0 and opening[1:] == closing[:-1] and closing[-1] == Decimal("35.00")
    counts = [len(root.findall(".//{*}Ntry")) for root in pages]
    assert counts == [3, 3, 1]
    assert all(_adds_up(etree.tostring(root)) for root in pages)
    assert len({node.text for root in pages for node in root.iterfind(".//{*}NtryRef")}) == 7


def test_what_is_posted_while_a_statement_is_read_is_not_on_it(engine: Engine) -> None:
    now = datetime(2026, 11, 20, 13, tzinfo=UTC)
    with transaction(engine) as session:
        books.seed_parties(session)
        session.add(books.a_block(10))
        _receive(session, 5_000_000, 1, datetime(2026, 11, 20, 12, tzinfo=UTC))
    with reading(engine) as session:
        account = find_account(session, WALLET)
        found = day_figures(session, account, DAY, basis=Basis.BOOKING, now=now)

    with transaction(engine) as session:
        _receive(session, 7_000_000, 2, datetime(2026, 11, 20, 12, tzinfo=UTC))
    with reading(engine) as session:
        assert list(figures.amounts(session, found)) == [5_000_000]


def _receive(session: Session, minor: int, place: int, moment: datetime) -> None:
    entry = entries.mint(
        entries.Side(books.SELLER_WALLET, books.SELLER),
        token=books.TOKEN,
        symbol=books.SYMBOL,
        minor=minor,
        log_index=place,
        source=books.a_source(10)._replace(value_date=moment.date().isoformat()),
    )
    assert post(session, [entry], moment) == 1


def _written(session: Session, code: str, day: date, now: datetime, **wanted: Any) -> bytes:
    out = io.BytesIO()
    write_statement(session, StatementWanted(code, day, **wanted), out, now=now)
    return out.getvalue()


def _adds_up(content: bytes) -> bool:
    root = etree.fromstring(content)
    opening, closing = (_signed(node) for node in root.iterfind(".//{*}Bal"))
    moved = [_signed(node) for node in root.iterfind(".//{*}Ntry")]
    return opening + sum(moved) == closing


def _signed(node: etree._Element) -> Decimal:
    sign = 1 if node.findtext("{*}CdtDbtInd") == "CRDT" else -1
    return sign * Decimal(str(node.findtext("{*}Amt")))
