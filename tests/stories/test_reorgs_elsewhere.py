"""Rows of the reorg table on a real node, and on PostgreSQL: the same world, the same branches."""

import random
from pathlib import Path

import pytest

from settlement.store import open_engine
from settlement.verify.judging import violations
from tests.builders.branches import a_branch
from tests.builders.memory_node import MemoryNode
from tests.builders.rail import Rail, a_rail, an_anvil_rail
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
        _one_row(rail, depth, mode)
        against = violations(sqlite_url, rail.rpc_url, confirmations=FINALITY, quiescent=True)
        assert against == []
    engine.dispose()


@pytest.mark.parametrize(("depth", "mode"), ROWS)
def test_postgresql_follows_a_reorg_as_sqlite_does(
    postgres_url: str, tmp_path: Path, depth: int, mode: str
) -> None:
    engine = open_engine(postgres_url)
    with a_rail(
        engine, tmp_path, operators=(OPERATOR, SECOND),
        finality_confirmations=FINALITY, booking_tiers=TIERS,
    ) as rail:  # fmt: skip
        _one_row(rail, depth, mode)
        node = MemoryNode(rail.chain)
        assert violations(postgres_url, node, confirmations=FINALITY, quiescent=True) == []
    engine.dispose()


def _one_row(rail: Rail, depth: int, mode: str) -> None:
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
