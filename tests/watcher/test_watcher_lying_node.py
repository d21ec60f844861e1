"""A real node behind a proxy that lies, stalls or fails: nothing of it is stored, then all is.

R6-R10, R12, R13, R19, R21, R23 and R24 of the catalogue, as the watcher meets them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from settlement.chain.anvil import Anvil, AnvilOptions
from settlement.chain.anvil_controls import AnvilControls
from settlement.chain.cross_checked import CrossChecked, NodesDisagree
from settlement.chain.evm import EvmChain
from settlement.config import Settings
from settlement.errors import ChainUnreachable, ForeignChain
from settlement.store import migrate, open_engine
from settlement.watcher import follow
from tests.builders.rpc_proxy import RpcProxy
from tests.watcher.scene import NOW, Scene, a_scene

PAID = 2
"""Payments in the block that a lie is about: a Settled and a Transfer each."""
RECEIPTS, HEADERS = "eth_getBlockReceipts", "eth_getBlockByNumber"

LIES: dict[str, tuple[str, dict[str, Any]]] = {
    "R6 a page for people": ("server_error", {"method": RECEIPTS}),
    "R6 JSON cut short": ("truncated", {"method": RECEIPTS}),
    "R6 fewer bytes than announced": ("short_body", {"method": HEADERS}),
    "R6 another call's id": ("wrong_id", {"method": RECEIPTS}),
    "R6 a refusal": ("refuse", {"method": RECEIPTS, "words": "limit exceeded"}),
    "R9 some logs kept back": ("partial_logs", {}),
    "R9 some logs kept back, their numbers too": ("renumbered_logs", {"number": 40}),
    "R10 no logs against the bloom": ("no_logs", {}),
    "R10 no receipts at all": ("empty", {"method": RECEIPTS}),
    "R12 null": ("null", {"method": RECEIPTS}),
    "R12 headers that are null": ("null", {"method": HEADERS}),
    "R13 the receipts of another block": ("previous_receipts", {"number": 1}),
    "R21 one call of many refused": ("refuse", {"method": HEADERS, "skip": 1, "count": 1}),
    "R23 a dripping answer": ("drip", {"method": HEADERS, "number": 40}),
    "R24 the answer to the call before": ("previous_answer", {"method": RECEIPTS}),
}


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A rail on one anvil for all lies, each about a block of its own."""
    engine = open_engine(f"sqlite:///{tmp_path_factory.mktemp('lies') / 'facts.sqlite3'}")
    migrate(engine)
    with Anvil(AnvilOptions()) as anvil:
        chain, controls = EvmChain(anvil.url), AnvilControls(anvil.url)
        yield a_scene(engine, chain, controls)
        chain.close()
        controls.close()
    engine.dispose()


@pytest.fixture
def proxy(scene: Scene) -> Iterator[RpcProxy]:
    assert isinstance(scene.chain, EvmChain)
    with RpcProxy(scene.chain.url, seed=11) as made:
        yield made


@pytest.fixture
def behind(proxy: RpcProxy) -> Iterator[EvmChain]:
    """The same chain, through the proxy."""
    with closing(EvmChain(proxy.url, 1.0)) as made:
        yield made


def stored(scene: Scene) -> tuple[object, ...]:
    """Return all that a lie could have changed."""
    return (
        scene.rows("SELECT name, number, hash FROM cursor ORDER BY name"),
        scene.one("SELECT COUNT(*) FROM block"),
        scene.one("SELECT COUNT(*) FROM receipt"),
        scene.one("SELECT COUNT(*) FROM chain_log"),
        scene.one("SELECT COUNT(*) FROM block WHERE NOT canonical"),
    )


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_stores_nothing_and_the_truth_afterwards_all(
    scene: Scene, proxy: RpcProxy, behind: EvmChain, lie: str
) -> None:
    scene.pay([5, 6])
    before = stored(scene)
    fault, terms = LIES[lie]
    behind.nonce(scene.deployment.rail)  # So that there is an answer before.
    proxy.arm(fault, **terms)

    with pytest.raises(ChainUnreachable):
        scene.follow(behind)
    after_the_lie = stored(scene)
    proxy.disarm()
    done = scene.follow(behind)

    assert proxy.struck[fault] >= 1
    assert after_the_lie == before
    assert (done.new_blocks, done.orphaned_blocks) == (1, 0)
    paired = "SELECT COUNT(*) FROM chain_log WHERE block_hash = :b AND pair_index IS NOT NULL"
    assert scene.one(paired, b=done.head.hash) == 2 * PAID


