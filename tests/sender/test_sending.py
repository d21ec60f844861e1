"""Sending: bytes are stored before they go out, and what each answer of a node leads to."""

from itertools import pairwise

import pytest

from settlement.errors import ChainContradicts
from settlement.sender.fees import Fees, first_fees, outbid, raised
from tests.builders.ports import BrokenChain, BrokenSigner
from tests.builders.rail import OPERATOR, Rail
from tests.builders.soundness import assert_sound

GWEI = 10**9


def _attempts(rail: Rail) -> list:
    return rail.rows("SELECT * FROM attempt ORDER BY created_at, created_seq, hash")


def test_bytes_are_stored_before_they_are_sent(rail: Rail) -> None:
    stored: list[bool] = []

    def look(raws: object) -> None:
        known = {bytes(row.raw) for row in _attempts(rail)}
        stored.extend(raw in known for raw in raws)  # type: ignore[attr-defined]

    worker = rail.worker(chain=BrokenChain(rail.chain, on_send=look))
    rail.instructed(2)
    rail.instructed(1, currency="EUR")
    rail.settle_all(worker)

    assert stored and all(stored)
    assert_sound(rail)


@pytest.mark.parametrize(
    ("words", "outcome"),
    [
        ("already known", "accepted"),
        ("replacement transaction underpriced", "underpriced_replacement"),
        ("max fee per gas less than block base fee", "underpriced"),
        ("Insufficient funds for gas * price + value", "no_gas_money"),
        ("502 bad gateway", "unknown"),
        ("lose_after", "unknown"),
        ("nonce too low", "nonce_used"),
    ],
)
def test_after_a_bad_answer_the_payment_is_made_once(rail: Rail, words: str, outcome: str) -> None:
    chain = BrokenChain(rail.chain, [words])
    worker = rail.worker(chain=chain)
    (key,) = rail.instructed()

    rail.tick(worker)
    first = _attempts(rail)
    rail.settle_all(worker)

    assert [row.outcome for row in first] == [outcome]
    assert rail.paid_logs() == [(1, 1_000_000_000)]
    assert rail.moves(key)[-1] == "finalized"
    assert_sound(rail)
    if outcome in ("unknown", "no_gas_money", "nonce_used"):
        assert len(set(chain.sent)) == 1, "the same bytes again, nothing else"


def test_without_a_new_block_what_was_not_taken_is_sent_again(rail: Rail) -> None:
    chain = BrokenChain(rail.chain, ["gateway timeout", "gateway timeout"])
    worker = rail.worker(chain=chain)
    rail.instructed()

    for _ in range(14):  # No block is mined here.
        rail.tick(worker)

    assert len(chain.sent) == 3 and len(set(chain.sent)) == 1
    assert rail.chain.pooled_count() == 1


def test_malformed_bytes_halt_the_lane_for_a_person(rail: Rail) -> None:
    chain = BrokenChain(rail.chain, ["invalid chain id for signer"])
    worker = rail.worker(chain=chain)
    rail.instructed()

    rail.tick(worker)
    for _ in range(8):
        rail.round(worker)

    assert rail.lane().state == "halted"
    assert "invalid chain id" in rail.lane().reason
    assert len(chain.sent) == 1, "a halted lane sends nothing"
    rail.instructed()
    rail.round(worker)
    assert rail.lane().next_nonce == 1, "a halted lane claims nothing"


def test_without_gas_money_the_lane_waits_and_skips_nothing(rail: Rail) -> None:
    rail.controls.set_balance(OPERATOR.address, 0)
    worker = rail.worker()
    (first,) = rail.instructed()
    rail.run_until(worker, lambda: bool(_attempts(rail)))
    (second,) = rail.instructed()

    for _ in range(4):
        rail.round(worker)
    waiting, said = (rail.states(), rail.lane().next_nonce), rail.lane()
    rail.controls.set_balance(OPERATOR.address, 9 * 10**18)
    rail.settle_all(worker)

    assert (said.state, rail.lane().reason) == ("active", None)
    assert said.reason == f"1 chain transactions wait for gas money: send coins to {said.signer}"
    assert waiting == ({first: "SUBMITTED", second: "CLEARED"}, 1)
    assert_sound(rail)


def test_what_waits_too_long_is_outbid_on_both_fees(rail: Rail) -> None:
    worker = rail.worker()
    (key,) = rail.instructed()
    rail.tick(worker)
    rail.controls.drop_all()

    # Blocks come, and the pool loses what it was given: six of them, then the bid goes up.
    for _ in range(9):
        rail.controls.drop_all()
        rail.controls.mine()
        rail.tick(worker)
    rows = _attempts(rail)
    rail.settle_all(worker)

    assert [row.created_seq for row in rows][:2] == [1, 2]
    for last, following in pairwise(rows):
        assert following.max_fee_wei * 8 >= last.max_fee_wei * 9
        assert following.priority_fee_wei * 8 >= last.priority_fee_wei * 9
    assert rail.moves(key).count("claim") == 1
    assert_sound(rail)


