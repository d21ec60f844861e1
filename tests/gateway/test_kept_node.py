"""The anvil of `settle up` when it is killed: it comes back at its port with nearly all it had."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gateway.installation import Installation
from gateway.kept_node import KEEP_SECONDS, KeptNode, RecordsLost
from settlement.chain.anvil import Anvil, AnvilOptions
from settlement.chain.anvil_controls import AnvilControls
from settlement.chain.evm import EvmChain
from settlement.config import Settings


@pytest.fixture
def node(tmp_path: Path) -> Iterator[KeptNode]:
    options = AnvilOptions(state=tmp_path / "state.json", genesis_timestamp=int(time.time()) - 60)
    with Anvil(options, directory=tmp_path) as anvil:
        yield KeptNode(anvil)


def kill(node: KeptNode) -> None:
    os.kill(node.anvil.pid, signal.SIGKILL)
    while node.anvil.is_running:
        os.sched_yield()


def test_a_killed_node_comes_back_at_its_port_from_what_was_kept_last(node: KeptNode) -> None:
    url = node.anvil.url
    with closing(AnvilControls(url)) as controls, closing(EvmChain(url)) as chain:
        controls.mine(3)
        kept = chain.head()
        assert node.keep(time.monotonic() + KEEP_SECONDS) == []
        controls.mine(2)
        kill(node)

    (told,) = node.keep(time.monotonic())

    assert "ended by itself and was started again" in told and "are lost" in told
    assert node.anvil.url == url
    with closing(EvmChain(url)) as chain:
        assert chain.head() == kept
    assert node.keep(time.monotonic()) == []


def test_it_is_kept_often_enough_that_no_final_block_of_a_second_each_is_lost() -> None:
    assert Settings().finality_confirmations - 1 > KEEP_SECONDS + 1


def test_what_is_not_to_be_started_is_told_and_tried_again(node: KeptNode) -> None:
    state = node.anvil.options.state
    assert state is not None
    kill(node)
    state.write_text("{ half a st")

    (told,) = node.keep(time.monotonic())

    assert "does not start again" in told
    state.unlink()
    (told,) = node.keep(time.monotonic())
    assert "was started again" in told


def test_a_full_disk_is_told_once_and_ends_nothing(node: KeptNode) -> None:
    state = node.anvil.options.state
    assert state is not None
    node.save()
    kept, beside, began = state.read_bytes(), state.with_suffix(".next"), time.monotonic()
    beside.symlink_to("/dev/full")

    (told,) = node.keep(began + KEEP_SECONDS)

    assert f"cannot be kept in {state.parent}: No space left" in told and "make room" in told
    assert state.read_bytes() == kept
    assert not beside.is_symlink(), "nothing takes the room that is missing"
    beside.symlink_to("/dev/full")
    assert node.keep(began + 2 * KEEP_SECONDS) == []
    assert node.keep(began + 3 * KEEP_SECONDS) == ["The local chain is kept again."]
    assert node.keep(time.monotonic()) == []


def test_a_chain_that_has_begun_does_not_go_on_without_its_records(tmp_path: Path) -> None:
    (tmp_path / "chain").mkdir()
    (tmp_path / "chain/state.json").write_text("{}")

    with (
        pytest.raises(RecordsLost, match=r"settle\.sqlite3 is not there") as refused,
        Installation.start(Settings(home=tmp_path), block_seconds=1),
    ):
        pass

    assert "settle restore" in str(refused.value.repair)
    assert not (tmp_path / "settle.sqlite3").exists(), "a backup can be put there"