@pytest.mark.parametrize("blocks_behind", [1, 2, 20])
def test_a_node_that_falls_behind_moves_nothing(
    scene: Scene, proxy: RpcProxy, behind: EvmChain, blocks_behind: int
) -> None:
    """R7: its head goes back, no hash says otherwise: the cursor stays, at any distance."""
    scene.controls.mine(14)
    scene.catch_up()
    before = stored(scene)
    proxy.arm("stale_head", number=blocks_behind)

    done = scene.follow(behind)

    assert (done.new_blocks, done.orphaned_blocks) == (0, 0)
    assert stored(scene) == before


def test_another_chain_in_the_middle_of_a_run_is_refused(
    scene: Scene, proxy: RpcProxy, behind: EvmChain
) -> None:
    """R19: the address was ours a moment ago, and is another chain's now."""
    scene.follow(behind)
    scene.pay([5])
    before = stored(scene)
    proxy.arm("wrong_chain", number=1)
    with pytest.raises(ForeignChain):
        scene.follow(behind)
    proxy.disarm()
    with Anvil(AnvilOptions(no_mining=True)) as other:
        with closing(AnvilControls(other.url)) as elsewhere:
            elsewhere.set_next_base_fee(7)
            elsewhere.mine(scene.chain.head().number + 3)
        proxy.point(other.url)
        # The same chain id, another genesis.
        with pytest.raises(ForeignChain):
            scene.follow(behind)

    assert stored(scene) == before
    scene.catch_up()


def test_answers_in_another_order_are_the_same_facts(
    scene: Scene, proxy: RpcProxy, behind: EvmChain
) -> None:
    """R21: matched by id, whatever their order in the batch."""
    for amount in (5, 6, 7):
        scene.pay([amount])
    proxy.arm("shuffled")

    done = scene.follow(behind)

    assert done.new_blocks == 3
    assert proxy.struck["shuffled"] >= 1
    ours = [number for number, _ in scene.canonical()]
    assert ours == list(range(scene.chain.head().number + 1))


def test_a_node_that_fails_now_and_then_is_followed_to_the_end(
    scene: Scene, proxy: RpcProxy, behind: EvmChain
) -> None:
    """R1 R5 R6: what failed is asked again; no block is left out, none stored twice."""
    for amount in range(1, 9):
        scene.pay([amount])
    for fault in ("drop_before", "drop_after", "too_many", "server_error", "truncated"):
        proxy.arm(fault, percent=12)
    settings = Settings(blocks_per_tick_max=2)

    failures = 0
    for _ in range(200):
        try:
            if not follow(scene.engine, behind, settings, NOW).new_blocks:
                break
        except ChainUnreachable:
            failures += 1

    assert failures > 0
    assert scene.canonical()[-1][0] == scene.chain.head().number
    assert scene.one("SELECT COUNT(*) FROM block") == len(scene.canonical())


def test_an_amount_that_only_the_second_node_tells_is_not_stored(
    scene: Scene, proxy: RpcProxy, behind: EvmChain
) -> None:
    """R8 R9: no bloom filter knows a log's data; two nodes do."""
    scene.pay([5])
    before = stored(scene)
    proxy.arm("changed_amount")

    for pair in ((scene.chain, behind), (behind, scene.chain)):
        with pytest.raises(NodesDisagree, match="receipts"):
            scene.follow(CrossChecked(*pair))
    after_the_lie = stored(scene)
    proxy.disarm()

    assert after_the_lie == before
    assert scene.follow(CrossChecked(scene.chain, behind)).new_blocks == 1


def test_a_late_second_node_holds_the_watcher_at_its_own_head(
    scene: Scene, proxy: RpcProxy, behind: EvmChain
) -> None:
    """R7 R8: waiting, not lying; nothing goes back and nothing is believed ahead of it."""
    scene.catch_up()
    scene.controls.mine(5)
    proxy.arm("stale_head", number=3)
    both = CrossChecked(scene.chain, behind)

    first, second = scene.follow(both), scene.follow(both)
    proxy.disarm()
    third = scene.follow(both)

    assert [each.new_blocks for each in (first, second, third)] == [2, 0, 3]
