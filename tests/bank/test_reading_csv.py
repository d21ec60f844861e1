"""CSV by a saved mapping: every manner of dates, signs and balances, and every way to be wrong."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from settlement import bank
from settlement.documents.bank_csv import MappingInvalid, mapping_of
from settlement.documents.iso20022.reading_model import (
    StatementContradicts,
    StatementInvalid,
    StatementRefused,
    StatementUnreadable,
)
from settlement.errors import Invalid
from settlement.store import open_engine, reading, transaction
from tests.bank.builders import IBAN, another_account, imported, stored, with_account
from tests.builders.ledger import NOW

GERMAN: dict[str, Any] = {
    "columns": {
        "booking_date": "Buchungstag", "value_date": "Wert", "amount": "Betrag",
        "currency": "Währung", "balance": "Saldo", "end_to_end_id": "E2E",
        "remittance": ["Zweck", "Zweck 2"], "counterparty_name": "Name",
        "counterparty_account": "IBAN",
    },
    "date_format": "DD.MM.YYYY", "decimal_sign": ",", "grouping_sign": ".",
    "encoding": "iso-8859-1", "skip_lines": 2,
}  # fmt: skip
HEAD = "Konto;1\n\nBuchungstag;Wert;Betrag;Währung;Saldo;E2E;Zweck;Zweck 2;Name;IBAN\n"
ROWS = (
    "20.11.2026;21.11.2026;1.250,01;EUR;2.250,01;E2E-1;Rechnung;RE-1;Söhne;GB82 WEST 1234\n"
    "20.11.2026;;-50,00;EUR;2.200,01;NOTPROVIDED;Gebühr;;;\n"
)
GOOD = HEAD + ROWS
PLAIN = {"columns": {"booking_date": "d", "amount": "a"}, "delimiter": ","}


def mapped(engine: Engine, mapping: dict[str, Any]) -> str:
    account = with_account(engine)
    with transaction(engine) as session:
        bank.set_mapping(session, account, json.dumps(mapping).encode(), actor="test", now=NOW)
    return account


def test_a_german_file_is_read_by_its_mapping(engine: Engine, tmp_path: Path) -> None:
    account = mapped(engine, GERMAN)

    imported(engine, tmp_path, GOOD.encode("iso-8859-1"), account_id=account)

    credit, debit = stored(engine)
    assert (credit.amount_minor, debit.amount_minor) == (125001, -5000)
    assert (credit.booking_date, credit.value_date) == ("2026-11-20", "2026-11-21")
    assert (debit.value_date, debit.end_to_end_id) == ("2026-11-20", None)
    assert (credit.remittance, credit.counterparty_name) == ("Rechnung RE-1", "Söhne")
    assert (credit.counterparty_account, credit.source_line) == ("GB82WEST1234", 4)
    with reading(engine) as session:
        (statement,) = bank.statements(session)
    assert (statement.opening_minor, statement.closing_minor) == (100000, 220001)


def test_rows_may_stand_newest_first(sqlite_url: str, tmp_path: Path) -> None:
    engine = open_engine(sqlite_url)
    account = mapped(engine, GERMAN)
    turned = HEAD + "".join(reversed(ROWS.splitlines(keepends=True)))

    imported(engine, tmp_path, turned.encode("iso-8859-1"), account_id=account)

    with reading(engine) as session:
        (statement,) = bank.statements(session)
    assert (statement.opening_minor, statement.closing_minor) == (100000, 220001)
    engine.dispose()


@pytest.mark.parametrize("is_newest_first", [True, False])
def test_rows_that_take_each_other_back_are_in_the_order_of_their_days(
    sqlite_url: str, tmp_path: Path, is_newest_first: bool
) -> None:
    engine = open_engine(sqlite_url)
    account = mapped(engine, {**PLAIN, "columns": {**PLAIN["columns"], "balance": "b"}})
    rows = ["2026-11-19,100.00,1100.00\n", "2026-11-20,-100.00,1000.00\n"]
    content = "d,a,b\n" + "".join(reversed(rows) if is_newest_first else rows)

    imported(engine, tmp_path, content.encode(), account_id=account)

    with reading(engine) as session:
        (statement,) = bank.statements(session)
    assert (statement.opening_minor, statement.closing_minor) == (100000, 100000)
    assert (statement.opening_date, statement.closing_date) == ("2026-11-19", "2026-11-20")
    engine.dispose()


@pytest.mark.parametrize(
    ("changes", "row", "minor"),
    [
        ({}, "2026-11-20,12.5", 1250),
        ({}, "2026-11-20,-12.50", -1250),
        ({}, "2026-11-20,12.50-", -1250),
        ({"amount_sign": "negated"}, "2026-11-20,12.50", -1250),
        ({"date_format": "MM/DD/YY"}, "11/20/26,1", 100),
        ({"date_format": "YYYYMMDD"}, "20261120,1", 100),
        ({"grouping_sign": ",", "delimiter": ";"}, "2026-11-20;1,234,567.89", 123456789),
    ],
)
def test_manners_of_dates_and_signs(
    sqlite_url: str, tmp_path: Path, changes: dict[str, Any], row: str, minor: int
) -> None:
    engine = open_engine(sqlite_url)
    account = mapped(engine, {**PLAIN, **changes})
    header = "d;a\n" if changes.get("delimiter") else "d,a\n"

    imported(engine, tmp_path, (header + row).encode(), account_id=account)

    (entry,) = stored(engine)
    assert (entry.amount_minor, entry.booking_date) == (minor, "2026-11-20")
    engine.dispose()


def test_a_column_for_each_side_or_a_word_for_it(sqlite_url: str, tmp_path: Path) -> None:
    engine = open_engine(sqlite_url)
    account = mapped(engine, {
        "columns": {"booking_date": "d", "credit": "in", "debit": "out"}, "delimiter": ",",
        "amount_sign": "columns",
    })  # fmt: skip
    imported(engine, tmp_path, b"d,in,out\n2026-11-20,5,\n2026-11-20,,7\n", account_id=account)
    worded = {
        "columns": {"booking_date": "d", "amount": "a", "direction": "s"}, "delimiter": ",",
        "amount_sign": "direction", "credit_words": ["H"], "debit_words": ["S"],
    }  # fmt: skip
    with transaction(engine) as session:
        bank.set_mapping(session, account, json.dumps(worded).encode(), actor="test", now=NOW)
    imported(engine, tmp_path, b"d,a,s\n2026-11-21,5,H\n2026-11-21,7,S\n", account_id=account)

    assert [row.amount_minor for row in stored(engine)] == [500, -700, 500, -700]
    engine.dispose()


def _formula(cell: str) -> bytes:
    return (HEAD + f"20.11.2026;;1,00;EUR;1,00;E;{cell};;;\n").encode("iso-8859-1")


@pytest.mark.parametrize(
    ("content", "kind", "said"),
    [
        (GOOD.replace("2.200,01", "2.200,02"), StatementContradicts, "balance"),
        (GOOD.replace("-50,00", "50,00"), StatementContradicts, "balance"),
        (GOOD.replace("1.250,01", "1,250.01"), StatementInvalid, "1,250.01"),
        (GOOD.replace("1.250,01", "4,320.00"), StatementInvalid, "4,320.00"),
        (GOOD.replace("1.250,01", "1.25,01"), StatementInvalid, "thousands"),
        (GOOD.replace("1.250,01", "1.250,011"), StatementInvalid, "1.250,011"),
        (GOOD.replace("1.250,01", "NaN"), StatementInvalid, "NaN"),
        (GOOD.replace("20.11.2026;21", "31.11.2026;21"), StatementInvalid, "31.11.2026"),
        (GOOD.replace("EUR;2.250,01", "USD;2.250,01"), StatementInvalid, "USD"),
        (GOOD.replace("Betrag", "Summe"), StatementInvalid, "Betrag"),
        (GOOD.replace(";Name", ";Betrag"), StatementInvalid, "2 columns"),
        (GOOD.replace(";Söhne", ""), StatementUnreadable, "9 cells"),
        (GOOD.replace("Rechnung", '"Rechnung'), StatementUnreadable, "CSV"),
        (HEAD, StatementUnreadable, "no row"),
        (_formula("=HYPERLINK(1)"), StatementInvalid, "formula"),
        (_formula("@SUM(A1)"), StatementInvalid, "formula"),
        (_formula("+cmd|' /C calc'!A0"), StatementInvalid, "formula"),
        (_formula("-2+3+cmd|' /C calc'!A0"), StatementInvalid, "formula"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_stored(
    sqlite_url: str, tmp_path: Path, content: str | bytes, kind: type[StatementRefused], said: str
) -> None:
    engine = open_engine(sqlite_url)
    account = mapped(engine, GERMAN)
    plain = content if isinstance(content, bytes) else content.encode("iso-8859-1")

    with pytest.raises(kind) as refusal:
        imported(engine, tmp_path, plain, account_id=account)

    assert said in str(refusal.value) and refusal.value.repair
    assert stored(engine) == []
    engine.dispose()


def test_other_bytes_than_the_mapping_says_are_refused(sqlite_url: str, tmp_path: Path) -> None:
    engine = open_engine(sqlite_url)
    account = mapped(engine, {**GERMAN, "encoding": "utf-8"})

    with pytest.raises(StatementUnreadable, match="utf-8"):
        imported(engine, tmp_path, GOOD.encode("iso-8859-1"), account_id=account)
    engine.dispose()


def test_a_csv_needs_an_account_and_belongs_to_one(sqlite_url: str, tmp_path: Path) -> None:
    engine = open_engine(sqlite_url)
    account = mapped(engine, PLAIN)
    content = b"d,a\n2026-11-20,1.00\n"

    with pytest.raises(Invalid) as refusal:
        imported(engine, tmp_path, content)
    assert refusal.value.field == "account"
    assert imported(engine, tmp_path, content, account_id=account).is_new
    with reading(engine) as session:
        owner = bank.bank_account(session, IBAN).owner_id
    other = another_account(engine, owner, currency="USD")
    with pytest.raises(bank.OtherBankAccount):
        imported(engine, tmp_path, content, account_id=other)
    engine.dispose()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"columns": {"amount": "a"}}, "columns/booking_date"),
        ({"columns": {"booking_date": "d"}}, "columns/amount"),
        ({"columns": {"booking_date": "d", "amount": "a", "debit": "x"}}, "columns/debit"),
        ({"amount_sign": "columns"}, "columns/amount"),
        ({"date_format": "DD.MM"}, "date_format"),
        ({"date_format": "YYYY-MM-DDT"}, "date_format"),
        ({"decimal_sign": ",", "grouping_sign": ","}, "grouping_sign"),
        ({"encoding": "utf-7"}, "encoding"),
        ({"skip_lines": "2"}, "skip_lines"),
        ({"rows": 1}, "rows"),
    ],
)
def test_a_mapping_that_makes_no_sense_names_its_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(MappingInvalid) as refusal:
        mapping_of(json.dumps({**PLAIN, **changes}).encode())

    assert refusal.value.field == field
