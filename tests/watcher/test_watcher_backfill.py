"""Catching up from far behind: what has nothing of ours is passed over, and nothing else is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import pytest

from settlement.chain.anvil import Anvil
from settlement.chain.anvil_controls import AnvilControls
from settlement.chain.dev_keys import dev_keys
from settlement.chain.evm import EvmChain
from settlement.chain.port import BlockRef
from settlement.config import Settings
from settlement.errors import ChainUnreachable
from settlement.store import migrate, open_engine
from settlement.watcher import Followed, follow
from tests.builders.rpc_proxy import RpcProxy
from tests.watcher.liars import Relay
from tests.watcher.scene import NOW, OPERATOR, Scene, a_scene, put_rail, record, stop_automine

STRANGER = dev_keys(9)[-1]
PAGE = 4
FAR = Settings(blocks_per_tick_max=PAGE, backfill_blocks_max=60)
SLOW = Settings(blocks_per_tick_max=PAGE, backfill_blocks_max=1)


@pytest.fixture
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A rail on an anvil, followed up to the head; the operator has a lane."""
    engine = open_engine(f"sqlite:///{tmp_path_factory.mktemp('far') / 'facts.sqlite3'}")
    migrate(engine)
    with Anvil() as anvil:
        chain, controls = EvmChain(anvil.url), AnvilControls(anvil.url)
        yield a_scene(engine, chain, controls)
        chain.close()
        controls.close()
    engine.dispose()


@pytest.fixture
def proxy(scene: Scene) -> Iterator[RpcProxy]:
    assert isinstance(scene.chain, EvmChain)
    with RpcProxy(scene.chain.url) as made:
        yield made


@pytest.fixture
def behind(proxy: RpcProxy) -> Iterator[EvmChain]:
    with closing(EvmChain(proxy.url)) as made:
        yield made


def a_long_absence(scene: Scene) -> None:
    """Let 40 blocks pass: two batches, one that reverts, strangers' traffic, much of nothing."""
    scene.controls.mine(6)
    scene.pay([5, 6])
    for _ in range(8):
        scene.send(STRANGER, STRANGER.address, b"")
    scene.send(OPERATOR, scene.deployment.rail, b"\x00")  # Reverts: no log at all.
    scene.controls.mine(5)
    scene.pay([7])
    scene.controls.mine(18)


def catch_up(scene: Scene, chain: EvmChain, settings: Settings) -> list[Followed]:
    passes = []
    for _ in range(60):
        passes.append(follow(scene.engine, chain, settings, NOW))
        if not passes[-1].new_blocks:
            return passes
    raise AssertionError("the chain never ends")


FACTS = (
    "SELECT number, hash FROM block WHERE canonical ORDER BY number",
    "SELECT block_hash, tx_index, sender, status, depth FROM receipt ORDER BY block_number,"
    " tx_index",
    "SELECT block_hash, log_index, name, pair_index FROM chain_log ORDER BY block_number,"
    " log_index",
    "SELECT name, number, hash FROM cursor ORDER BY name",
)


def test_a_long_run_of_final_blocks_comes_at_once_with_the_same_facts(
    scene: Scene, proxy: RpcProxy, behind: EvmChain, tmp_path_factory: pytest.TempPathFactory
) -> None:
    a_long_absence(scene)
    other = open_engine(f"sqlite:///{tmp_path_factory.mktemp('slow') / 'facts.sqlite3'}")
    migrate(other)
    record(other, scene.deployment)
    slow = Scene(other, scene.chain, scene.controls, scene.deployment)

    passes = catch_up(scene, behind, FAR)
    catch_up(slow, scene.chain, SLOW)

    assert len(passes) < 10 and passes[0].new_blocks > 20
    assert [scene.rows(sql) for sql in FACTS] == [slow.rows(sql) for sql in FACTS]
    ours = "SELECT COUNT(*) FROM receipt WHERE sender = :o AND status = :s"
    assert scene.one(ours, o=OPERATOR.address, s=0) == 1
    # Two batches, one that reverted, and what is too new to be final.
    assert proxy.asked["eth_getBlockReceipts"] < 8 + 3
    other.dispose()


def test_old_nonces_that_a_node_does_not_know_make_every_receipt_looked_at(
    scene: Scene, proxy: RpcProxy, behind: EvmChain
) -> None:
    a_long_absence(scene)
    proxy.arm("refuse", method="eth_getTransactionCount", words="missing trie node")

    catch_up(scene, behind, FAR)

    assert scene.one("SELECT COUNT(*) FROM receipt WHERE status = 0") == 1
    assert proxy.struck["refuse"] >= 1


def test_a_range_that_is_too_long_for_the_node_is_halved_until_it_is_not(
    scene: Scene,
) -> None:
    asked: list[int] = []

    @dataclass
    class Narrow(Relay):
        """Gives at most 20 headers at a time."""

        def headers(self, first: int, last: int) -> list[BlockRef]:
            asked.append(last - first + 1)
            if last - first + 1 > 20:
                raise ChainUnreachable("block range is too wide")
            return self.chain.headers(first, last)

    a_long_absence(scene)

    done = follow(scene.engine, Narrow(scene.chain), FAR, NOW)

    tried = asked[1:]
    assert len(tried) >= 2 and tried[-1] <= 20 < tried[0]
    assert PAGE < done.new_blocks <= PAGE + 20


def test_blocks_that_are_not_final_are_followed_page_by_page(scene: Scene) -> None:
    scene.controls.mine(PAGE + 6)

    assert follow(scene.engine, scene.chain, FAR, NOW).new_blocks == PAGE


def test_a_branch_that_comes_between_two_requests_is_left_to_the_next_pass(scene: Scene) -> None:
    @dataclass
    class Moving(Relay):
        """Replaces its newest blocks once, after it has given the first page."""

        moved: bool = False

        def headers(self, first: int, last: int) -> list[BlockRef]:
            found = self.chain.headers(first, last)
            if last - first > PAGE and not self.moved:
                self.moved = True
                scene.controls.reorg(28)
                found = self.chain.headers(first, last)
            return found

    scene.controls.mine(30)

    done = follow(scene.engine, Moving(scene.chain), FAR, NOW)

    assert done.new_blocks == PAGE


def test_a_first_start_on_a_chain_that_is_long_already_finds_everything(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    engine = open_engine(f"sqlite:///{tmp_path_factory.mktemp('first') / 'facts.sqlite3'}")
    migrate(engine)
    with (
        Anvil() as anvil,
        closing(EvmChain(anvil.url)) as chain,
        closing(AnvilControls(anvil.url)) as controls,
    ):
        deployment = put_rail(chain)
        stop_automine(chain, controls)
        scene = Scene(engine, chain, controls, deployment)
        a_long_absence(scene)
        record(engine, deployment)

        catch_up(scene, chain, FAR)

        assert scene.one("SELECT COUNT(*) FROM chain_log WHERE name = 'Settled'") == 3
        assert scene.one("SELECT COUNT(*) FROM chain_log WHERE name = 'MandateSet'") == 1
        assert scene.one("SELECT COUNT(*) FROM receipt WHERE status = 0") == 1
    engine.dispose()
