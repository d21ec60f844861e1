"""Somebody is listed while a payment of theirs is under way: at each moment nothing is sent again.

Between clearance and signing, signing and mining, orphaning and sending again: the payment ends
unpaid, or is rejected by the chain; the wallet is unlisted from the admin's lane; others go on.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from gateway.worker import Worker
from settlement.registry import Source
from settlement.settlements import control
from tests.builders.ports import BrokenChain, BrokenSigner
from tests.builders.rail import Rail, a_rail
from tests.builders.registrar import REGISTRAR, admin_signer, is_listed, standing, want
from tests.builders.soundness import assert_sound


@pytest.fixture
def rail(engine: Engine, tmp_path: Path) -> Iterator[Rail]:
    with a_rail(engine, tmp_path, registrar=REGISTRAR, finality_confirmations=6) as rail:
        yield rail


def hit(rail: Rail, wallet: str) -> None:
    """A list has the wallet's owner now."""
    want(rail, wallet, source=Source.SCREENING, listed=False)


def pay_sends(rail: Rail) -> dict[str, int]:
    """How often the bytes of each attempt to pay were sent, by hash."""
    rows = rail.rows("SELECT hash, send_count FROM attempt WHERE kind = 'pay'")
    return {row.hash: row.send_count for row in rows}


def run_out(rail: Rail, worker: Worker, rounds: int = 16) -> None:
    for _ in range(rounds):
        rail.round(worker)


def test_listed_between_clearance_and_signing(rail: Rail) -> None:
    plan = ["kill_before"]
    signer = BrokenSigner(rail.signer(), plan)
    admin = admin_signer(rail)
    worker = rail.worker(signer=signer, beside=[admin])
    (key,) = rail.instructed()
    rail.write("UPDATE lane SET state = 'paused' WHERE kind = 'operator'")
    rail.tick(worker)
    assert rail.state(key) == "CLEARED"

    hit(rail, rail.seller_wallet)
    rail.write("UPDATE lane SET state = 'active'")
    run_out(rail, worker)

    assert rail.state(key) == "HELD"
    assert "is to be unlisted (screening: a test)" in rail.one("SELECT reason FROM settlement")
    assert pay_sends(rail) == {} and rail.paid_logs() == []
    assert rail.one("SELECT COUNT(*) FROM chain_tx WHERE kind = 'pay'") == 0
    assert plan == ["kill_before"], "nobody asked for a signature"
    assert standing(rail, rail.seller_wallet) == ("unlisted", "unlisted")
    assert_sound(rail)


def test_listed_after_the_claim_and_before_the_signature(rail: Rail) -> None:
    (key,) = rail.instructed()
    signer = BrokenSigner(rail.signer(), ["unreachable"])
    worker = rail.worker(signer=signer, beside=[admin_signer(rail)])
    rail.tick(worker)
    assert rail.state(key) == "CLAIMED"

    hit(rail, rail.seller_wallet)
    run_out(rail, worker)

    assert rail.state(key) == "HELD"
    assert pay_sends(rail) == {} and rail.paid_logs() == []
    assert not is_listed(rail, rail.seller_wallet)
    assert_sound(rail)


def test_the_signer_of_payments_looks_at_the_registry_itself(rail: Rail) -> None:
    (key,) = rail.instructed()
    signer = BrokenSigner(rail.signer(), ["unreachable"])
    worker = rail.worker(signer=signer, beside=[admin_signer(rail)])
    rail.tick(worker)
    hit(rail, rail.seller_wallet)
    # As if its clearance had been given in the same instant.
    rail.write("UPDATE clearance SET revoked_at = NULL")

    run_out(rail, worker)

    assert pay_sends(rail) == {} and rail.paid_logs() == []
    assert rail.state(key) == "HELD"


def test_listed_between_signing_and_mining(rail: Rail) -> None:
    worker = rail.worker(beside=[admin_signer(rail)])
    (key,) = rail.instructed()
    rail.tick(worker)
    assert rail.state(key) == "SUBMITTED"
    before = pay_sends(rail)

    hit(rail, rail.seller_wallet)
    run_out(rail, worker)

    assert pay_sends(rail) == before, "neither sent again nor outbid"
    assert rail.state(key) == "HELD" and rail.paid_logs() == []
    assert not is_listed(rail, rail.seller_wallet)
    assert_sound(rail)


