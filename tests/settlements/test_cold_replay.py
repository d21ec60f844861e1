"""After any schedule of reorgs, books and reconciliation are those of a cold replay of the chain.

Other schedules in every run; `REPLAY_SEED=n` begins with the same again, `REPLAY_DAYS=n` takes
more of them.
"""

import os
from pathlib import Path

import pytest

from settlement.verify.judging import violations
from tests.builders.memory_node import MemoryNode
from tests.builders.reorgs import FINALITY, Scene, a_copy, a_template
from tests.builders.replay import picture, replayed
from tests.builders.run_seed import run_seed
from tests.builders.schedules import Day

SEED = run_seed("REPLAY_SEED")
DAYS = int(os.environ.get("REPLAY_DAYS", "8"))


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Scene:
    return a_template(tmp_path_factory.mktemp("replay"), sqlite_template)


@pytest.mark.parametrize("seed", range(SEED, SEED + DAYS))
def test_books_after_reorgs_are_those_of_a_cold_replay(
    template: Scene, tmp_path: Path, sqlite_template: Path, seed: int
) -> None:
    with a_copy(template, tmp_path) as scene:
        day = Day(scene, seed)
        print(f"REPLAY_SEED={seed} REPLAY_DAYS=1")
        try:
            day.run()
        finally:
            print("; ".join(day.log))
        pace = day.chance.choice((1, 2, 5, 64))
        again = replayed(scene.rail, tmp_path, sqlite_template, blocks_per_tick=pace)
        first, second = picture(scene.rail), picture(again)
        against = violations(
            str(scene.rail.engine.url), MemoryNode(scene.rail.chain), confirmations=FINALITY
        )
        again.close()
        again.engine.dispose()

    assert day.reorgs and day.payments
    for name, seen in first.items():
        assert seen == second[name], name
    assert against == []
