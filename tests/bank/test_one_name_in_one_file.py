"""A file that holds two statements of one name is refused in words, and nothing of it is stored."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.bank.builders import Movement, a_camt, imported, refused, stored, with_account


def _both(first: bytes, second: bytes) -> bytes:
    """Return one file with the statements of two."""
    head, _, tail = first.partition(b"</BkToCstmrStmt>")
    statement = second[second.index(b"<Stmt>") : second.index(b"</BkToCstmrStmt>")]
    return head + statement + b"</BkToCstmrStmt>" + tail


@pytest.mark.parametrize("amount", ["1.00", "2.00"])
def test_two_statements_of_one_name_in_one_file_are_refused(
    engine: Engine, tmp_path: Path, amount: str
) -> None:
    with_account(engine)
    content = _both(a_camt(Movement("1.00")), a_camt(Movement(amount)))

    refusal = refused(engine, tmp_path, content)

    assert "two statements 'STMT-1'" in str(refusal)


def test_two_statements_of_two_names_in_one_file_are_both_stored(
    engine: Engine, tmp_path: Path
) -> None:
    with_account(engine)
    other = a_camt(Movement("2.00"), statement_id="STMT-2", opening="1001.00")

    imported(engine, tmp_path, _both(a_camt(Movement("1.00")), other))

    assert [entry.amount_minor for entry in stored(engine)] == [100, 200]


@pytest.mark.parametrize("is_one_file", [True, False])
def test_an_entry_that_two_statements_tell_is_one_in_one_file_as_in_two(
    engine: Engine, tmp_path: Path, is_one_file: bool
) -> None:
    with_account(engine)
    twice = Movement("1.00", reference="FEE", end_to_end="NOTPROVIDED")
    morning = a_camt(twice, twice, sequence=None)
    evening = a_camt(twice, twice, twice, Movement("7.00", reference="BK-2"),
                     statement_id="STMT-2", sequence=None)  # fmt: skip

    for content in [_both(morning, evening)] if is_one_file else [morning, evening]:
        imported(engine, tmp_path, content)

    amounts = [row.amount_minor for row in stored(engine) if row.duplicate_of is None]
    assert amounts == [100, 100, 100, 700]
    assert len(stored(engine)) == 6


def test_two_alike_that_the_bank_has_no_reference_of_both_stand_in_one_file(
    engine: Engine, tmp_path: Path
) -> None:
    with_account(engine)
    fee = Movement("-1.00", reference=None, end_to_end="NOTPROVIDED")
    evening = a_camt(fee, statement_id="STMT-2", opening="999.00", sequence=2)

    imported(engine, tmp_path, _both(a_camt(fee), evening))

    assert [row.duplicate_of for row in stored(engine)] == [None, None]
