"""The admin's lane: what is wanted on the chain gets its nonce, its bytes and its block."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from gateway.worker import Worker
from settlement.registry import Source
from tests.builders.rail import Rail, a_rail
from tests.builders.registrar import (
    REGISTRAR,
    admin_signer,
    changes,
    is_frozen,
    is_listed,
    standing,
    want,
)


@pytest.fixture
def rail(engine: Engine, tmp_path: Path) -> Iterator[Rail]:
    with a_rail(engine, tmp_path, registrar=REGISTRAR, finality_confirmations=6) as rail:
        yield rail


def a_worker(rail: Rail, owner: str = "worker-1") -> Worker:
    worker = rail.worker(owner, beside=[admin_signer(rail)])
    return worker


def test_a_wallet_that_is_to_be_unlisted_is_unlisted_and_listed_again(rail: Rail) -> None:
    worker = a_worker(rail)
    rail.round(worker)
    want(rail, rail.seller_wallet, listed=False)

    rail.run_until(worker, lambda: standing(rail, rail.seller_wallet)[1] == "unlisted")

    assert not is_listed(rail, rail.seller_wallet)
    want(rail, rail.seller_wallet, listed=True)
    rail.run_until(worker, lambda: standing(rail, rail.seller_wallet)[1] == "listed")
    assert is_listed(rail, rail.seller_wallet)
    rail.run_until(worker, lambda: {state for _, state, _ in changes(rail)} == {"FINAL"})
    assert [effect for effect, *_ in changes(rail)] == ["unlisted", "listed"]


def test_a_freeze_is_one_call_a_wallet_and_a_listing_one_for_all(rail: Rail) -> None:
    worker = a_worker(rail)
    rail.round(worker)
    wallets = [pair.address for pair in rail.sandbox.wallets]
    want(rail, *wallets[:2], frozen=True, tokens=[rail.token()])
    want(rail, *wallets, listed=False, source=Source.SCREENING)

    rail.round(worker)

    assert changes(rail) == [("unlisted", "SENT", 3), ("frozen", "SENT", 1), ("frozen", "SENT", 1)]
    rail.round(worker)
    assert is_frozen(rail, wallets[0]) and is_frozen(rail, wallets[1])
    assert not any(is_listed(rail, each) for each in wallets)
    assert rail.one("SELECT COUNT(*) FROM registry_standing WHERE wanted <> actual") == 0


def test_nothing_is_claimed_while_all_is_as_wanted(rail: Rail) -> None:
    worker = a_worker(rail)
    want(rail, *(pair.address for pair in rail.sandbox.wallets), listed=True)

    for _ in range(3):
        rail.round(worker)

    assert changes(rail) == []
    assert rail.one("SELECT next_nonce FROM lane WHERE kind = 'admin'") == 1


def test_a_worker_that_may_pay_on_no_lane_still_lists_and_freezes(rail: Rail) -> None:
    rail.settings = rail.settings.model_copy(update={"worker_lanes_max": 0})
    worker = a_worker(rail)
    rail.round(worker)
    want(rail, rail.seller_wallet, listed=False)

    rail.run_until(worker, lambda: standing(rail, rail.seller_wallet)[1] == "unlisted")

    (paying,) = rail.rows("SELECT lease_owner FROM lane WHERE kind = 'operator'")
    assert paying.lease_owner is None


def test_nothing_is_listed_by_records_that_are_far_behind_the_chain(rail: Rail) -> None:
    slow = {"blocks_per_tick_max": 1, "backfill_blocks_max": 1}
    rail.settings = rail.settings.model_copy(update=slow)
    worker = a_worker(rail)
    rail.tick(worker)
    rail.controls.mine(30)
    want(rail, rail.seller_wallet, listed=False)

    for _ in range(10):
        rail.tick(worker)
    while_behind = changes(rail)
    for _ in range(30):
        rail.tick(worker)

    assert while_behind == []
    assert [(effect, members) for effect, _, members in changes(rail)] == [("unlisted", 1)]
