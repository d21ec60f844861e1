"""A node that has to prove each block: what a bloom filter cannot tell, a hash does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from settlement.chain import rail_abi
from settlement.chain.evm import EvmChain
from settlement.chain.port import BlockRef
from settlement.chain.proving import ProvingChain, header_hash, receipts_root
from settlement.chain.receipts import WrongShape, block_receipts
from settlement.errors import ChainUnreachable
from tests.builders.rpc_proxy import RpcProxy
from tests.chain.worlds import CREDITOR, STRANGER, World, a_payment, a_world

EMPTY_ROOT = "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """An anvil with the rail on it, and a block of 140 chain transactions on top."""
    with a_world("anvil") as made:
        made.mined(made.batch([a_payment(1), a_payment(2)]))
        sends = [made.sign(STRANGER, CREDITOR.address, gas_limit=21_000) for _ in range(140)]
        made.mined(*sends)
        yield made


@pytest.fixture
def proxy(world: World) -> Iterator[RpcProxy]:
    with RpcProxy(world.chain.url, seed=5) as made:
        yield made


@pytest.fixture
def chain(proxy: RpcProxy) -> Iterator[ProvingChain]:
    with closing(ProvingChain(proxy.url)) as made:
        yield made


def all_blocks(chain: EvmChain) -> list[BlockRef]:
    return chain.headers(0, chain.head().number)


def test_every_block_of_a_real_node_is_proven(world: World, chain: ProvingChain) -> None:
    blocks = all_blocks(chain)

    found = chain.receipts(blocks)

    assert max(len(each) for each in found) == 140
    assert sum(len(each.logs) for receipts in found for each in receipts) > 10
    assert found == world.chain.receipts(blocks)


LIES = ("changed_amount", "flipped_status", "renumbered_logs", "no_logs", "null")


@pytest.mark.parametrize("lie", LIES)
def test_receipts_that_are_not_the_header_s_are_refused(
    proxy: RpcProxy, chain: ProvingChain, lie: str
) -> None:
    """R9 R10 R12: an amount or a status is in no filter, and in the root."""
    blocks = all_blocks(chain)
    proxy.arm(lie, method="eth_getBlockReceipts")

    with pytest.raises(ChainUnreachable):
        chain.receipts(blocks)

    proxy.disarm()
    assert chain.receipts(blocks)


def test_a_header_that_hides_its_chain_transactions_is_refused(
    proxy: RpcProxy, chain: ProvingChain, world: World
) -> None:
    """R10: a plain client believes an empty block, and would never ask for its logs."""
    proxy.arm("emptied_header")

    with pytest.raises(ChainUnreachable, match=r"has not the hash|without its chain"):
        all_blocks(chain)
    with closing(EvmChain(proxy.url)) as plain:
        assert not any(block.has_logs for block in all_blocks(plain))


def test_a_header_without_its_chain_transactions_alone_is_refused(
    world: World, chain: ProvingChain
) -> None:
    """The list of chain transactions beside the header is in no hash; the root is."""
    answer = world.chain.rpc.call("eth_getBlockByNumber", "latest", False)

    for field in ("logsBloom", "receiptsRoot", "parentHash"):
        with pytest.raises(WrongShape, match="has not the hash"):
            chain._block_ref({**answer, field: _with_another_last_digit(answer[field])})
    assert chain._block_ref(answer).tx_count == 140
    with pytest.raises(WrongShape, match="without its chain transactions"):
        chain._block_ref({**answer, "transactions": []})


def test_the_root_of_no_receipts_is_the_one_of_the_standard() -> None:
    assert receipts_root([]) == EMPTY_ROOT


@pytest.mark.parametrize("broken", [{}, {"parentHash": None}, {"parentHash": "0xzz"}])
def test_what_is_no_header_has_no_hash(broken: dict[str, object]) -> None:
    with pytest.raises(WrongShape):
        header_hash(broken)


def test_one_of_two_equal_transfers_is_missed_by_all_but_the_root(
    world: World, chain: ProvingChain
) -> None:
    """R9: the bloom filter has the same bits with one of them and with both."""
    block = world.chain.headers(world.chain.head().number - 1, world.chain.head().number)[0]
    answer = chain.rpc.call("eth_getBlockReceipts", block.hash)
    logs = answer[0]["logs"]
    assert chain._block_receipts(block, answer)[0].logs
    kept = [log for log in logs if log is not next(each for each in logs if _is_transfer(each))]
    for place, log in enumerate(kept):
        log["logIndex"] = hex(place)

    forged = [{**answer[0], "logs": kept}]

    assert len(block_receipts(block, forged)[0].logs) == len(logs) - 1
    with pytest.raises(WrongShape, match="not those of block"):
        chain._block_receipts(block, forged)


def _with_another_last_digit(figure: str) -> str:
    return f"{int(figure, 16) ^ 1:#0{len(figure)}x}"


def _is_transfer(log: dict[str, list[str]]) -> bool:
    return log["topics"][0] == rail_abi.TRANSFER
