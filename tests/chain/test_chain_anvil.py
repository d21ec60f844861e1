"""A real anvil under supervision: started, found ready, and never left behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from pathlib import Path

import pytest

from settlement.chain.anvil import (
    BLOCK_GAS_LIMIT,
    Anvil,
    AnvilFailed,
    AnvilMissing,
    AnvilOptions,
    PortInUse,
    find_anvil,
)
from settlement.chain.anvil_controls import AnvilControls
from settlement.chain.evm import EvmChain
from settlement.chain.port import SendOutcome
from tests.chain.worlds import CREDITOR, KEYS, a_payment, a_world

ROOT = Path(__file__).resolve().parents[2]


def is_alive(pid: int) -> bool:
    """Say whether a process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def is_listening(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except ConnectionError:
        return False
    return True


def comes_true(condition: Callable[[], bool], seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        os.sched_yield()
    return condition()


def test_it_answers_on_a_free_port_of_loopback_and_is_gone_afterwards(tmp_path: Path) -> None:
    with Anvil(AnvilOptions(chain_id=4242), directory=tmp_path) as anvil:
        pid, port = anvil.pid, anvil.port
        chain = EvmChain(anvil.url)

        assert chain.identity().chain_id == 4242
        assert is_alive(pid)
        assert anvil.is_running
        block = chain.rpc.call("eth_getBlockByNumber", "latest", False)
        assert int(block["gasLimit"], 16) == BLOCK_GAS_LIMIT
        chain.close()

    assert not is_alive(pid)
    assert not anvil.is_running
    assert "Listening on 127.0.0.1" in (tmp_path / "anvil.log").read_text()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=1)


def test_its_scratch_directory_goes_with_it() -> None:
    with Anvil() as anvil:
        directory = anvil.log_path.parent
        assert directory.is_dir()

    assert not directory.exists()


def test_two_run_side_by_side() -> None:
    with Anvil() as one, Anvil() as two:
        assert one.port != two.port


def test_a_port_in_use_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        anvil = Anvil(AnvilOptions(port=port))

        with pytest.raises(PortInUse, match=str(port)) as refusal:
            anvil.start()

    assert refusal.value.repair
    assert not anvil.is_running


def test_a_web_page_is_not_let_in() -> None:
    with Anvil() as anvil:
        body = b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}'
        headers = {"Content-Type": "application/json", "Origin": "https://page.example"}
        request = urllib.request.Request(anvil.url, body, headers)
        with urllib.request.urlopen(request) as answer:
            assert "access-control-allow-origin" not in answer.headers


def test_a_missing_binary_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SETTLE_ANVIL", "/nowhere/anvil")

    with pytest.raises(AnvilMissing, match="/nowhere/anvil") as refusal:
        Anvil().start()

    assert "npm ci" in str(refusal.value.repair)


def test_a_named_binary_is_taken_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    own = tmp_path / "anvil"
    own.write_text("#!/bin/sh\n")
    own.chmod(0o755)

    packaged = find_anvil()
    monkeypatch.setenv("SETTLE_ANVIL", str(own))

    assert find_anvil() == own
    assert packaged.is_relative_to(ROOT / "contracts")


def chain_of(anvil: Anvil) -> AbstractContextManager[EvmChain]:
    return closing(EvmChain(anvil.url))


def controls_of(anvil: Anvil) -> AbstractContextManager[AnvilControls]:
    return closing(AnvilControls(anvil.url))


