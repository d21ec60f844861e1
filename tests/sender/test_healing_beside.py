"""Healing a lane while the worker that found it wrong goes on running beside it."""

from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from settlement.errors import ChainContradicts, LeaseLost
from settlement.sender import lanes
from settlement.sender.heal import heal
from tests.builders.healing import a_backup
from tests.builders.healing import healed as _heal
from tests.builders.rail import OPERATOR, Rail
from tests.builders.soundness import assert_sound


def test_what_is_written_down_stands_in_its_block_before_the_worker_beside_looks_at_it(
    sqlite_rail: Rail, tmp_path: Path
) -> None:
    rail = sqlite_rail
    rail.tick(rail.worker("first"))
    backup = a_backup(rail, tmp_path)
    rail.let_go()
    rail.instructed(2)
    rail.settle_all(rail.worker("lost"))
    backup.now, backup.ids = rail.now, rail.ids
    worker = backup.worker("beside")
    for _ in range(3):  # It follows every block, and halts its lane.
        with suppress(ChainContradicts):
            backup.tick(worker)
    _heal(backup)

    backup.later(60)
    for _ in range(4):  # No block comes that would show it anything new.
        backup.tick(worker)

    assert backup.lane().state == "paused"
    assert "no record" in backup.lane().reason
    assert backup.one("SELECT SUM(send_count) FROM attempt") == 1


def test_a_reorg_that_a_healing_stores_is_followed_by_the_worker_beside_it(rail: Rail) -> None:
    worker = rail.worker()
    (key,) = rail.instructed()
    rail.run_until(worker, lambda: rail.state(key) == "BOOKED")
    rail.controls.reorg(3)
    lease = lanes.Lease(OPERATOR.address, "nobody", 0, timedelta(seconds=5))

    with pytest.raises(LeaseLost):  # It has followed the chain, and changed nothing of the lane.
        heal(rail.engine, rail.chain, lease, rail.settings, ids=rail.ids, now=rail.now)
    progress = rail.tick(worker)

    assert (progress.reversed, rail.state(key)) == (2, "SUBMITTED")  # The payment, and its gas.
    rail.settle_all(worker)
    assert_sound(rail)
