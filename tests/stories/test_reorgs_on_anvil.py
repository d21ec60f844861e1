"""Rows of the reorg table on a real node: the same world, the same branches, real blocks."""

import random
from pathlib import Path

import pytest

from settlement.store import open_engine
from settlement.verify.judging import violations
from tests.builders.branches import a_branch
from tests.builders.rail import an_anvil_rail
from tests.builders.reorgs import FINALITY, OPERATOR, SECOND, TIERS, Scene
from tests.stories.test_reorg_table import branch_shows, drive, reversed_once

ROWS = ((1, "other attempt"), (2, "cancel wins"), (3, "refused"), (6, "swapped"), (12, "forgotten"))


@pytest.mark.parametrize(("depth", "mode"), ROWS)
def test_a_real_node_s_reorgs_are_survived(
    sqlite_url: str, tmp_path: Path, depth: int, mode: str
) -> None:
    engine = open_engine(sqlite_url)
    with an_anvil_rail(
        engine, tmp_path, operators=(OPERATOR, SECOND),
        finality_confirmations=FINALITY, booking_tiers=TIERS,
    ) as rail:  # fmt: skip
        scene = Scene(rail)
        rail.controls.mine(FINALITY)
        rail.tick(scene.worker)
        scene.arrange(depth, raced="pay")
        branch = a_branch(scene, mode, depth, random.Random(depth))

        rail.controls.reorg(depth, branch.included)
        rail.tick(scene.worker)

        branch_shows(scene, branch)
        reversed_once(rail)
        drive(scene)
        reversed_once(rail)
        against = violations(sqlite_url, rail.rpc_url, confirmations=FINALITY, quiescent=True)
        assert against == []
    engine.dispose()
