"""Cancelling: where a clearance ended, a no-op takes the nonce; members are cleared anew."""

from typing import Any

import pytest

from settlement.compliance import clearance
from settlement.sender import broadcast
from settlement.settlements import control
from settlement.store import reading, transaction
from tests.builders.ports import BrokenChain, BrokenSigner
from tests.builders.rail import Rail
from tests.builders.soundness import assert_sound


def _revoke(rail: Rail, *keys: str) -> None:
    with transaction(rail.engine) as session:
        clearance.revoke(session, keys, rail.now)


def _kinds(rail: Rail) -> list[str]:
    return [
        row.kind for row in rail.rows("SELECT kind FROM attempt ORDER BY chain_tx_id, created_seq")
    ]


def _sent_and_waiting(rail: Rail, worker: Any, count: int = 1) -> list[str]:
    keys = rail.instructed(count)
    rail.tick(worker)
    assert set(rail.states().values()) == {"SUBMITTED"}
    return keys


def test_a_revoked_clearance_cancels_the_batch_and_all_are_cleared_anew(rail: Rail) -> None:
    worker = rail.worker()
    keys = _sent_and_waiting(rail, worker, 2)
    before = rail.rows("SELECT id, sequence, reference FROM settlement ORDER BY id")

    _revoke(rail, keys[0])
    rail.settle_all(worker, rounds=60)

    assert _kinds(rail) == ["pay", "cancel", "pay"]
    txs = rail.rows("SELECT nonce, state, outcome FROM chain_tx ORDER BY nonce")
    assert [tuple(row) for row in txs] == [(0, "REPLACED", "replaced"), (1, "FINAL", "done")]
    assert rail.rows("SELECT id, sequence, reference FROM settlement ORDER BY id") == before
    for key in keys:
        assert rail.moves(key)[:7] == [
            "instruct", "clear", "claim", "submit", "seen", "unclaim", "clear",
        ]  # fmt: skip
    pay, cancel = rail.rows(
        "SELECT * FROM attempt WHERE chain_tx_id = (SELECT id FROM chain_tx WHERE nonce = 0)"
        " ORDER BY created_seq"
    )
    assert cancel.max_fee_wei * 8 >= pay.max_fee_wei * 9
    assert cancel.priority_fee_wei * 8 >= pay.priority_fee_wei * 9
    assert_sound(rail)


def test_pay_bytes_are_never_sent_again_after_their_clearance_ended(rail: Rail) -> None:
    chain = BrokenChain(rail.chain)
    worker = rail.worker(chain=chain)
    (key,) = _sent_and_waiting(rail, worker)
    pay = chain.sent[0]
    rail.controls.drop_all()
    _revoke(rail, key)

    rail.settle_all(worker, rounds=60)

    assert chain.sent.count(pay) == 1
    assert_sound(rail)


def test_bytes_whose_clearance_ended_are_not_due_even_before_a_cancel_is_signed(
    rail: Rail,
) -> None:
    worker = rail.worker()
    (key,) = _sent_and_waiting(rail, worker)
    (lease,) = worker._leases.values()

    def due(chain_time: int = 0) -> int:
        with reading(rail.engine) as session:
            return len(
                broadcast.due(
                    session, lease, rail.settings, head=10**6, chain_time=chain_time, now=rail.now
                )
            )

    alive, past_deadline = due(), due(rail.one("SELECT deadline FROM chain_tx"))
    _revoke(rail, key)

    assert (alive, past_deadline, due()) == (1, 0, 0)


def test_a_deadline_that_passes_on_chain_cancels_the_batch(rail: Rail) -> None:
    worker = rail.worker()
    (key,) = _sent_and_waiting(rail, worker)
    rail.controls.drop_all()

    rail.controls.increase_time(3700)  # The chain's clock alone.
    rail.controls.mine()
    rail.settle_all(worker, rounds=60)

    assert "cancel" in _kinds(rail)
    assert rail.moves(key).count("clear") == 2
    assert_sound(rail)