def a_program(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "program"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_an_anvil_that_ends_at_once_is_told_with_its_words(tmp_path: Path) -> None:
    anvil = Anvil(binary=a_program(tmp_path, "echo it is broken; exit 3"), directory=tmp_path)

    with pytest.raises(AnvilFailed, match="it is broken"):
        anvil.start()

    assert not anvil.is_running


def test_an_anvil_that_never_answers_is_ended_with_its_children(tmp_path: Path) -> None:
    program = a_program(tmp_path, f"trap '' TERM; sleep 600 & echo $! > {tmp_path}/child; wait")
    anvil = Anvil(binary=program, directory=tmp_path, ready_seconds=2.0)

    with pytest.raises(AnvilFailed, match="did not answer"):
        anvil.start()

    child = int((tmp_path / "child").read_text())
    assert comes_true(lambda: not is_alive(child))


PARENT = """
import sys
from settlement.chain.anvil import Anvil
anvil = Anvil().start()
print(anvil.pid, anvil.port, anvil.log_path.parent, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_it_dies_with_its_parent(how: signal.Signals, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert parent.stdout is not None
    assert parent.stdin is not None
    pid, port, _ = parent.stdout.readline().split()
    assert is_alive(int(pid))

    parent.send_signal(how)
    parent.wait(60)

    assert comes_true(lambda: not is_alive(int(pid)))
    # The last of its threads holds the port for a moment longer.
    assert comes_true(lambda: not is_listening(int(port)))
    parent.stdin.close()
    parent.stdout.close()


def test_it_does_not_hear_the_terminals_interrupt() -> None:
    with Anvil() as anvil:
        assert os.getsid(anvil.pid) != os.getsid(0)
        assert os.getpgid(anvil.pid) == anvil.pid


def test_at_an_interval_it_mines_by_itself() -> None:
    with Anvil(AnvilOptions(block_seconds=1)) as anvil, chain_of(anvil) as chain:
        assert comes_true(lambda: chain.head().number >= 1)


def test_mixed_it_mines_for_each_send_too() -> None:
    options = AnvilOptions(block_seconds=600, mixed_mining=True)
    with Anvil(options) as anvil, chain_of(anvil) as chain:
        with a_world("memory") as signer:
            raw = signer.sign(CREDITOR, KEYS[9].address, nonce=0, gas_limit=50_000, value=5)

        assert chain.send([raw])[0].outcome is SendOutcome.ACCEPTED
        assert comes_true(lambda: chain.nonce(CREDITOR.address) == 1)


def test_a_stolen_account_can_be_played() -> None:
    with a_world("anvil") as world:
        controls = world.controls
        world.controls.set_balance(world.rail, 10**18)
        controls.send_as(world.rail, CREDITOR.address, b"", value=5)
        world.controls.mine()

        (receipt,) = world.chain.receipts([world.chain.head()])[0]
        assert (receipt.sender, receipt.status) == (world.rail, 1)
        controls.set_code(KEYS[8].address, b"\x60\x00")
        controls.set_storage(KEYS[8].address, 1, b"\x05")
        controls.set_nonce(CREDITOR.address, 5)
        assert world.chain.code_hashes([KEYS[8].address]) != [None]
        assert world.chain.nonce(CREDITOR.address) == 5


def test_web3_reads_the_same_receipts_as_our_own_decoding() -> None:
    with a_world("anvil") as world:
        both = world.batch([a_payment(1, 10), a_payment(2, 2**62)]), world.batch([a_payment(1)])
        world.mined(*both)
        head = world.chain.head()
        ours = world.chain.receipts([head])[0]
        web3 = world.chain.web3()

        for receipt in ours:
            theirs = web3.eth.get_transaction_receipt(receipt.tx_hash)
            assert theirs["from"].lower() == receipt.sender
            assert (theirs["status"], theirs["gasUsed"]) == (receipt.status, receipt.gas_used)
            assert theirs["effectiveGasPrice"] == receipt.gas_price_wei
            assert [
                (
                    log["address"].lower(),
                    tuple(topic.to_0x_hex() for topic in log["topics"]),
                    log["data"].to_0x_hex(),
                    log["logIndex"],
                )
                for log in theirs["logs"]
            ] == [tuple(log) for log in receipt.logs]
        assert sum(len(receipt.logs) for receipt in ours) == 4
