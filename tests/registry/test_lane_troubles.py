"""The admin's lane in trouble: crashes, reorgs, wishes that turn, two workers, failing calls."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from settlement.reconciliation.unfollowed import unfollowed
from settlement.store import transaction
from tests.builders.ports import BrokenChain, BrokenSigner, Killed
from tests.builders.rail import Rail, a_rail
from tests.builders.registrar import (
    REGISTRAR,
    admin_signer,
    changes,
    is_listed,
    standing,
    want,
)
from tests.builders.soundness import assert_sound


@pytest.fixture
def rail(engine: Engine, tmp_path: Path) -> Iterator[Rail]:
    with a_rail(engine, tmp_path, registrar=REGISTRAR, finality_confirmations=6) as rail:
        first = rail.worker("first")
        rail.tick(first)
        first.stop()
        yield rail


@contextmanager
def killed_at_commit(engine: Engine, nth: int) -> Iterator[None]:
    """The process ends when it would commit for the nth time: that commit does not happen."""
    left = [nth]

    def count(_connection: Any) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise Killed

    event.listen(engine, "commit", count)
    try:
        yield
    finally:
        event.remove(engine, "commit", count)


def done(rail: Rail, wallet: str, what: str) -> Any:
    return lambda: (
        standing(rail, wallet) == (what, what)
        and all(state in ("FINAL", "REPLACED") for _, state, _ in changes(rail))
    )


@pytest.mark.parametrize(
    ("signer_plan", "chain_plan"),
    [
        (["kill_before"], []),
        (["kill_after"], []),
        ([], ["kill_before"]),
        ([], ["kill_after"]),
        ([], ["lose_after"]),
        (["kill_after"], ["kill_after"]),
    ],
    ids=["claimed", "signed", "stored", "sent", "answer lost", "signed then sent"],
)
def test_a_worker_that_dies_around_signing_and_sending(
    rail: Rail, signer_plan: list[str], chain_plan: list[str]
) -> None:
    plan, chain = list(signer_plan), BrokenChain(rail.chain, list(chain_plan))
    want(rail, rail.seller_wallet, listed=False)

    for life in range(20):
        signer = BrokenSigner(admin_signer(rail), plan)
        worker = rail.worker(f"worker-{life}", chain=chain, beside=[signer])
        try:
            rail.run_until(worker, done(rail, rail.seller_wallet, "unlisted"))
        except Killed:
            rail.later(6)  # Its lease runs out.
            continue
        break

    assert changes(rail) == [("unlisted", "FINAL", 1)]
    assert not is_listed(rail, rail.seller_wallet)
    assert_sound(rail)


def test_a_crash_loop_through_every_commit_comes_to_an_end(rail: Rail) -> None:
    want(rail, rail.seller_wallet, listed=False)
    want(rail, rail.buyer_wallet, frozen=True, tokens=[rail.token()])
    deaths = 0

    for life in range(1, 30):
        worker = rail.worker(f"worker-{life}", beside=[admin_signer(rail)])
        try:
            with killed_at_commit(rail.engine, life):
                for _ in range(4):
                    rail.round(worker)
        except Killed:
            deaths += 1
        rail.later(6)
    last = rail.worker("last", beside=[admin_signer(rail)])
    rail.run_until(last, done(rail, rail.seller_wallet, "unlisted"))

    assert deaths > 5
    assert sorted(effect for effect, *_ in changes(rail)) == ["frozen", "unlisted"]
    assert_sound(rail)


def test_a_list_that_is_under_way_is_cancelled_and_unlisted_behind_it(rail: Rail) -> None:
    worker = rail.worker(beside=[admin_signer(rail)])
    want(rail, rail.seller_wallet, listed=False)
    rail.run_until(worker, done(rail, rail.seller_wallet, "unlisted"))
    want(rail, rail.seller_wallet, listed=True)
    rail.tick(worker)
    assert changes(rail)[-1] == ("listed", "SENT", 1)
    raw = rail.one("SELECT raw FROM attempt WHERE kind = 'admin' ORDER BY created_at DESC LIMIT 1")

    want(rail, rail.seller_wallet, listed=False)
    rail.tick(worker)

    assert [effect for effect, *_ in changes(rail)] == ["unlisted", "listed", "unlisted"]
    cancels = "SELECT COUNT(*) FROM attempt WHERE kind = 'cancel'"
    assert rail.one(cancels) == 1
    rail.controls.reorg(1, [(bytes(raw), 0)])  # The listing is mined all the same.
    rail.run_until(worker, done(rail, rail.seller_wallet, "unlisted"))
    assert not is_listed(rail, rail.seller_wallet)
    assert_sound(rail)


def test_one_of_a_hundred_that_is_not_to_be_unlisted_any_more_delays_nobody(rail: Rail) -> None:
    worker = rail.worker(beside=[admin_signer(rail)])
    want(rail, rail.seller_wallet, rail.buyer_wallet, listed=False)
    rail.tick(worker)

    want(rail, rail.buyer_wallet, listed=True)
    rail.run_until(worker, done(rail, rail.buyer_wallet, "listed"))

    assert [effect for effect, *_ in changes(rail)] == ["unlisted", "listed"]
    assert is_listed(rail, rail.buyer_wallet) and not is_listed(rail, rail.seller_wallet)
    assert rail.one("SELECT COUNT(*) FROM attempt WHERE kind = 'cancel'") == 0


@pytest.mark.parametrize("depth", [1, 5])
def test_a_reorg_throws_the_unlisting_out_and_the_same_bytes_bring_it_back(
    rail: Rail, depth: int
) -> None:
    worker = rail.worker(beside=[admin_signer(rail)])
    want(rail, rail.seller_wallet, listed=False)
    rail.tick(worker)
    rail.controls.mine(depth)
    rail.tick(worker)
    assert standing(rail, rail.seller_wallet)[1] == "unlisted"

    rail.controls.reorg(depth)
    rail.run_until(worker, done(rail, rail.seller_wallet, "unlisted"))

    assert rail.one("SELECT COUNT(*) FROM attempt") == 1
    assert changes(rail) == [("unlisted", "FINAL", 1)]
    assert_sound(rail)


def test_two_workers_claim_each_change_once(rail: Rail) -> None:
    one = rail.worker("worker-1", beside=[admin_signer(rail)])
    two = rail.worker("worker-2", beside=[admin_signer(rail)])
    rail.tick(one)
    rail.tick(two)
    want(rail, rail.seller_wallet, rail.buyer_wallet, listed=False)

    for _ in range(10):
        rail.tick(one)
        rail.round(two)

    assert changes(rail) == [("unlisted", "FINAL", 2)]
    assert_sound(rail)


def test_a_lane_whose_calls_revert_waits_longer_every_time_and_says_so(rail: Rail) -> None:
    worker = rail.worker(beside=[admin_signer(rail)])
    rail.round(worker)
    hand_back = bytes.fromhex("f2fde38b" + rail.sandbox.admin.address[2:].rjust(64, "0"))
    rail.write("UPDATE lane SET next_nonce = next_nonce + 1 WHERE kind = 'admin'")
    rail.on_chain(REGISTRAR, rail.sandbox.deployment.rail, hand_back)
    accept = bytes.fromhex("79ba5097")
    rail.on_chain(rail.sandbox.admin, rail.sandbox.deployment.rail, accept)

    want(rail, rail.seller_wallet, listed=False)
    for _ in range(16):
        rail.round(worker)

    assert 2 <= len(changes(rail)) <= 4
    assert {state for _, state, _ in changes(rail)} <= {"SEEN", "REVERTED", "SENT"}
    reason = rail.one("SELECT reason FROM lane WHERE kind = 'admin'")
    assert reason is None or "is it the rail's owner" in reason
    assert standing(rail, rail.seller_wallet) == ("unlisted", "listed")


def test_what_the_chain_does_not_follow_becomes_a_break_and_heals(rail: Rail) -> None:
    gone = BrokenSigner(admin_signer(rail), ["unreachable"] * 12)
    worker = rail.worker(beside=[gone])
    rail.round(worker)
    want(rail, rail.seller_wallet, listed=False)
    for _ in range(6):
        rail.round(worker)

    with transaction(rail.engine) as session:
        assert unfollowed(session, rail.now, 4) == (1, 0)
        assert unfollowed(session, rail.now, 4) == (0, 0)
    row = rail.one("SELECT * FROM settlement_break WHERE kind = 'unfollowed'")
    assert row.subject == f"{rail.seller_wallet}:{rail.sandbox.deployment.rail}"
    assert "is to be unlisted on the rail and is listed since block" in row.reason

    rail.run_until(worker, done(rail, rail.seller_wallet, "unlisted"))
    with transaction(rail.engine) as session:
        unfollowed(session, rail.now, 4)
    closed = rail.one("SELECT closed_by FROM settlement_break WHERE kind = 'unfollowed'")
    assert closed == "rail"
