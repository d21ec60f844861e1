"""A database with a rail and an applicant, and chains with a rail on them."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from settlement.chain.memory import MemoryChain
from settlement.clock import counted_ids
from settlement.store import transaction
from tests.chain.worlds import World, a_world
from tests.participants.files import a_trader, applied
from tests.watcher.scene import put_rail, record


@pytest.fixture
def party(engine: Engine) -> str:
    """An applicant, on a database that has a rail."""
    record(engine, put_rail(MemoryChain()))
    with transaction(engine) as session:
        return applied(session, a_trader(), ids=counted_ids(900))


@pytest.fixture(params=("memory", "anvil"))
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    with a_world(request.param) as made:
        yield made
