"""What the chain in memory promises beyond the port: the same every time, and back to any block."""

from __future__ import annotations

import random

import pytest

from settlement.chain import admin_abi
from settlement.chain.memory import GETH_RULES, MemoryChain
from settlement.chain.port import Address, Hash, SendOutcome
from settlement.chain.rail_abi import SETTLED, selector
from settlement.chain.signing import sign_eip1559
from settlement.errors import ChainUnreachable
from tests.chain.worlds import ADMIN, CREDITOR, KEYS, OPERATOR, World, a_payment, a_world

OUTCOMES = SendOutcome


def a_transfer(
    nonce: int, *, fee_wei: int = 10**10, tip_wei: int = 10**9, value: int = 5, signer: int = 0
) -> bytes:
    """Sign a payment of coins; its hash differs with each field."""
    return sign_eip1559(
        KEYS[signer].key,
        chain_id=31337,
        nonce=nonce,
        to=CREDITOR.address,
        data=b"",
        gas_limit=50_000,
        max_fee_wei=fee_wei,
        max_priority_fee_wei=tip_wei,
        value=value,
    )[0]


def a_random_life(chain: MemoryChain, seed: int) -> list[tuple[Hash, list[int]]]:
    """Send, mine and reorganise; return each block's hash with balances as they were right then."""
    rng = random.Random(seed)
    holders = [key.address for key in KEYS]
    seen: list[tuple[Hash, list[int]]] = []
    for _ in range(60):
        signer = rng.randrange(4)
        nonce = chain.nonce(KEYS[signer].address) + rng.choice((0, 0, 0, 1))
        raw = a_transfer(nonce, value=rng.randrange(10**9), signer=signer)
        chain.send([raw])
        if rng.random() < 0.7:
            chain.mine()
        if rng.random() < 0.2:
            depth = min(rng.randint(1, 4), chain.head().number)
            if depth:
                again = [(raw, rng.randrange(depth))] if rng.random() < 0.5 else []
                chain.reorg(depth, again)
        head = chain.head()
        seen.append((head.hash, chain.coin_balances(holders, head.hash)))
    return seen


@pytest.mark.parametrize("seed", range(5))
def test_the_same_calls_make_the_same_chain(seed: int) -> None:
    lives = [a_random_life(MemoryChain(automine=False), seed) for _ in range(2)]

    assert lives[0] == lives[1]


def test_another_seed_makes_other_hashes() -> None:
    one, two = MemoryChain(seed=1), MemoryChain(seed=2)
    for chain in (one, two):
        chain.send([a_transfer(0)])

    assert one.identity() != two.identity()
    assert one.head().hash != two.head().hash
    assert one.receipts([one.head()]) == two.receipts([two.head()])


@pytest.mark.parametrize("seed", range(5))
def test_a_past_block_reads_as_it_was_and_an_orphan_not_at_all(seed: int) -> None:
    chain = MemoryChain(automine=False)
    seen = dict(a_random_life(chain, seed))
    canonical = {header.hash for header in chain.headers(0, chain.head().number)}
    holders = [key.address for key in KEYS]

    assert len(canonical & set(seen)) > 5
    assert set(seen) - canonical
    for block_hash, balances in seen.items():
        if block_hash in canonical:
            assert chain.coin_balances(holders, block_hash) == balances
        else:
            with pytest.raises(ChainUnreachable):
                chain.coin_balances(holders, block_hash)


def test_coins_are_neither_made_nor_lost_but_by_gas() -> None:
    chain = MemoryChain(automine=False)
    a_random_life(chain, 3)
    blocks = chain.headers(0, chain.head().number)
    gas_wei = sum(
        receipt.gas_used * receipt.gas_price_wei
        for receipts in chain.receipts(blocks)
        for receipt in receipts
    )

    balances = chain.coin_balances([key.address for key in KEYS], chain.head().hash)

    assert sum(balances) + gas_wei == len(KEYS) * 10_000 * 10**18


@pytest.mark.parametrize(
    ("fee", "tip", "outcome"),
    [
        (11 * 10**9, 11 * 10**8, OUTCOMES.ACCEPTED),
        (11 * 10**9 - 1, 11 * 10**8, OUTCOMES.UNDERPRICED_REPLACEMENT),
        (11 * 10**9, 11 * 10**8 - 1, OUTCOMES.UNDERPRICED_REPLACEMENT),
        (20 * 10**9, 10**9, OUTCOMES.UNDERPRICED_REPLACEMENT),
        (10**10, 10**9, OUTCOMES.UNDERPRICED_REPLACEMENT),
    ],
)
def test_like_geth_it_wants_ten_percent_more_of_both_fees(
    fee: int, tip: int, outcome: SendOutcome
) -> None:
    chain = MemoryChain(automine=False, rules=GETH_RULES)
    chain.send([a_transfer(0)])

    (answer,) = chain.send([a_transfer(0, fee_wei=fee, tip_wei=tip, value=6)])

    assert answer.outcome is outcome


