"""Statements of the healthy world, and of one with dust in it: they add up, whatever the form."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from lxml import etree
from pypdf import PdfReader
from sqlalchemy import Engine, text
from sqlmodel import Session

from settlement import ledger
from settlement.documents.iso20022.errors import MessageInvalid
from settlement.documents.iso20022.schema import faults
from settlement.errors import NotFound
from settlement.ledger import account_statement, entries
from settlement.ledger.journal import post
from settlement.statements import figures, pdf
from settlement.statements.accounts import find_account
from settlement.statements.errors import DayNotBegun, NoSuchPage, StatementTooLong
from settlement.statements.figures import Basis, day_figures
from settlement.statements.statement import StatementFormat, StatementWanted, write_statement
from settlement.store import reading, transaction
from tests.builders import ledger as books
from tests.verify.conftest import Patient

NAMESPACE = "camt.053.001.08"
DAY = date(2026, 11, 20)
WALLET = f"wallet:{books.SELLER_WALLET}:{books.SYMBOL}"


@pytest.mark.parametrize("basis", list(Basis))
def test_every_account_of_a_day_has_a_valid_statement_that_agrees_with_the_ledger(
    booked: Engine, patient: Patient, basis: Basis
) -> None:
    now = patient.world.now()
    with reading(booked) as session:
        codes = list(session.connection().execute(text("SELECT code FROM account")).scalars())
        for code in codes:
            theirs = account_statement(
                session,
                code,
                first=now.date(),
                last=now.date(),
                basis=ledger.Basis(basis.value),
            )
            minors = [line.minor for line in theirs.lines]
            account = find_account(session, code)
            ours = day_figures(session, account, now.date(), basis=basis, now=now)

            assert (ours.opening_minor, ours.closing_minor) == (
                theirs.opening_minor,
                theirs.closing_minor,
            )
            assert list(figures.amounts(session, ours)) == minors
            if account.currency is not None:
                content = _written(session, code, now.date(), now, basis=basis)
                assert faults(content, NAMESPACE) == []
                assert _adds_up(content)
    assert len(codes) > 10


def test_all_forms_of_a_statement_have_the_same_movements(booked: Engine, patient: Patient) -> None:
    now, code = patient.world.now(), _wallet_of(patient, "seller")
    with reading(booked) as session:
        made = {
            form: _written(session, code, now.date(), now, form=form) for form in StatementFormat
        }

    root = etree.fromstring(made[StatementFormat.CAMT053])
    stated = [
        (str(node.findtext("{*}NtryRef")), _signed(node)) for node in root.iterfind(".//{*}Ntry")
    ]
    table = list(csv.DictReader(io.StringIO(made[StatementFormat.CSV].decode())))
    sheet = openpyxl.load_workbook(io.BytesIO(made[StatementFormat.XLSX])).worksheets[0]
    cells = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)]
    page = "".join(p.extract_text() for p in PdfReader(io.BytesIO(made[StatementFormat.PDF])).pages)

    assert len(stated) > 5
    assert [(row["entry"], Decimal(row["amount"])) for row in table[1:-1]] == stated
    assert [(row[0], Decimal(repr(row[4]))) for row in cells[1:-1]] == stated
    for reference, amount in stated:
        assert reference in page and f"{amount:.6f}" in page
    assert table[0]["kind"] == "opening balance" and table[-1]["kind"] == "closing balance"
    moved = sum((amount for _, amount in stated), Decimal(table[0]["balance"]))
    assert moved == Decimal(table[-1]["balance"])


def test_a_reorganisation_shows_as_a_reversal_and_the_payment_that_came_back(
    booked: Engine, patient: Patient
) -> None:
    now, key = patient.world.now(), patient.world.settlements["orphaned"]
    with reading(booked) as session:
        content = _written(session, _wallet_of(patient, "seller"), now.date(), now)

    found = [
        (node.findtext("{*}CdtDbtInd"), node.findtext("{*}RvslInd"))
        for node in etree.fromstring(content).iterfind(".//{*}Ntry")
        if node.findtext(".//{*}InstrId") == key[4:]
    ]
    assert found == [("CRDT", None), ("DBIT", "true"), ("CRDT", None)]


def test_what_is_booked_and_not_final_says_so(booked: Engine, patient: Patient) -> None:
    now, key = patient.world.now(), patient.world.settlements["first"]
    patient.harm(f"UPDATE settlement SET state = 'BOOKED' WHERE id = '{key}'")

    with reading(booked) as session:
        content = _written(session, _wallet_of(patient, "seller"), now.date(), now)

    notes = {
        node.findtext(".//{*}InstrId"): node.findtext("{*}AddtlNtryInf")
        for node in etree.fromstring(content).iterfind(".//{*}Ntry")
    }
    assert "not final" in str(notes[key[4:]])
    assert [note for key, note in notes.items() if note and "not final" in note] == [notes[key[4:]]]


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


def test_figures_that_do_not_add_up_are_never_written(
    booked: Engine, patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, code = patient.world.now(), _wallet_of(patient, "seller")
    # A posting that the sums count and the list does not: as a faulty query would.
    faulty = figures._AMOUNTS.replace("ORDER", "AND p.amount_minor <> 500000000 ORDER")
    monkeypatch.setattr(figures, "_AMOUNTS", faulty)

    with reading(booked) as session:
        for form in (StatementFormat.CAMT053, StatementFormat.CSV, StatementFormat.XLSX):
            with pytest.raises(figures.FiguresOff):
                _written(session, code, now.date(), now, form=form)


def test_an_account_in_no_currency_has_tables_and_no_message(
    booked: Engine, patient: Patient
) -> None:
    now = patient.world.now()
    with reading(booked) as session:
        code = session.connection().execute(
            text("SELECT MIN(code) FROM account WHERE kind = 'coin'")
        )
        coin = code.scalar_one()

        with pytest.raises(MessageInvalid, match="WEI") as refused:
            _written(session, coin, now.date(), now)
        table = _written(session, coin, now.date(), now, form=StatementFormat.CSV)

    assert "csv" in str(refused.value.repair)
    assert b"WEI" in table


def test_paper_has_an_end(
    booked: Engine, patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = patient.world.now()
    monkeypatch.setattr(pdf, "ENTRIES_MAX", 3)

    with reading(booked) as session, pytest.raises(StatementTooLong) as refused:
        code = _wallet_of(patient, "seller")
        _written(session, code, now.date(), now, form=StatementFormat.PDF)

    assert "csv" in str(refused.value.repair)


def test_anothers_account_does_not_exist(booked: Engine, patient: Patient) -> None:
    code, companies = _wallet_of(patient, "seller"), patient.world.companies
    with reading(booked) as session:
        assert find_account(session, code, party=companies.seller).owner.name == "Seller"
        with pytest.raises(NotFound):
            find_account(session, code, party=companies.buyer)


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


def _wallet_of(patient: Patient, side: str) -> str:
    owner = getattr(patient.world.companies, side)
    return str(
        patient.value(
            f"SELECT code FROM account WHERE kind='wallet' AND unit='TUSD' AND owner='{owner}'"
        )
    )


def _adds_up(content: bytes) -> bool:
    root = etree.fromstring(content)
    opening, closing = (_signed(node) for node in root.iterfind(".//{*}Bal"))
    moved = [_signed(node) for node in root.iterfind(".//{*}Ntry")]
    return opening + sum(moved) == closing


def _signed(node: etree._Element) -> Decimal:
    sign = 1 if node.findtext("{*}CdtDbtInd") == "CRDT" else -1
    return sign * Decimal(str(node.findtext("{*}Amt")))
