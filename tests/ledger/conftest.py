"""A gateway on an empty, migrated database of this test's own, on each engine."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.gateway.builders import Door, a_door


@pytest.fixture
def door(engine: Engine, tmp_path: Path) -> Iterator[Door]:
    with a_door(engine, tmp_path / "home") as opened:
        yield opened