def test_like_geth_it_keeps_what_bids_below_the_base_fee() -> None:
    chain = MemoryChain(automine=False, rules=GETH_RULES)

    (answer,) = chain.send([a_transfer(0, fee_wei=10**8, tip_wei=0)])
    chain.mine()
    assert (answer.outcome, chain.pooled_count()) == (OUTCOMES.ACCEPTED, 1)

    chain.mine(30)
    assert (chain.pooled_count(), chain.nonce(KEYS[0].address)) == (0, 1)


def test_the_higher_tip_is_mined_first() -> None:
    chain = MemoryChain(automine=False)
    chain.send([a_transfer(0, tip_wei=1, signer=1), a_transfer(0, tip_wei=2, signer=2)])
    chain.mine()

    (receipts,) = chain.receipts([chain.head()])

    assert [receipt.sender for receipt in receipts] == [KEYS[2].address, KEYS[1].address]


def test_the_base_fee_falls_with_empty_blocks_and_rises_with_full_ones() -> None:
    chain = MemoryChain(automine=False, block_gas_limit=50_000)
    fees = []
    for _ in range(3):
        chain.mine()
        fees.append(chain.head().base_fee_wei)
    assert fees == [10**9, 875_000_000, 765_625_000]

    chain.set_block_gas_limit(25_000)
    raw = sign_eip1559(
        KEYS[0].key, chain_id=31337, nonce=0, to=CREDITOR.address, data=b"", gas_limit=21_000,
        max_fee_wei=10**10, max_priority_fee_wei=0,
    )[0]  # fmt: skip
    chain.send([raw])
    chain.mine(2)
    full, after = chain.headers(4, 5)
    assert full.base_fee_wei == 669_921_875
    assert after.base_fee_wei == 669_921_875 + 669_921_875 * 8_500 // 12_500 // 8


@pytest.mark.parametrize(("depth", "place"), [(0, 0), (9, 0), (2, 2), (2, -1)])
def test_an_impossible_reorg_is_refused_and_changes_nothing(depth: int, place: int) -> None:
    chain = MemoryChain(automine=False)
    chain.mine(8)
    before = chain.head()

    with pytest.raises(ChainUnreachable):
        chain.reorg(depth, [(a_transfer(0), place)])

    assert chain.head() == before


def test_a_contract_that_nobody_knows_stops_the_simulation() -> None:
    chain = MemoryChain()
    raw = sign_eip1559(
        KEYS[0].key, chain_id=31337, nonce=0, to=None, data=b"\x60\x00", gas_limit=100_000,
        max_fee_wei=10**10, max_priority_fee_wei=0,
    )[0]  # fmt: skip

    with pytest.raises(NotImplementedError):
        chain.send([raw])


def test_a_permit_stops_the_simulation() -> None:
    permit = selector("permit(address,address,uint256,uint256,uint8,bytes32,bytes32)")
    with a_world("memory") as world, pytest.raises(NotImplementedError):
        world.mined(world.sign(OPERATOR, world.token.address, bytes.fromhex(permit[2:])))


def test_two_lanes_that_come_back_in_the_other_order_settle_otherwise() -> None:
    """Together they are over the day's cap, so that the first one there is paid in full."""
    with a_world("memory") as world:
        lane = KEYS[7]
        allow = admin_abi.set_operator_calldata(lane.address, True)
        world.mined(world.sign(ADMIN, world.rail, allow))
        small = world.batch([a_payment(n, 1_000_000) for n in range(3)])
        large = world.batch([a_payment(3 + n, 1_000_000) for n in range(4)], signer=lane)
        world.mined(small)
        world.mined(large)
        assert paid_by(world) == [3, 2]

        world.controls.reorg(2, [(large, 0), (small, 1)])

        assert paid_by(world) == [4, 1]
        assert world.balance(CREDITOR.address) == 5_000_000


def paid_by(world: World) -> list[int]:
    """Return how many payments each of the two newest blocks made."""
    head = world.chain.head().number
    return [
        sum(log.topics[0] == SETTLED for receipt in receipts for log in receipt.logs)
        for receipts in world.chain.receipts(world.chain.headers(head - 1, head))
    ]


def test_addresses_without_anything_answer_zero() -> None:
    chain = MemoryChain()
    nobody = Address("0x" + "09" * 20)

    assert chain.coin_balances([nobody], chain.head().hash) == [0]
    assert chain.nonce(nobody) == 0
    assert chain.code_hashes([nobody]) == [None]
