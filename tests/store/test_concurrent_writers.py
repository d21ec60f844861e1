"""Many writers at once on both databases: nothing lost, no error that a caller would see."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from settlement import ledger
from settlement.errors import IllegalMove
from settlement.ledger import Entry, Line
from settlement.settlements import control
from settlement.store import open_engine, reading, transaction
from tests.builders.ledger import NOW
from tests.builders.rail import a_rail

THREADS, TIMES = 8, 15


def _together(work: Callable[[int], None]) -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        for done in [pool.submit(work, number) for number in range(THREADS)]:
            done.result()


def _entry(key: str) -> Entry:
    lines = (Line("receivable:par_a:USD", 5), Line("sales:par_a:USD", -5))
    return Entry("accept", key, lines, value_date="2026-11-23")


def test_who_reads_before_writing_loses_nothing_and_never_fails(engine: Engine) -> None:
    with transaction(engine) as session:
        ledger.post(session, [_entry("accept:0")], NOW)

    def work(number: int) -> None:
        for turn in range(TIMES):
            with transaction(engine) as session:
                # A read first: a lock that is only taken at the write fails at once on SQLite.
                ledger.trial_balance(session)
                ledger.post(session, [_entry(f"accept:{number}.{turn}")], NOW)

    _together(work)

    with reading(engine) as session:
        assert ledger.verify_chain(session).holds
        assert ledger.head(session).seq == 1 + THREADS * TIMES


def test_a_database_that_is_serializable_by_default_changes_nothing(postgres_url: str) -> None:
    with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(
            f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'"
        )
    engine = open_engine(postgres_url)

    def work(number: int) -> None:
        for turn in range(TIMES):
            with transaction(engine) as session:
                ledger.post(session, [_entry(f"accept:{number}.{turn}")], NOW)

    _together(work)

    with reading(engine) as session:
        assert ledger.verify_chain(session).holds
        assert ledger.head(session).seq == THREADS * TIMES
    engine.dispose()


def test_settlements_named_in_opposite_orders_do_not_block_each_other(
    engine: Engine, tmp_path: Path
) -> None:
    with a_rail(engine, tmp_path) as rail:
        keys = rail.instructed(20)

        def work(number: int) -> None:
            named = keys if number % 2 else keys[::-1]
            for _ in range(TIMES):
                for act in (
                    lambda session, ids: control.hold(
                        session, ids, reason="looking", actor="ana", now=rail.now
                    ),
                    lambda session, ids: control.release(session, ids, actor="ana", now=rail.now),
                ):
                    try:
                        with transaction(engine) as session:
                            act(session, named)
                    except IllegalMove:
                        continue  # The other was first.

        _together(work)

        assert set(rail.states().values()) <= {"INSTRUCTED", "HELD"}
        assert len({len(rail.moves(key)) for key in keys}) == 1, "all or none, each time"


def test_a_statement_that_takes_too_long_takes_its_database_transaction_along(
    postgres_url: str,
) -> None:
    hurried = open_engine(postgres_url)

    with pytest.raises(OperationalError, match="statement timeout"), transaction(hurried) as late:
        ledger.post(late, [_entry("accept:1")], NOW)
        late.execute(text("SET LOCAL statement_timeout = 200"))
        late.execute(text("SELECT pg_sleep(5)"))
    with transaction(hurried) as session:
        ledger.post(session, [_entry("accept:2")], NOW)

    with reading(hurried) as session:
        assert ledger.verify_chain(session).holds
        assert ledger.trial_balance(session).is_balanced
        keys = session.execute(text("SELECT source_key FROM journal_entry")).scalars().all()
    assert list(keys) == ["accept:2"]
    hurried.dispose()