def test_listed_between_signing_and_mining_and_the_operators_signer_is_gone(rail: Rail) -> None:
    """The bytes that pay are in the pool: the unlisting is mined before them, and they fail."""
    plan: list[str] = []
    worker = rail.worker(signer=BrokenSigner(rail.signer(), plan), beside=[admin_signer(rail)])
    (key,) = rail.instructed()
    rail.tick(worker)
    before = pay_sends(rail)
    plan += ["unreachable"] * 40

    hit(rail, rail.seller_wallet)
    run_out(rail, worker)

    assert pay_sends(rail) == before
    assert rail.state(key) == "REJECTED" and rail.paid_logs() == []
    assert "creditor's wallet is not listed" in rail.one("SELECT reason FROM settlement")
    assert_sound(rail)


@pytest.mark.parametrize("depth", [1, 3])
def test_listed_between_orphaning_and_sending_again(rail: Rail, depth: int) -> None:
    worker = rail.worker(beside=[admin_signer(rail)])
    (key,) = rail.instructed()
    rail.tick(worker)
    rail.controls.mine(depth)
    rail.tick(worker)
    assert rail.state(key) == "BOOKED"
    before = pay_sends(rail)

    rail.controls.reorg(depth)
    rail.controls.drop_all()
    hit(rail, rail.seller_wallet)
    run_out(rail, worker)

    assert pay_sends(rail) == before
    assert rail.state(key) == "HELD" and rail.paid_logs() == []
    assert rail.booked(rail.seller_wallet) == rail.balance(rail.seller_wallet)
    assert standing(rail, rail.seller_wallet) == ("unlisted", "unlisted")
    assert_sound(rail)


@pytest.mark.parametrize("depth", [1, 4])
def test_a_reorg_of_the_unlisting_leaves_the_payment_held_and_unlists_again(
    rail: Rail, depth: int
) -> None:
    worker = rail.worker(beside=[admin_signer(rail)])
    (key,) = rail.instructed()
    rail.tick(worker)
    hit(rail, rail.seller_wallet)
    rail.round(worker)
    rail.controls.mine(depth - 1)
    rail.tick(worker)
    assert standing(rail, rail.seller_wallet) == ("unlisted", "unlisted")
    before = pay_sends(rail)

    rail.controls.reorg(depth)
    rail.tick(worker)

    assert standing(rail, rail.seller_wallet) == ("unlisted", "listed")
    run_out(rail, worker)
    assert pay_sends(rail) == before
    assert rail.paid_logs() == [] and not is_listed(rail, rail.seller_wallet)
    assert rail.state(key) in ("HELD", "REJECTED")
    assert_sound(rail)


def test_others_are_paid_and_the_unlisted_stay_held_while_the_admins_signer_is_gone(
    rail: Rail,
) -> None:
    admin = BrokenSigner(admin_signer(rail), ["unreachable"] * 200)
    worker = rail.worker(beside=[admin])
    stopped, other = rail.instructed(2)
    (freed,) = rail.instruct(rail.accepted(currency="EUR"))
    hit_wallet = rail.sandbox.wallets[2].address
    hit(rail, hit_wallet)
    act: Any = control.hold
    rail.act(act, stopped, reason="a person looks")

    rail.run_until(worker, lambda: rail.state(other) == rail.state(freed) == "SETTLED")

    assert rail.state(stopped) == "HELD"
    assert is_listed(rail, hit_wallet), "its signer is away"
    assert standing(rail, hit_wallet) == ("unlisted", "listed")
    later = rail.worker("worker-2", beside=[admin_signer(rail)])
    worker.stop()
    rail.run_until(later, lambda: not is_listed(rail, hit_wallet))
    assert_sound(rail)


def test_whoever_is_taken_back_off_the_list_is_listed_again_and_paid_once(rail: Rail) -> None:
    chain = BrokenChain(rail.chain)
    worker = rail.worker(chain=chain, beside=[admin_signer(rail)])
    (key,) = rail.instructed()
    rail.tick(worker)
    hit(rail, rail.seller_wallet)
    run_out(rail, worker)
    assert rail.state(key) == "HELD"

    want(rail, rail.seller_wallet, source=Source.SCREENING, listed=True)
    rail.settle_all(worker)

    assert len(rail.paid_logs()) == 1 and is_listed(rail, rail.seller_wallet)
    assert_sound(rail)
