"""What an anvil keeps of its chain: over an orderly end, over a pause, and when it is killed."""

from __future__ import annotations

import os
import time
from contextlib import closing
from pathlib import Path

import pytest

from settlement.chain.anvil import Anvil, AnvilFailed, AnvilOptions
from settlement.chain.anvil_controls import AnvilControls
from settlement.chain.anvil_state import ended, take_over
from settlement.chain.evm import EvmChain
from tests.chain.worlds import KEYS


def chain_of(anvil: Anvil) -> closing[EvmChain]:
    return closing(EvmChain(anvil.url))


def controls_of(anvil: Anvil) -> closing[AnvilControls]:
    return closing(AnvilControls(anvil.url))


def test_state_is_kept_over_an_orderly_end(tmp_path: Path) -> None:
    options = AnvilOptions(state=tmp_path / "state.json", genesis_timestamp=1_800_000_000)
    with Anvil(options) as anvil, chain_of(anvil) as chain, controls_of(anvil) as controls:
        controls.mine(5)
        controls.set_balance(KEYS[0].address, 77)
        controls.mine()
        before = chain.identity(), chain.head(), chain.headers(0, 6)

    with Anvil(options) as anvil, chain_of(anvil) as chain:
        assert (chain.identity(), chain.head(), chain.headers(0, 6)) == before
        assert chain.coin_balances([KEYS[0].address], before[1].hash) == [77]


def test_it_is_the_same_chain_however_often_it_is_ended_and_started(tmp_path: Path) -> None:
    founded = int(time.time()) - 1_000
    options = AnvilOptions(state=tmp_path / "state.json", genesis_timestamp=founded)
    seen = set()
    for _ in range(6):  # Of the genesis blocks of all these starts, the first one's counts.
        with Anvil(options) as anvil, chain_of(anvil) as chain, controls_of(anvil) as controls:
            controls.mine()
            seen.add(chain.identity().genesis_hash)
        _await_the_next_second()  # Each start's own genesis block is of another one.

    assert len(seen) == 1


def test_it_is_the_same_chain_after_crashes_too(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    anvil = Anvil(AnvilOptions(state=state), directory=tmp_path).start()
    seen = set()
    for _ in range(6):
        with controls_of(anvil) as controls, chain_of(anvil) as chain:
            controls.mine()
            seen.add(chain.identity().genesis_hash)
            state.write_bytes(controls.dumped_state())
        anvil.kill()
        _await_the_next_second()
        anvil.start()
    anvil.stop()

    assert len(seen) == 1


def test_a_state_that_cannot_be_read_is_left_to_anvil_to_name(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    state.write_text("{")

    with pytest.raises(AnvilFailed, match="state"):
        Anvil(AnvilOptions(state=state), directory=tmp_path).start()

    assert state.read_text() == "{"


def test_its_clock_is_now_again_however_long_it_was_off(tmp_path: Path) -> None:
    founded = int(time.time()) - 1_000
    options = AnvilOptions(state=tmp_path / "state.json", genesis_timestamp=founded)
    with Anvil(options) as anvil, chain_of(anvil) as chain:
        genesis = chain.headers(0, 0)

    with Anvil(options) as anvil, chain_of(anvil) as chain, controls_of(anvil) as controls:
        controls.mine()

        assert abs(chain.head().timestamp - time.time()) < 100
        assert chain.headers(0, 0) == genesis


def test_what_it_keeps_does_not_grow_with_every_state_there_was(tmp_path: Path) -> None:
    options = AnvilOptions(state=tmp_path / "state.json")
    with Anvil(options, directory=tmp_path) as anvil, controls_of(anvil) as controls:
        controls.set_code(KEYS[8].address, b"\x60" * 20_000)
        controls.mine(600)

        assert not any(each.is_file() for each in (tmp_path / "cache").rglob("*"))

    # A block is less than two kilobytes; a state of all accounts would be 40 and more.
    assert (tmp_path / "state.json").stat().st_size < 2_000_000


def test_a_killed_anvil_keeps_nothing(tmp_path: Path) -> None:
    options = AnvilOptions(state=tmp_path / "state.json")
    anvil = Anvil(options, directory=tmp_path).start()
    with controls_of(anvil) as controls:
        controls.mine(3)
    anvil.kill()

    assert not anvil.is_running
    with anvil, chain_of(anvil) as chain:
        assert chain.head().number == 0


def test_an_end_that_cannot_be_written_leaves_what_was_kept_before(tmp_path: Path) -> None:
    options = AnvilOptions(state=tmp_path / "state.json")
    with Anvil(options, directory=tmp_path) as anvil, controls_of(anvil) as controls:
        controls.mine(3)
    with Anvil(options, directory=tmp_path) as anvil, controls_of(anvil) as controls:
        controls.mine(2)
        ended(tmp_path / "state.json").symlink_to("/nowhere/at/all")

    with Anvil(options, directory=tmp_path) as anvil, chain_of(anvil) as chain:
        assert chain.head().number == 3


def test_a_copy_that_somebody_put_back_is_not_replaced_by_an_older_end(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    ended(state).write_text('{"older": true}')
    os.utime(ended(state), (1, 1))
    state.write_text('{"newer": true}')

    take_over(state)

    assert state.read_text() == '{"newer": true}' and not ended(state).exists()


def test_half_of_an_end_is_no_state(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    state.write_text('{"older": true}')
    ended(state).write_text('{"half')

    take_over(state)

    assert state.read_text() == '{"older": true}' and not ended(state).exists()


def _await_the_next_second() -> None:
    time.sleep(1.001 - time.time() % 1)
