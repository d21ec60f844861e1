"""What every chain port promises, on a real anvil and on the chain in memory alike."""

import itertools

import pytest

from settlement.chain.keccak import keccak
from settlement.chain.mandate_abi import read_mandate
from settlement.chain.port import Hash, SendOutcome
from settlement.chain.rail_abi import MANDATE_OF, REJECTED, SETTLED, TRANSFER, address_word
from settlement.errors import ChainUnreachable
from tests.chain.worlds import (
    CAP_PER_DAY,
    CREDITOR,
    DEBTOR,
    FEE_WEI,
    OPERATOR,
    START_MINOR,
    STRANGER,
    World,
    a_payment,
)

OUTCOMES = SendOutcome


def outcomes(world: World, *raws: bytes) -> list[SendOutcome]:
    return [answer.outcome for answer in world.send(*raws)]


def test_the_identity_is_the_chain_id_and_the_hash_of_block_0(world: World) -> None:
    identity = world.chain.identity()

    assert identity.chain_id == 31337
    assert identity.genesis_hash == world.chain.headers(0, 0)[0].hash


def test_headers_are_linked_and_end_where_the_chain_ends(world: World) -> None:
    head = world.chain.head()

    headers = world.chain.headers(0, head.number + 50)

    assert [header.number for header in headers] == list(range(head.number + 1))
    assert headers[-1] == head
    for parent, child in itertools.pairwise(headers):
        assert child.parent_hash == parent.hash
    assert world.chain.headers(head.number + 1, head.number + 5) == []


def test_a_batch_pays_and_says_so_next_to_its_transfers(world: World) -> None:
    (receipt,) = world.mined(world.batch([a_payment(1, 300), a_payment(2, 200)]))

    head = world.chain.head()
    assert (head.tx_count, head.has_logs) == (1, True)
    assert (receipt.status, receipt.sender, receipt.to) == (1, OPERATOR.address, world.rail)
    assert [log.topics[0] for log in receipt.logs] == [TRANSFER, SETTLED, TRANSFER, SETTLED]
    assert [log.log_index for log in receipt.logs] == [0, 1, 2, 3]
    assert {log.address for log in receipt.logs} == {world.token.address, world.rail}
    assert world.balance(CREDITOR.address) == 500
    assert world.balance(DEBTOR.address) == START_MINOR - 500


def test_a_payment_over_its_cap_is_rejected_and_the_others_are_paid(world: World) -> None:
    payments = [a_payment(1, 10), a_payment(2, CAP_PER_DAY), a_payment(3, 20)]

    (receipt,) = world.mined(world.batch(payments))

    ours = [log for log in receipt.logs if log.address == world.rail]
    assert [log.topics[0] for log in ours] == [SETTLED, REJECTED, SETTLED]
    assert world.balance(CREDITOR.address) == 30


def test_log_indexes_run_through_the_whole_block(world: World) -> None:
    receipts = world.mined(world.batch([a_payment(1)]), world.batch([a_payment(2)]))

    assert [log.log_index for each in receipts for log in each.logs] == [0, 1, 2, 3]
    assert [receipt.tx_index for receipt in receipts] == [0, 1]


def test_receipts_of_many_blocks_come_in_the_order_asked(world: World) -> None:
    for sequence in range(1, 5):
        world.mined(world.batch([a_payment(sequence)]))
    blocks = world.chain.headers(0, world.chain.head().number)

    found = world.chain.receipts(blocks[::-1])

    assert [len(receipts) for receipts in found] == [block.tx_count for block in blocks[::-1]]


def test_what_a_signer_pays_is_gas_times_price_and_the_value(world: World) -> None:
    before = world.chain.coin_balances([STRANGER.address], world.chain.head().hash)[0]

    (receipt,) = world.mined(world.sign(STRANGER, CREDITOR.address, gas_limit=50_000, value=5))

    head = world.chain.head()
    after = world.chain.coin_balances([STRANGER.address], head.hash)[0]
    assert receipt.gas_used == 21_000
    assert receipt.gas_price_wei == head.base_fee_wei + 10**9
    assert before - after == 21_000 * receipt.gas_price_wei + 5


def test_state_is_read_at_the_block_that_is_named(world: World) -> None:
    before = world.chain.head().hash
    coins = world.chain.coin_balances([OPERATOR.address], before)
    world.mined(world.batch([a_payment(1, 300)]))
    world.controls.mine(2)

    assert world.balance(CREDITOR.address, before) == 0
    assert world.balance(CREDITOR.address) == 300
    assert world.chain.coin_balances([OPERATOR.address], before) == coins
    assert world.chain.coin_balances([OPERATOR.address], world.chain.head().hash) < coins


def test_a_call_that_reverts_or_meets_no_code_answers_nothing(world: World) -> None:
    calls = [
        (world.rail, "0xdeadbeef"),
        (STRANGER.address, "0x70a08231"),
        (world.rail, MANDATE_OF + address_word(DEBTOR.address) + address_word(world.token.address)),
    ]

    reverted, no_code, mandate = world.chain.call_many(calls)

    assert (reverted, no_code) == ("0x", "0x")
    assert read_mandate(mandate).left_today_minor == CAP_PER_DAY


def test_code_hashes_are_of_contracts_alone(world: World) -> None:
    found = world.chain.code_hashes([world.rail, STRANGER.address, world.token.address])

    assert found == [world.deployment.rail_code_hash, None, world.token.code_hash]


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


