"""Rows by the thousand go in whole, whatever their number, on both databases."""

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DatabaseError, OperationalError

from settlement.store import open_engine, reading, transaction
from settlement.store.bulk import insert_alike, insert_rows, rows, rows_by_key

COLUMNS = ("name", "number", "hash", "at")


@pytest.mark.parametrize("count", [0, 1, 2, 7, 43, 127, 128, 129, 299, 4451])
def test_no_row_is_left_out_and_none_comes_twice(engine: Engine, count: int) -> None:
    made = [(f"row {number}", number, "0x", 0) for number in range(count)]

    with transaction(engine) as session:
        insert_rows(session, "cursor", COLUMNS, made)

    with engine.connect() as connection:
        found = connection.execute(text("SELECT name, number FROM cursor ORDER BY number")).all()
    assert [tuple(row) for row in found] == [row[:2] for row in made]


@pytest.mark.parametrize("count", [0, 1, 2000])
def test_rows_that_are_alike_go_in_in_the_order_of_their_keys(engine: Engine, count: int) -> None:
    keys = [f"inv '{count - number}\" ü" for number in range(count)]
    event = {"kind": "k", "body": "{}", "at": 2**62}

    with transaction(engine) as session:
        insert_alike(session, "outbox", "aggregate_id", keys, event)

        found = rows(session, "SELECT aggregate_id, kind, body, at FROM outbox ORDER BY seq")

    assert found == [(key, *event.values()) for key in keys]


def test_rows_that_are_there_are_passed_over_where_that_is_asked(engine: Engine) -> None:
    made = [(f"row {number}", number, "0x", 0) for number in range(2500)]

    with transaction(engine) as session:
        insert_rows(session, "cursor", COLUMNS, made[:1200])
        insert_rows(session, "cursor", COLUMNS, made, "ON CONFLICT DO NOTHING")

    with engine.connect() as connection:
        assert connection.execute(text("SELECT COUNT(*) FROM cursor")).scalar_one() == 2500


def test_values_stand_before_and_behind_the_keys(engine: Engine) -> None:
    change = "UPDATE cursor SET hash = ? WHERE name {keys} AND number > ? RETURNING name"
    with transaction(engine) as session:
        insert_rows(session, "cursor", COLUMNS, [(f"row {n}", n, "0x", 0) for n in range(5)])

        changed = rows_by_key(session, change, ["row 1", "row 2", "row 3"], "0xff", 1)

        assert sorted(changed) == [("row 2",), ("row 3",)]
        found = rows(session, "SELECT name FROM cursor WHERE hash = ? ORDER BY name", ("0xff",))
        assert found == [("row 2",), ("row 3",)]


def test_what_the_driver_says_has_the_name_that_everybody_catches(engine: Engine) -> None:
    with pytest.raises(DatabaseError, match="nowhere"), reading(engine) as session:
        rows(session, "SELECT 1 FROM nowhere")


def test_a_connection_that_is_gone_is_not_used_again(postgres_url: str) -> None:
    engine = open_engine(postgres_url)
    end = "SELECT pg_terminate_backend(pg_backend_pid())"

    with pytest.raises(OperationalError) as told, reading(engine) as session:
        rows(session, end)

    assert told.value.connection_invalidated
    with reading(engine) as session:
        assert rows(session, "SELECT 1") == [(1,)]
    engine.dispose()
