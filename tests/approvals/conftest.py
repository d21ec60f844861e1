"""A founded rail for the tests of approvals, on both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.builders.rail import Rail, a_rail


@pytest.fixture
def rail(engine: Engine, tmp_path: Path) -> Iterator[Rail]:
    """A founded rail on a chain in memory."""
    with a_rail(engine, tmp_path) as made:
        yield made