def test_a_batch_past_its_deadline_reverts_as_a_whole(world: World) -> None:
    raw = world.batch([a_payment(1)], deadline=world.chain.head().timestamp - 1)

    (receipt,) = world.mined(raw)

    assert (receipt.status, receipt.logs) == (0, ())
    assert world.chain.head().has_logs is False
    assert world.balance(CREDITOR.address) == 0


def test_too_little_gas_for_a_token_call_reverts_the_batch(world: World) -> None:
    (receipt,) = world.mined(world.batch([a_payment(1)], gas_limit=200_000))
    assert (receipt.status, receipt.logs) == (0, ())

    (receipt,) = world.mined(world.batch([a_payment(1)], gas_limit=300_000))
    assert receipt.status == 1
    assert receipt.gas_used < 180_000


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_a_reorg_forgets_what_its_blocks_held(world: World, depth: int) -> None:
    world.mined(world.batch([a_payment(1, 300)]))
    world.controls.mine(depth - 1)
    old = world.chain.headers(0, world.chain.head().number)
    nonce = world.chain.nonce(OPERATOR.address)

    world.controls.reorg(depth)

    new = world.chain.headers(0, old[-1].number)
    assert len(new) == len(old)
    assert [a.hash == b.hash for a, b in zip(old, new, strict=True)] == (
        [True] * (len(old) - depth) + [False] * depth
    )
    assert world.chain.nonce(OPERATOR.address) == nonce - 1
    assert world.balance(CREDITOR.address) == 0
    assert world.controls.pooled_count() == 0


def test_the_receipts_of_an_orphaned_block_are_gone(world: World) -> None:
    world.mined(world.batch([a_payment(1)]))
    orphan = world.chain.head()

    world.controls.reorg(1)

    with pytest.raises(ChainUnreachable):
        world.chain.receipts([orphan])
    with pytest.raises(ChainUnreachable):
        world.chain.coin_balances([OPERATOR.address], orphan.hash)
    with pytest.raises(ChainUnreachable):
        world.balance(CREDITOR.address, orphan.hash)


def test_a_reorg_can_bring_a_batch_back_in_another_block(world: World) -> None:
    raw = world.batch([a_payment(1, 300)])
    (before,) = world.mined(raw)
    old = world.chain.head()
    world.controls.mine(2)

    world.controls.reorg(3, [(raw, 1)])

    blocks = world.chain.headers(old.number, old.number + 2)
    found = world.chain.receipts(blocks)
    assert [len(receipts) for receipts in found] == [0, 1, 0]
    assert found[1][0].tx_hash == before.tx_hash
    assert [log[:3] for log in found[1][0].logs] == [log[:3] for log in before.logs]
    assert blocks[1].hash != old.hash
    assert world.balance(CREDITOR.address) == 300


def test_a_reorg_can_mine_another_attempt_of_the_same_nonce(world: World) -> None:
    nonce = world.chain.nonce(OPERATOR.address)
    first = world.batch([a_payment(1, 300)], nonce=nonce)
    other = world.batch([a_payment(1, 300)], nonce=nonce, fee_wei=2 * FEE_WEI)
    world.mined(first)

    world.controls.reorg(1, [(other, 0)])

    (receipt,) = world.chain.receipts([world.chain.head()])[0]
    assert receipt.status == 1
    assert world.send(first)[0].outcome is OUTCOMES.NONCE_USED
    assert world.balance(CREDITOR.address) == 300


def test_bytes_sent_again_after_a_reorg_pay_once(world: World) -> None:
    raw = world.batch([a_payment(1, 300)])
    world.mined(raw)
    world.controls.reorg(1)

    (receipt,) = world.mined(raw)

    assert receipt.status == 1
    assert world.balance(CREDITOR.address) == 300


def test_an_empty_block_replaced_by_an_empty_block_has_another_hash(world: World) -> None:
    world.controls.mine()
    before = world.chain.head()

    world.controls.reorg(1)

    after = world.chain.head()
    assert (after.number, after.tx_count) == (before.number, 0)
    assert after.hash != before.hash


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


def test_a_snapshot_is_gone_back_to_once(world: World) -> None:
    name = world.controls.snapshot()
    before = world.chain.head()
    world.mined(world.batch([a_payment(1, 300)]))

    assert world.controls.revert(name)

    assert world.chain.head() == before
    assert world.balance(CREDITOR.address) == 0
    assert not world.controls.revert(name)


def test_the_clock_of_the_chain_can_be_set(world: World) -> None:
    now = world.chain.head().timestamp

    world.controls.set_next_timestamp(now + 1_000)
    world.controls.mine()
    assert world.chain.head().timestamp == now + 1_000

    world.controls.increase_time(86_400)
    world.controls.mine()
    assert 0 <= world.chain.head().timestamp - (now + 1_000 + 86_400) <= 60


def test_a_block_takes_no_more_than_its_gas_limit(world: World) -> None:
    world.controls.set_block_gas_limit(2_500_000)
    raws = [world.batch([a_payment(sequence)]) for sequence in (1, 2)]

    found = outcomes(world, *raws)
    counts = []
    for _ in range(2):
        world.controls.mine()
        counts.append(world.chain.head().tx_count)

    assert found == [OUTCOMES.ACCEPTED] * 2
    assert sum(counts) == 2


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
