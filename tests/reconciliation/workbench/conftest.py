"""Desks on an empty, migrated database of this test's own, on each engine."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.reconciliation.workbench.desks import Desks, desks


@pytest.fixture
def desk(engine: Engine, tmp_path: Path) -> Iterator[Desks]:
    with desks(engine, tmp_path) as opened:
        yield opened
