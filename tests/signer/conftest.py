"""A founded rail for the tests of signer, on both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from settlement.store import open_engine
from tests.builders.rail import Rail, a_rail


@pytest.fixture
def rail(engine: Engine, tmp_path: Path) -> Iterator[Rail]:
    """A founded rail on a chain in memory."""
    with a_rail(engine, tmp_path, finality_confirmations=6) as made:
        yield made


@pytest.fixture
def sqlite_rail(sqlite_url: str, tmp_path: Path) -> Iterator[Rail]:
    """The same on SQLite alone, for tables of many rows."""
    engine = open_engine(sqlite_url)
    with a_rail(engine, tmp_path, finality_confirmations=6) as made:
        yield made
    engine.dispose()
