"""A lane wholly occupied comes out empty by itself; one that was just taken is looked at first."""

import random
from typing import Any

import pytest

from scripts.benches._full_lane import BLOCKS_MAX, Choosy, FullLane
from tests.builders.ports import BrokenChain
from tests.builders.rail import OPERATOR, Rail
from tests.builders.soundness import assert_sound

IN_FLIGHT = 24


@pytest.mark.parametrize("seed", range(1, 6))
def test_a_full_lane_is_empty_within_twenty_blocks_whatever_befell_it(
    sqlite_rail: Rail, seed: int
) -> None:
    rail = sqlite_rail
    changes = {"batch_payments_max": 1, "lane_in_flight_max": IN_FLIGHT}
    rail.settings = rail.settings.model_copy(update=changes)
    chain = Choosy(rail.chain, random.Random(seed))
    worker = rail.worker(chain=chain)
    rail.tick(worker)
    lane = FullLane(
        rail.engine, chain, rail.controls, rail.sandbox.deployment.rail, rail.sandbox.admin,
        OPERATOR.address, lambda count: _hand_in(rail, count), lambda: rail.tick(worker),
        IN_FLIGHT, reorg_max=rail.settings.finality_confirmations - 1,
    )  # fmt: skip

    blocks, problems = lane.run(seed)

    assert problems == []
    assert blocks is not None and blocks <= BLOCKS_MAX, lane.faults
    assert_sound(rail)


def _hand_in(rail: Rail, count: int) -> None:
    rail.instructed(count)


def test_a_worker_that_takes_a_lane_sends_what_is_unmined_at_once_and_in_order(
    rail: Rail,
) -> None:
    rail.settings = rail.settings.model_copy(update={"batch_payments_max": 1})
    first = rail.worker("first")
    rail.instructed(3)
    rail.tick(first)
    rail.controls.drop_all()  # The node was started anew, and so is the worker.
    rail.later(6)
    chain = BrokenChain(rail.chain)
    stored = _raws(rail)

    rail.tick(rail.worker("second", chain=chain))

    assert chain.sent == stored
    assert rail.chain.pooled_count() == 3


def _raws(rail: Rail) -> list[bytes]:
    sql = "SELECT a.raw FROM attempt a JOIN chain_tx c ON c.id = a.chain_tx_id ORDER BY c.nonce"
    return [bytes(row.raw) for row in rail.rows(sql)]


def test_a_gap_in_the_nonces_is_closed_by_a_no_op(rail: Rail) -> None:
    """No step of ours leaves one: two nonces are taken by hand."""
    rail.instructed(1)
    rail.tick(rail.worker("first"))
    rail.write("UPDATE lane SET next_nonce = next_nonce + 2")
    rail.let_go()
    rail.instructed(1)

    rail.settle_all(rail.worker("second"))

    found: list[Any] = rail.rows("SELECT nonce, kind, state, cancelling FROM chain_tx ORDER BY 1")
    kinds = [(0, "pay"), (1, "noop"), (2, "noop"), (3, "pay")]
    assert [(row.nonce, row.kind) for row in found] == kinds
    events = rail.rows("SELECT reason FROM chain_tx_event WHERE move = 'claim' ORDER BY id")
    assert [row.reason for row in events] == [None, *["it closes a gap in the nonces"] * 2, None]
    assert_sound(rail)


def test_closing_a_gap_twice_closes_it_once(rail: Rail) -> None:
    rail.instructed(1)
    rail.tick(rail.worker("first"))
    rail.write("UPDATE lane SET next_nonce = next_nonce + 1")
    rail.let_go()
    for owner in ("second", "third", "fourth"):
        rail.tick(rail.worker(owner))
        rail.let_go()

    assert rail.one("SELECT COUNT(*) FROM chain_tx") == 2
