"""What a reorg undoes and brings back, on a real anvil and in memory alike."""

import pytest

from settlement.chain.port import SendOutcome
from settlement.errors import ChainUnreachable
from tests.chain.worlds import (
    CREDITOR,
    FEE_WEI,
    OPERATOR,
    World,
    a_payment,
)

OUTCOMES = SendOutcome


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


def test_a_snapshot_is_gone_back_to_once(world: World) -> None:
    name = world.controls.snapshot()
    before = world.chain.head()
    world.mined(world.batch([a_payment(1, 300)]))

    assert world.controls.revert(name)

    assert world.chain.head() == before
    assert world.balance(CREDITOR.address) == 0
    assert not world.controls.revert(name)
