"""The worlds that the chain's tests ask for: each test of `world` runs in memory and on anvil."""

from collections.abc import Iterator

import pytest

from tests.chain.worlds import World, a_world


@pytest.fixture(params=("memory", "anvil"))
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """A fresh chain with the rail, the debtor's mandate granted."""
    with a_world(request.param) as made:
        yield made
