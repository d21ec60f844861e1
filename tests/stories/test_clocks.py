"""Clocks that are wrong: numbers order the payments, and the chain's own time ends them."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.worker import Worker
from settlement.chain import mandate_abi
from settlement.errors import LeaseLost
from settlement.store import open_engine
from settlement.verify.judging import violations
from tests.builders.memory_node import MemoryNode
from tests.builders.rail import Rail, a_rail
from tests.builders.soundness import assert_sound

HOURS = (2, -2, 30)


@pytest.fixture
def rail(sqlite_url: str, tmp_path: Path) -> Iterator[Rail]:
    engine = open_engine(sqlite_url)
    with a_rail(engine, tmp_path) as made:
        yield made
    engine.dispose()


def _tick_at(rail: Rail, worker: Worker, hours: int) -> None:
    rail.now += timedelta(seconds=1)
    try:
        worker.tick(rail.now + timedelta(hours=hours))
    except LeaseLost:
        return  # The other one's clock called its lease worn off.


@pytest.mark.parametrize("hours", HOURS)
def test_two_workers_whose_clocks_are_hours_apart_pay_everybody_once(
    rail: Rail, hours: int
) -> None:
    right, wrong = rail.worker("right"), rail.worker("wrong", signer=rail.signer())
    for _ in range(12):
        rail.instructed()
        _tick_at(rail, wrong, hours)
        _tick_at(rail, right, 0)
        rail.controls.mine()
    wrong.stop()
    rail.now += timedelta(hours=max(hours, 0), seconds=60)

    rail.settle_all(right, rounds=80)

    assert len(rail.paid_logs()) == 12
    assert_sound(rail)
    assert violations(str(rail.engine.url), MemoryNode(rail.chain)) == []


@pytest.mark.parametrize("hours", HOURS)
def test_a_clock_that_steps_while_payments_are_under_way_finishes_them(
    rail: Rail, hours: int
) -> None:
    worker = rail.worker()
    keys = rail.instructed(4)
    rail.tick(worker)
    rail.now += timedelta(hours=hours)

    rail.settle_all(worker, rounds=80)

    assert len(rail.paid_logs()) == len(keys)
    assert_sound(rail)


def test_the_turn_of_the_year_and_of_2038_is_a_day_like_any_other(rail: Rail) -> None:
    worker = rail.worker()
    for_ever = mandate_abi.set_mandate_calldata(
        token=rail.token(), cap_per_payment=10**12, cap_per_day=10**13, expiry=2**39
    )
    rail.on_chain(rail.sandbox.wallets[1], rail.sandbox.deployment.rail, for_ever)
    # Files that never end: what a stale one does is not what is asked here.
    rail.write("UPDATE participant SET kyb_valid_until = NULL, review_on = NULL")
    rail.write("UPDATE participant_document SET valid_until = NULL, expires_on = NULL")
    for year in (2027, 2038):
        turn = rail.now.replace(year=year, month=1, day=1, hour=0, minute=0, second=0)
        rail.later(int((turn - timedelta(seconds=5) - rail.now).total_seconds()))
        rail.controls.mine()
        rail.tick(worker)
        rail.instructed()
        rail.settle_all(worker)
        dates = rail.rows("SELECT value_date FROM journal_entry WHERE kind = 'payment'")
        assert {row.value_date for row in dates} & {f"{year - 1}-12-31", f"{year}-01-01"}

    assert len(rail.paid_logs()) == 2
    assert_sound(rail)
