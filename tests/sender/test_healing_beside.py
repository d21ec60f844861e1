"""Healing: beside the worker that found the lane wrong, and what the signer alone remembers."""

from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from settlement.compliance import clearance
from settlement.errors import ChainContradicts, LeaseLost
from settlement.sender import lanes
from settlement.sender.heal import heal
from settlement.signer.socket import SignerUnreachable
from settlement.store import transaction
from tests.builders.healing import a_backup, a_forgetful_backup
from tests.builders.healing import healed as _heal
from tests.builders.ports import BrokenSigner
from tests.builders.rail import OPERATOR, Rail
from tests.builders.soundness import assert_sound


def test_what_is_written_down_stands_in_its_block_before_the_worker_beside_looks_at_it(
    sqlite_rail: Rail, tmp_path: Path
) -> None:
    backup = a_forgetful_backup(sqlite_rail, tmp_path)
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


def test_what_was_claimed_in_a_backup_and_cancelled_since_is_closed_and_paid_anew(
    sqlite_rail: Rail, tmp_path: Path
) -> None:
    rail = sqlite_rail
    worker = rail.worker("first", signer=BrokenSigner(rail.signer(), ["", "unreachable"]))
    rail.instructed()
    rail.settle_all(worker)
    (key,) = rail.instructed()
    with pytest.raises(SignerUnreachable):
        rail.tick(worker)
    backup = a_backup(rail, tmp_path)  # With a nonce that is claimed, and not signed yet.
    with transaction(rail.engine) as session:
        clearance.revoke(session, [key], rail.now)
    rail.tick(worker)
    rail.controls.drop_all()  # Its cancel was signed, and never mined.
    backup.now, backup.ids = rail.now, rail.ids
    signer = backup.signer()

    healed = _heal(backup, signed_through=signer.signed_through())
    backup.settle_all(backup.worker("next", signer=signer), rounds=60)

    assert (healed.closed, healed.next_nonce) == (0, 2)
    kinds = backup.rows("SELECT kind FROM attempt ORDER BY created_at, chain_tx_id")
    assert [row.kind for row in kinds] == ["pay", "cancel", "pay"]
    assert_sound(backup)