def test_what_the_base_fee_has_overtaken_is_outbid_at_once(rail: Rail) -> None:
    worker = rail.worker()
    rail.instructed()
    rail.tick(worker)
    rail.controls.set_next_base_fee(500 * GWEI // 10)
    rail.controls.mine()  # The node forgets what bids too little.

    rail.settle_all(worker)

    rows = _attempts(rail)
    assert len(rows) == 2
    assert rows[1].max_fee_wei >= 50 * GWEI
    assert_sound(rail)


def test_at_the_fee_cap_the_best_attempt_is_sent_again(rail: Rail) -> None:
    rail.settings = rail.settings.model_copy(update={"fee_cap_wei": 3 * GWEI})
    worker = rail.worker()
    rail.instructed()
    rail.tick(worker)
    rail.controls.drop_all()
    for _ in range(12):
        rail.controls.drop_all()
        rail.controls.set_next_base_fee(4 * GWEI)
        rail.controls.mine()
        rail.tick(worker)
    waiting, said = _attempts(rail), rail.lane()
    rail.controls.set_next_base_fee(GWEI)
    rail.settle_all(worker)

    assert (said.state, rail.lane().reason) == ("active", None)
    assert "SETTLE_FEE_CAP_WEI is 3000000000" in said.reason
    assert all(row.max_fee_wei <= 3 * GWEI for row in waiting)
    assert_sound(rail)


def test_fees_rise_by_an_eighth_rounded_up_and_never_above_the_cap() -> None:
    assert (raised(1), raised(8), raised(9)) == (2, 9, 11)
    assert first_fees(10, priority_fee_wei=3, cap_wei=100) == Fees(23, 3)
    assert first_fees(100, priority_fee_wei=300, cap_wei=100) == Fees(100, 100)
    assert outbid(Fees(80, 8), 10, priority_fee_wei=3, cap_wei=100) == Fees(90, 9)
    assert outbid(Fees(80, 8), 45, priority_fee_wei=10, cap_wei=1000) == Fees(100, 10)
    assert outbid(Fees(89, 8), 10, priority_fee_wei=3, cap_wei=100) is None


def test_a_refusal_of_the_signer_halts_the_lane(rail: Rail) -> None:
    worker = rail.worker()
    rail.tick(worker)
    (key,) = rail.instructed()
    signer = BrokenSigner(rail.signer())
    signer.before = lambda: rail.write("UPDATE chain_tx SET calldata = :other", other=b"\x01")
    worker.signers = [signer]

    rail.tick(worker)
    rail.round(worker)

    assert rail.lane().state == "halted"
    assert "not what its members say" in rail.lane().reason
    assert (rail.state(key), _attempts(rail)) == ("CLAIMED", [])
    assert len(signer.asked) == 1


def test_what_was_signed_beside_a_refusal_rests_with_its_lane(rail: Rail) -> None:
    chain = BrokenChain(rail.chain)
    worker = rail.worker(chain=chain)
    rail.tick(worker)
    rail.instructed()
    rail.instructed(1, currency="EUR")
    signer = BrokenSigner(rail.signer())
    signer.before = lambda: rail.write("UPDATE chain_tx SET calldata = :other WHERE nonce = 1",
                                       other=b"\x01")  # fmt: skip
    worker.signers = [signer]

    rail.tick(worker)

    assert [row.state for row in rail.rows("SELECT state FROM chain_tx ORDER BY nonce")] == [
        "SIGNED", "CLAIMED",
    ]  # fmt: skip
    assert (rail.lane().state, chain.sent) == ("halted", [])


def test_a_nonce_that_somebody_else_used_halts_the_lane(rail: Rail) -> None:
    worker = rail.worker()
    rail.tick(worker)
    rail.on_chain(OPERATOR, OPERATOR.address, b"")  # The key, used elsewhere.
    (key,) = rail.instructed()

    with pytest.raises(ChainContradicts, match="lane heal"):
        for _ in range(6):
            rail.round(worker)

    assert rail.lane().state == "halted"
    assert "key was used elsewhere" in rail.lane().reason
    assert rail.state(key) == "SUBMITTED"
    assert rail.paid_logs() == []


def test_a_key_used_beyond_what_was_ever_claimed_halts_the_lane(rail: Rail) -> None:
    worker = rail.worker()
    rail.tick(worker)
    for _ in range(3):
        rail.on_chain(OPERATOR, OPERATOR.address, b"")
    rail.instructed()

    with pytest.raises(ChainContradicts, match="mined 3"):
        for _ in range(6):
            rail.round(worker)

    assert rail.lane().state == "halted"


def test_a_lost_pool_is_filled_again_in_order(rail: Rail) -> None:
    rail.settings = rail.settings.model_copy(update={"batch_payments_max": 1})
    worker = rail.worker()
    rail.instructed(4)
    rail.tick(worker)
    rail.controls.drop_all()

    rail.settle_all(worker)

    assert [sequence for sequence, _ in rail.paid_logs()] == [1, 2, 3, 4]
    assert_sound(rail)
