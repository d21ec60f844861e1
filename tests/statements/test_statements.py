"""Statements of the healthy world, and of one with dust in it: they add up, whatever the form."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime
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
from settlement.ledger import account_statement
from settlement.statements import figures, pdf
from settlement.statements.accounts import find_account
from settlement.statements.errors import StatementTooLong
from settlement.statements.figures import Basis, day_figures
from settlement.statements.statement import StatementFormat, StatementWanted, write_statement
from settlement.store import reading
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


@pytest.mark.parametrize(("side", "other"), [("seller", "Buyer"), ("buyer", "Seller")])
def test_every_payment_names_the_other_side_also_where_it_is_taken_back(
    booked: Engine, patient: Patient, side: str, other: str
) -> None:
    now, code = patient.world.now(), _wallet_of(patient, side)
    with reading(booked) as session:
        content = _written(session, code, now.date(), now, form=StatementFormat.CSV)

    rows = list(csv.DictReader(io.StringIO(content.decode())))
    payments = [row for row in rows if row["kind"] == "payment"]
    assert {row["counterparty"] for row in payments} == {other}
    assert {row["is_reversal"] for row in payments} == {"true", "false"}
    assert {row["counterparty"] for row in rows if row not in payments} == {""}


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
