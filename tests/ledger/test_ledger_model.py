"""Any sequence of operations on the ledger leaves what a plain dictionary says."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from scripts.benches._journal_world import seed_world
from scripts.benches._ledger_model import run_sequence
from settlement.store import open_engine, transaction

SEQUENCES = 500
AT_ONCE = 50
ON_POSTGRESQL = 20


@pytest.fixture
def sqlite_world(sqlite_url: str) -> Iterator[Engine]:
    opened = open_engine(sqlite_url)
    yield opened
    opened.dispose()


@pytest.fixture
def postgres_world(postgres_url: str) -> Iterator[Engine]:
    opened = open_engine(postgres_url)
    yield opened
    opened.dispose()


class _UndoneError(Exception):
    pass


def run_all(engine: Engine, seeds: range) -> None:
    """Run each seed in a database transaction of its own that is undone."""
    with transaction(engine) as session:
        seed_world(session)
    for seed in seeds:
        print(f"seed {seed}")
        with pytest.raises(_UndoneError), transaction(engine) as session:
            assert run_sequence(session, seed) > 0
            raise _UndoneError


@pytest.mark.parametrize("first", range(0, SEQUENCES, AT_ONCE))
def test_the_ledger_and_a_dictionary_agree_after_every_operation(
    sqlite_world: Engine, first: int
) -> None:
    run_all(sqlite_world, range(first, first + AT_ONCE))


def test_they_agree_on_the_other_database_too(postgres_world: Engine) -> None:
    run_all(postgres_world, range(ON_POSTGRESQL))
