"""What could be stored and then stop the posting or matching of all others is refused as a file."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from settlement import bank
from settlement.documents.iso20022.reading_model import StatementInvalid
from settlement.reconciliation import engine as matching
from settlement.store import open_engine
from tests.bank.builders import Movement, a_camt, imported, refused, stored, with_account
from tests.bank.test_reading_csv import PLAIN, mapped
from tests.builders.ledger import NOW

LONG = "".join(f"{number:x}" for number in range(2_000))
"""Too long for an index of PostgreSQL, and not to be made shorter."""


@pytest.mark.parametrize("place", ["end_to_end", "reference", "statement_id"])
def test_an_identification_that_no_index_holds_is_refused(
    engine: Engine, tmp_path: Path, place: str
) -> None:
    with_account(engine)
    content = (
        a_camt(Movement(), version="04", statement_id=LONG)
        if place == "statement_id"
        else a_camt(Movement(**{place: LONG}), version="04")  # type: ignore[arg-type]
    )

    error = refused(engine, tmp_path, content)

    assert isinstance(error, StatementInvalid)
    assert f"{len(LONG)} characters" in str(error)


@pytest.mark.parametrize("field", ["end_to_end_id", "creditor_reference", "bank_reference", "uetr"])
def test_so_is_a_column_that_is_mapped_to_one_and_holds_something_else(
    engine: Engine, tmp_path: Path, field: str
) -> None:
    account = mapped(engine, {**PLAIN, "columns": {**PLAIN["columns"], field: "x"}})
    content = f"d,a,x\n2026-11-20,1.00,{LONG}\n".encode()

    with pytest.raises(StatementInvalid, match="characters") as error:
        imported(engine, tmp_path, content, account_id=account)

    assert (error.value.field, error.value.line) == (field, 2)
    assert stored(engine) == []


def test_one_of_any_standard_s_length_is_matched_by(engine: Engine, tmp_path: Path) -> None:
    with_account(engine)
    imported(engine, tmp_path, a_camt(Movement(end_to_end=LONG[:500]), version="04"))

    ran = matching.run(engine, NOW)

    assert (ran.added, stored(engine)[0].end_to_end_id) == (1, LONG[:500])


@pytest.mark.parametrize("at_once", [True, False])
def test_movements_that_the_books_cannot_add_up_are_refused(
    engine: Engine, tmp_path: Path, at_once: bool
) -> None:
    account = mapped(engine, PLAIN)
    head, huge = "d,a\n", "2026-11-20,92233720368547758.07\n"
    small = "2026-11-21,1.00\n"
    if not at_once:
        imported(engine, tmp_path, f"{head}{huge}".encode(), account_id=account)
    kept = len(stored(engine))

    with pytest.raises(StatementInvalid, match="more than the books hold"):
        content = f"{head}{huge if at_once else ''}{small}".encode()
        imported(engine, tmp_path, content, account_id=account)

    assert len(stored(engine)) == kept
    assert bank.post_all(engine, NOW) == kept
    with pytest.raises(StatementInvalid, match="more than the books hold"):
        imported(engine, tmp_path, f"{head}{huge}{small}".encode(), account_id=account)


@pytest.mark.parametrize("day", ["0001-01-01", "1969-12-31", "3000-01-01", "9999-12-31"])
def test_a_day_that_no_entry_is_of_is_refused(sqlite_url: str, tmp_path: Path, day: str) -> None:
    engine = open_engine(sqlite_url)
    account = mapped(engine, PLAIN)

    error = refused(engine, tmp_path, a_camt(Movement(day=day)))
    with pytest.raises(StatementInvalid, match="is no day") as told:
        imported(engine, tmp_path, f"d,a\n{day},1.00\n".encode(), account_id=account)

    assert isinstance(error, StatementInvalid) and day in str(error)
    assert told.value.field == "booking_date"
    engine.dispose()
