"""A founded rail with three companies whose wallets the deployment has listed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.builders.rail import Rail, a_rail


@pytest.fixture
def rail(engine: Engine, tmp_path: Path) -> Iterator[Rail]:
    with a_rail(engine, tmp_path) as rail:
        yield rail
