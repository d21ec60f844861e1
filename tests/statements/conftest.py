"""The healthy world of the checker's tests, as something to make statements of."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from settlement.store import open_engine
from tests.verify.conftest import Patient, healthy_postgres, healthy_sqlite, patient

__all__ = ["healthy_postgres", "healthy_sqlite", "patient"]


@pytest.fixture
def booked(patient: Patient) -> Iterator[Engine]:
    """An engine on a copy of the healthy world, in which payments were made and are final."""
    engine = open_engine(patient.url)
    yield engine
    engine.dispose()
