"""Two thousand requests made from the OpenAPI document: no server error, no answer off its schema.

Also none that gets past the door without a key. `scripts/bench api` sends twenty thousand.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from settlement.store import open_engine
from tests.gateway.fuzzing import Found, ask, operations
from tests.gateway.world import World, a_world

CASES = 2_000
PARTS = 8
SEED = 20_261_130


@pytest.fixture(scope="module")
def world(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("fuzzed")
    shutil.copyfile(sqlite_template, folder / "settle.sqlite3")
    engine = open_engine(f"sqlite:///{folder}/settle.sqlite3")
    with a_world(engine, folder) as opened:
        yield opened
    engine.dispose()


@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_the_document_allows_is_answered_as_it_says(world: World, part: int) -> None:
    found = Found()
    mine = sorted(operations(world), key=lambda each: each[0])[part::PARTS]
    wanted = CASES // PARTS

    for place, (route, operation) in enumerate(mine):
        left, routes = wanted - found.cases, len(mine) - place
        ask(world, route, operation, -(-left // routes), SEED + part, found)

    assert found.faults == {}
    assert found.cases == wanted
    assert found.strangers > wanted // 20
    assert sum(found.reached.values()) > wanted // 10, found.statuses
