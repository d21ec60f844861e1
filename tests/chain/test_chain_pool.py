"""What a node takes, replaces, forgets and refuses, on a real anvil and in memory alike."""

import pytest

from settlement.chain.keccak import keccak
from settlement.chain.port import Hash, SendOutcome
from tests.chain.worlds import (
    CREDITOR,
    FEE_WEI,
    OPERATOR,
    World,
    a_payment,
)

OUTCOMES = SendOutcome


def outcomes(world: World, *raws: bytes) -> list[SendOutcome]:
    return [answer.outcome for answer in world.send(*raws)]


def test_the_same_bytes_sent_again_are_accepted_and_mined_once(world: World) -> None:
    raw = world.batch([a_payment(1, 300)])

    assert outcomes(world, raw, raw) == [OUTCOMES.ACCEPTED, OUTCOMES.ACCEPTED]
    world.controls.mine()

    assert outcomes(world, raw) == [OUTCOMES.NONCE_USED]
    assert world.balance(CREDITOR.address) == 300


def test_a_higher_fee_takes_the_slot_and_the_same_fee_does_not(world: World) -> None:
    nonce = world.chain.nonce(OPERATOR.address)
    first = world.batch([a_payment(1, 100)], nonce=nonce)
    same = world.batch([a_payment(1, 200)], nonce=nonce)
    bumped = world.batch([a_payment(1, 300)], nonce=nonce, fee_wei=2 * FEE_WEI, tip_wei=2 * 10**9)

    found = outcomes(world, first, same, bumped)
    world.controls.mine()

    assert found == [OUTCOMES.ACCEPTED, OUTCOMES.UNDERPRICED_REPLACEMENT, OUTCOMES.ACCEPTED]
    assert world.chain.nonce(OPERATOR.address) == nonce + 1
    assert world.balance(CREDITOR.address) == 300


def test_a_gap_in_the_nonces_waits_until_it_is_filled(world: World) -> None:
    nonce = world.chain.nonce(OPERATOR.address)
    later = world.batch([a_payment(2, 20)], nonce=nonce + 1)
    filler = world.batch([a_payment(1, 10)], nonce=nonce)

    assert outcomes(world, later) == [OUTCOMES.ACCEPTED]
    world.controls.mine()
    assert world.chain.nonce(OPERATOR.address) == nonce

    assert outcomes(world, filler) == [OUTCOMES.ACCEPTED]
    world.controls.mine()
    assert world.chain.nonce(OPERATOR.address) == nonce + 2
    assert world.balance(CREDITOR.address) == 30


def test_a_fee_below_the_base_fee_is_refused(world: World) -> None:
    raw = world.batch([a_payment(1)], fee_wei=1, tip_wei=0)

    assert outcomes(world, raw) == [OUTCOMES.UNDERPRICED]


def test_a_base_fee_that_rises_evicts_what_bids_less(world: World) -> None:
    raw = world.batch([a_payment(1)])
    assert outcomes(world, raw) == [OUTCOMES.ACCEPTED]

    world.controls.set_next_base_fee(10 * FEE_WEI)
    world.controls.mine()

    assert world.chain.head().base_fee_wei == 10 * FEE_WEI
    assert world.chain.head().tx_count == 0
    assert world.controls.pooled_count() == 0
    assert outcomes(world, raw) == [OUTCOMES.UNDERPRICED]


def test_a_signer_without_coins_is_told_so(world: World) -> None:
    world.controls.set_balance(OPERATOR.address, 1)

    assert outcomes(world, world.batch([a_payment(1)])) == [OUTCOMES.NO_GAS_MONEY]


@pytest.mark.parametrize(
    "fault",
    [{"chain_id": 1}, {"gas_limit": 20_999}],
    ids=["another chain's id", "less gas than anything costs"],
)
def test_bytes_that_can_never_be_mined_are_malformed(world: World, fault: dict[str, int]) -> None:
    assert outcomes(world, world.batch([a_payment(1)], **fault)) == [OUTCOMES.MALFORMED]


def test_bytes_that_are_no_chain_transaction_are_malformed(world: World) -> None:
    raw = world.batch([a_payment(1)])

    assert set(outcomes(world, b"", b"\x02\x01", raw[:-1])) == {OUTCOMES.MALFORMED}
    assert world.controls.pooled_count() == 0


def test_one_bad_send_does_not_spoil_its_neighbours(world: World) -> None:
    good, bad = world.batch([a_payment(1, 10)]), world.batch([a_payment(2)], chain_id=1, nonce=99)
    also_good = world.batch([a_payment(3, 30)])

    found = outcomes(world, good, bad, also_good)
    world.controls.mine()

    assert found == [OUTCOMES.ACCEPTED, OUTCOMES.MALFORMED, OUTCOMES.ACCEPTED]
    assert world.balance(CREDITOR.address) == 40


def test_what_is_dropped_is_not_mined_and_takes_later_nonces_along(world: World) -> None:
    raws = [world.batch([a_payment(sequence)]) for sequence in (1, 2, 3)]
    world.send(*raws)
    (receipt_hash, *_) = [hash_of(raw) for raw in raws]

    assert world.controls.drop(receipt_hash)
    assert world.controls.pooled_count() == 0
    world.controls.mine()
    assert world.chain.head().tx_count == 0

    world.send(*raws)
    world.controls.drop_all()
    assert world.controls.pooled_count() == 0
    assert [receipt.status for receipt in world.mined(*raws)] == [1, 1, 1]


def test_a_block_takes_no_more_than_its_gas_limit(world: World) -> None:
    world.controls.set_block_gas_limit(2_050_000)
    raws = [world.batch([a_payment(sequence)]) for sequence in (1, 2)]

    found = outcomes(world, *raws)
    counts = []
    for _ in range(2):
        world.controls.mine()
        counts.append(world.chain.head().tx_count)

    assert found == [OUTCOMES.ACCEPTED] * 2
    assert counts == [1, 1]


def test_automine_mines_what_is_sent(world: World) -> None:
    world.controls.set_automine(True)
    nonce = world.chain.nonce(OPERATOR.address)

    world.send(world.batch([a_payment(1, 300)]))
    for _ in range(1_000):
        if world.chain.nonce(OPERATOR.address) > nonce:
            break

    assert world.chain.nonce(OPERATOR.address) == nonce + 1
    assert world.balance(CREDITOR.address) == 300


def hash_of(raw: bytes) -> Hash:
    return Hash("0x" + keccak(raw).hex())
