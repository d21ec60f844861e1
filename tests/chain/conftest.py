"""The worlds that the chain's tests ask for: each test of `world` runs in memory and on anvil."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.chain.faulty_node import FaultyNode
from tests.chain.twins import Twins
from tests.chain.worlds import World, a_chain, a_world


@pytest.fixture(params=("memory", "anvil"))
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """A fresh chain with the rail, the debtor's mandate granted."""
    with a_world(request.param) as made:
        yield made


@pytest.fixture
def node() -> Iterator[FaultyNode]:
    """A node that a test tells how to fail."""
    made = FaultyNode()
    yield made
    made.close()


@pytest.fixture(params=("memory", "anvil"))
def bare(request: pytest.FixtureRequest) -> Iterator[tuple[Any, Any]]:
    """A chain on which nothing stands, and its controls."""
    with a_chain(request.param) as made:
        yield made


@pytest.fixture
def twins() -> Iterator[Twins]:
    """One world in memory and one on anvil."""
    with a_world("memory") as memory, a_world("anvil") as anvil:
        yield Twins(memory, anvil)
