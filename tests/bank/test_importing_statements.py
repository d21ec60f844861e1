"""Statements and notifications come in once, whole, with every field where it belongs."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from settlement import bank
from settlement.store import reading
from tests.bank.builders import (
    OTHER_IBAN,
    Movement,
    a_camt,
    another_account,
    imported,
    stored,
    with_account,
)


def test_an_entry_is_stored_with_all_that_the_bank_says(engine: Engine, tmp_path: Path) -> None:
    account = with_account(engine)
    content = a_camt(Movement("250.01"), Movement("-40.00", reference="BK-2", end_to_end="E2E-2"))

    result = imported(engine, tmp_path, content)

    credit, debit = stored(engine)
    assert (result.entries, result.duplicates, result.is_new) == (2, 0, True)
    assert (credit.account_id, credit.file_id) == (account, result.file_id)
    assert credit.statement_id == result.statement_ids[0]
    assert (credit.amount_minor, debit.amount_minor) == (25001, -4000)
    assert (credit.entry_index, credit.detail_index, credit.status) == (1, 0, "BOOK")
    assert (credit.booking_date, credit.value_date) == ("2026-11-20", "2026-11-20")
    assert (credit.end_to_end_id, credit.bank_reference) == ("E2E-1", "BK-1")
    assert credit.remittance == "Invoice RE-1 & Co"
    assert (credit.counterparty_name, credit.counterparty_account) == (
        "Al Noor Trading LLC", OTHER_IBAN,
    )  # fmt: skip
    assert credit.transaction_code == "PMNT/RCDT/ESCT"
    lines = content.decode().split("\n")
    assert "<Ntry>" in lines[credit.source_line - 1]
    assert debit.source_line == credit.source_line + 1


def test_a_statement_keeps_balances_period_and_number(engine: Engine, tmp_path: Path) -> None:
    account = with_account(engine)

    imported(engine, tmp_path, a_camt(Movement("250.01"), sequence=7, opening="-10.00"))

    with reading(engine) as session:
        (statement,) = bank.statements(session)
        balance = bank.closing_balances(session, account, "2026-11-30")
        assert bank.closing_balances(session, account, "2026-11-19") is None
    assert (statement.opening_minor, statement.closing_minor) == (-1000, 24001)
    assert (statement.opening_date, statement.closing_date) == ("2026-11-19", "2026-11-20")
    assert (statement.sequence, statement.statement_id, statement.entry_count) == (7, "STMT-1", 1)
    assert balance == (24001, "EUR", "2026-11-20")


def test_a_batch_booking_becomes_its_details(engine: Engine, tmp_path: Path) -> None:
    with_account(engine)

    imported(engine, tmp_path, a_camt(Movement("60.00", details=("10.00", "20.00", "30.00"))))

    rows = stored(engine)
    assert [(row.detail_index, row.amount_minor) for row in rows] == [
        (1, 1000),
        (2, 2000),
        (3, 3000),
    ]
    assert [row.end_to_end_id for row in rows] == ["E2E-1-1", "E2E-1-2", "E2E-1-3"]
    assert {row.entry_index for row in rows} == {1}


def test_charges_taken_out_of_a_batch_become_a_row(engine: Engine, tmp_path: Path) -> None:
    with_account(engine)

    imported(
        engine, tmp_path, a_camt(Movement("57.50", details=("10.00", "50.00"), charges="2.50"))
    )

    rows = stored(engine)
    assert [row.amount_minor for row in rows] == [1000, 5000, -250]
    assert rows[-1].transaction_code == "CHARGES"


def test_charges_and_a_return_are_kept(engine: Engine, tmp_path: Path) -> None:
    with_account(engine)
    movement = Movement("97.50", charges="2.50", is_reversal=True, reason="AC04")

    imported(engine, tmp_path, a_camt(movement))

    (row,) = stored(engine)
    assert (row.amount_minor, row.charges_minor) == (9750, 250)
    assert (bool(row.is_reversal), row.return_reason) == (True, "AC04")


@pytest.mark.parametrize("version", ["02", "04", "08"])
def test_older_versions_say_the_same(engine: Engine, tmp_path: Path, version: str) -> None:
    with_account(engine)

    imported(engine, tmp_path, a_camt(Movement("-12.34"), version=version))

    (row,) = stored(engine)
    assert (row.amount_minor, row.status, row.end_to_end_id) == (-1234, "BOOK", "E2E-1")
    assert row.counterparty_name == "Al Noor Trading LLC"


def test_the_same_file_again_is_answered_with_the_first_result(
    engine: Engine, tmp_path: Path
) -> None:
    with_account(engine)
    content = a_camt(Movement(), Movement(reference="BK-2"))

    first, second = (imported(engine, tmp_path, content) for _ in range(2))

    assert second == first._replace(is_new=False)
    assert len(stored(engine)) == 2


def test_the_same_statement_written_anew_is_the_first_one(engine: Engine, tmp_path: Path) -> None:
    with_account(engine)
    first = imported(engine, tmp_path, a_camt(Movement("1.00"), Movement("2.00", reference="B")))

    reordered = a_camt(Movement("2.00", reference="B"), Movement("1.00"))
    second = imported(engine, tmp_path, reordered)

    assert second == first._replace(is_new=False)
    assert len(stored(engine)) == 2


def test_a_statement_of_the_same_name_with_other_content_is_refused(
    engine: Engine, tmp_path: Path
) -> None:
    with_account(engine)
    imported(engine, tmp_path, a_camt(Movement("1.00")))

    with pytest.raises(bank.StatementConflict):
        imported(engine, tmp_path, a_camt(Movement("2.00")))

    assert [row.amount_minor for row in stored(engine)] == [100]


def test_an_entry_of_a_notification_comes_once_with_its_statement(
    engine: Engine, tmp_path: Path
) -> None:
    with_account(engine)
    imported(engine, tmp_path, a_camt(Movement(), message="camt.054", sequence=None))

    result = imported(engine, tmp_path, a_camt(Movement(), Movement("7.00", reference="BK-2")))

    first, again, other = stored(engine)
    assert (result.entries, result.duplicates) == (2, 1)
    assert (first.duplicate_of, again.duplicate_of, other.duplicate_of) == (None, first.id, None)


def test_a_batch_told_in_detail_and_then_as_one_sum_counts_once(
    engine: Engine, tmp_path: Path
) -> None:
    with_account(engine)
    told = Movement("30.00", details=("10.00", "20.00"))
    imported(engine, tmp_path, a_camt(told, message="camt.054"))

    imported(engine, tmp_path, a_camt(Movement("30.00")))

    rows = stored(engine)
    assert [row.duplicate_of is None for row in rows] == [True, True, False]


def test_two_equal_entries_both_stand_and_overlap_once(engine: Engine, tmp_path: Path) -> None:
    with_account(engine)
    twin = Movement("5.00", reference=None, end_to_end="NOTPROVIDED")
    imported(engine, tmp_path, a_camt(twin, twin))

    week = a_camt(twin, Movement("9.00"), twin, statement_id="WEEK", sequence=None)
    result = imported(engine, tmp_path, week)

    rows = stored(engine)
    assert sum(row.amount_minor for row in rows if row.duplicate_of is None) == 1900
    assert [row.duplicate_of for row in rows] == [None, None, rows[0].id, None, rows[1].id]
    assert result.duplicates == 2


def test_what_is_pending_and_later_booked_is_no_duplicate(engine: Engine, tmp_path: Path) -> None:
    with_account(engine)
    pending = a_camt(Movement(status="PDNG"), message="camt.054")
    imported(engine, tmp_path, pending)

    imported(engine, tmp_path, a_camt(Movement()))

    assert [(row.status, row.duplicate_of) for row in stored(engine)] == [
        ("PDNG", None), ("BOOK", None),
    ]  # fmt: skip


def test_two_accounts_in_one_file_each_get_their_own(engine: Engine, tmp_path: Path) -> None:
    first = with_account(engine)
    with reading(engine) as session:
        owner = bank.bank_account(session, first).owner_id
    second = another_account(engine, owner, iban=OTHER_IBAN)
    one, other = a_camt(Movement()), a_camt(Movement("-3.00"), iban=OTHER_IBAN)
    begin, end = other.index(b"<Stmt>"), other.index(b"</BkToCstmrStmt>")
    both = one.replace(b"</Stmt>", b"</Stmt>" + other[begin:end])

    result = imported(engine, tmp_path, both)

    assert len(result.statement_ids) == 2
    assert [(row.account_id, row.amount_minor) for row in stored(engine)] == [
        (first, 10000), (second, -300),
    ]  # fmt: skip


def test_an_import_leaves_a_record_of_file_and_reader(engine: Engine, tmp_path: Path) -> None:
    with_account(engine)

    result = imported(engine, tmp_path, a_camt(Movement()))

    with reading(engine) as session:
        row: Any = session.execute(text("SELECT * FROM statement_file")).one()
    assert (row.id, row.format, row.actor) == (result.file_id, "camt.053.001.08", "test")
    assert (row.name, row.state, row.entry_count) == ("statement.xml", "complete", 1)
    assert row.line_reached > 1


@pytest.mark.parametrize("side", ["CRDT", "DBIT"])
def test_an_entry_of_nothing_is_counted_on_the_side_that_the_bank_says(
    engine: Engine, tmp_path: Path, side: str
) -> None:
    with_account(engine)
    counts = {"CRDT": 1, "DBIT": 1} | {side: 2}
    summary = (
        "<TxsSummry><TtlNtries><NbOfNtries>3</NbOfNtries><Sum>14.00</Sum></TtlNtries>"
        f"<TtlCdtNtries><NbOfNtries>{counts['CRDT']}</NbOfNtries><Sum>10.00</Sum></TtlCdtNtries>"
        f"<TtlDbtNtries><NbOfNtries>{counts['DBIT']}</NbOfNtries><Sum>4.00</Sum></TtlDbtNtries>"
        "</TxsSummry>"
    )
    closed = Movement("0.00", reference="BK-0", end_to_end="NOTPROVIDED")
    content = a_camt(Movement("10.00"), Movement("-4.00", reference="BK-2"), closed,
                     summary=summary).decode()  # fmt: skip
    nothing = 'Ccy="EUR">0.00</Amt><CdtDbtInd>'
    content = content.replace(f"{nothing}CRDT", f"{nothing}{side}")

    imported(engine, tmp_path, content.encode())

    assert [row.amount_minor for row in stored(engine)] == [1000, -400, 0]