def test_a_clearance_that_ends_before_the_first_signature_costs_the_nonce_alone(rail: Rail) -> None:
    worker = rail.worker()
    rail.tick(worker)
    (key,) = rail.instructed()
    signer = BrokenSigner(rail.signer())

    def revoke_once() -> None:
        signer.before = lambda: None
        _revoke(rail, key)

    signer.before = revoke_once
    worker.signers = [signer]
    rail.settle_all(worker, rounds=60)

    assert [request.as_cancel for request in signer.asked] == [False, True, False]
    assert _kinds(rail) == ["cancel", "pay"]
    assert rail.lane().state == "active"
    assert_sound(rail)


def test_the_batch_may_win_the_race_against_its_cancel(rail: Rail) -> None:
    worker = rail.worker()
    (key,) = _sent_and_waiting(rail, worker)
    pay = bytes(rail.one("SELECT raw FROM attempt"))
    _revoke(rail, key)
    rail.tick(worker)  # The cancel takes the place in the pool.
    assert _kinds(rail) == ["pay", "cancel"]

    rail.controls.drop_all()
    rail.chain.send([pay])
    rail.settle_all(worker)

    assert rail.one("SELECT outcome FROM chain_tx") == "done"
    assert rail.moves(key).count("claim") == 1
    assert_sound(rail)


@pytest.mark.parametrize("winner", ["pay", "cancel"])
def test_batch_and_cancel_change_places_in_a_reorg(rail: Rail, winner: str) -> None:
    worker = rail.worker()
    (key,) = _sent_and_waiting(rail, worker)
    _revoke(rail, key)
    rail.tick(worker)
    raw = {row.kind: bytes(row.raw) for row in rail.rows("SELECT kind, raw FROM attempt")}
    loser = "cancel" if winner == "pay" else "pay"
    rail.controls.drop_all()
    rail.chain.send([raw[loser]])
    rail.controls.mine(3)
    rail.tick(worker)
    first = rail.one("SELECT outcome FROM settlement")

    rail.controls.reorg(3, [(raw[winner], 1)])
    rail.tick(worker)
    second = rail.one("SELECT outcome FROM settlement")
    rail.settle_all(worker, rounds=60)

    by_kind = {"pay": "paid", "cancel": "replaced"}
    assert (first, second) == (by_kind[loser], by_kind[winner])
    assert len(rail.paid_logs()) == 1
    assert rail.one("SELECT sequence FROM settlement") == 1
    assert_sound(rail)


def test_at_the_fee_cap_a_cancel_still_goes_out(rail: Rail) -> None:
    cap = rail.chain.head().base_fee_wei + 1
    rail.settings = rail.settings.model_copy(update={"fee_cap_wei": cap})
    worker = rail.worker()
    (key,) = _sent_and_waiting(rail, worker)
    rail.controls.drop_all()
    _revoke(rail, key)

    rail.tick(worker)

    assert _kinds(rail) == ["pay", "cancel"]
    fees = rail.rows("SELECT max_fee_wei FROM attempt")
    assert [row.max_fee_wei for row in fees] == [cap, cap], "neither could outbid the other"
    rail.settle_all(worker, rounds=60)
    assert_sound(rail)


def test_cancelled_too_often_they_are_held_for_a_person(rail: Rail) -> None:
    rail.settings = rail.settings.model_copy(update={"reverts_max": 2})
    worker = rail.worker()
    (key,) = _sent_and_waiting(rail, worker)

    for _ in range(40):
        if rail.state(key) == "SUBMITTED":
            rail.controls.drop_all()
            _revoke(rail, key)
        rail.tick(worker)
        if rail.state(key) == "HELD":
            break
        if rail.state(key) != "SUBMITTED" or _kinds(rail)[-1] == "cancel":
            rail.controls.mine()

    assert rail.moves(key)[-1] == "suspend"
    assert rail.moves(key).count("unclaim") == 1
    assert rail.told(key)[-1] == "settlement.held"
    assert rail.invoice_of(key).in_flight_minor == 100_000
    assert rail.reserved(rail.buyer_wallet) == 0
    rail.act(control.release, key)
    rail.settle_all(worker)
    assert_sound(rail)
