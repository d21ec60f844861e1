"""What every chain port tells of blocks, logs and state, on a real anvil and in memory alike."""

import itertools

from settlement.chain.mandate_abi import read_mandate
from settlement.chain.rail_abi import MANDATE_OF, REJECTED, SETTLED, TRANSFER, address_word
from tests.chain.worlds import (
    CAP_PER_DAY,
    CREDITOR,
    DEBTOR,
    OPERATOR,
    START_MINOR,
    STRANGER,
    World,
    a_payment,
)


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


def test_the_clock_of_the_chain_can_be_set(world: World) -> None:
    now = world.chain.head().timestamp

    world.controls.set_next_timestamp(now + 1_000)
    world.controls.mine()
    assert world.chain.head().timestamp == now + 1_000

    world.controls.increase_time(86_400)
    world.controls.mine()
    assert 0 <= world.chain.head().timestamp - (now + 1_000 + 86_400) <= 60


def test_the_bytes_of_what_was_mined_can_be_read_back(world: World) -> None:
    raw = world.batch([a_payment(1)])
    (receipt,) = world.mined(raw)

    found = world.chain.raw_transactions([receipt.tx_hash, "0x" + "ab" * 32])

    assert found == [raw, None]
