"""Scenes on each chain that we have, in a database of each kind."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from settlement.chain.anvil import Anvil
from settlement.chain.anvil_controls import AnvilControls
from settlement.chain.evm import EvmChain
from settlement.chain.memory import MemoryChain
from tests.watcher.scene import Scene, a_scene


@pytest.fixture
def scene(engine: Engine) -> Scene:
    """A scene in memory; on both databases."""
    chain = MemoryChain()
    return a_scene(engine, chain, chain)


@pytest.fixture(params=("memory", "anvil"))
def each_scene(engine: Engine, request: pytest.FixtureRequest) -> Iterator[Scene]:
    """A scene in memory and on a real anvil; each on both databases."""
    if request.param == "memory":
        memory = MemoryChain()
        yield a_scene(engine, memory, memory)
        return
    with Anvil() as anvil:
        chain, controls = EvmChain(anvil.url), AnvilControls(anvil.url)
        yield a_scene(engine, chain, controls)
        chain.close()
        controls.close()
