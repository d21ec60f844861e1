"""The demo as a user runs it, and `settle up` when it is stopped, killed or started twice."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from settlement.chain.anvil_controls import AnvilControls

pytestmark = pytest.mark.slow

READY_SECONDS = 90
PAUSE_SECONDS = 0.05
"""Between two looks: whoever looks without a pause takes a processor from what it waits for."""


def settle(*arguments: str, home: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **({"SETTLE_HOME": str(home)} if home else {})}
    return subprocess.run(
        [sys.executable, "-m", "gateway", *arguments],
        capture_output=True,
        text=True,
        timeout=240,
        env=environment,
        check=False,
    )


@contextmanager
def running(home: Path) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "gateway", "up", "--home", str(home), "--port", "0", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None and process.stderr is not None
        told = process.stdout.readline()
        assert told, process.stderr.read()
        yield process, json.loads(told)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return False
    return "State:\tZ" not in status


def test_the_trading_day_shows_all_it_has_to_and_holds_every_invariant(tmp_path: Path) -> None:
    ran = settle("demo", "--json", "--home", str(tmp_path / "day"))

    assert ran.returncode == 0, ran.stderr[-2000:]
    found = json.loads(ran.stdout.splitlines()[-1])
    assert found["ok"]
    assert found["invoices"] >= 60
    assert found["credit_notes"] >= 1
    assert found["refused"] >= 5
    assert found["held"] >= 1
    assert found["rejected"] >= 1
    assert found["retried"] == {"payments": found["rejected"], "same_sequence": True}
    approved = found["approved_by_second_person"]
    assert approved["payments"] >= 1
    assert approved["maker_refused"]
    assert approved["maker"] != approved["checker"]
    oversight = found["oversight"]
    assert oversight["limit"]["refused"].endswith("is exceeded")
    assert oversight["inquiry"]["held"] and oversight["inquiry"]["state"] == "ACCEPTED"
    assert oversight["overseer_sees"]["holdings"] > 0
    assert found["reorgs"] == 1
    assert found["entries_reversed"] >= 2
    planted = {"duplicate": 1, "missing_at_bank": 1, "unattributed_deposit": 1}
    worked = {"fee": 1, "unattributed_bank_credit": 1}
    assert found["bank"]["breaks"] == planted | worked
    assert found["breaks"] == planted
    assert found["bank"]["matched"] >= 20
    assert found["bank"]["reserves"] == 5
    assert found["bank"]["proof"]["holds"]
    blocked = oversight["blocked"]
    assert blocked["state"] == "REJECTED" and "wallet is on court-orders" in blocked["found"]
    assert blocked["report_due_date"] > datetime.now(UTC).date().isoformat()
    assert found["settled"] + found["held"] + 1 == found["invoices"]
    assert found["matches"] == found["settled"]
    assert len(found["tie_out"]) == 5
    assert {row["difference"] for row in found["tie_out"].values()} == {"0.000000"}
    assert all(check["ok"] for check in found["invariants"].values())


def test_up_keeps_its_records_and_chain_over_a_restart(tmp_path: Path) -> None:
    home = tmp_path / "a home with spaces"
    with running(home) as (_, first):
        request = urllib.request.Request(
            f"{first['url']}/v1/invoices",
            headers={"Authorization": f"Bearer {first['api_keys']['treasury']}"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert json.load(answer)["data"] == []
        refused = settle("up", "--home", str(home), "--port", "0")
        looked = settle("doctor", "--json", home=home)
        judged = settle("verify", "--json", home=home)
        exposed = [each for each in [home, *home.rglob("*")] if each.lstat().st_mode & 0o077]

    found = {each["check"]: each for each in json.loads(looked.stdout)}
    assert found["chain"]["health"] == "ok" and first["rpc"] in found["chain"]["found"]
    assert "no chain is configured" not in judged.stderr and json.loads(judged.stdout)
    assert exposed == []
    assert not (home / "node-url").exists()
    assert refused.returncode == 1
    assert "another settle is running" in refused.stderr
    with running(home) as (_, second):
        for same in ("rail", "tokens", "participants", "api_keys", "operator"):
            assert second[same] == first[same]


def test_nothing_is_left_when_up_is_killed(tmp_path: Path) -> None:
    with running(tmp_path / "home") as (process, facts):
        parts = list(facts["pids"].values())
        assert all(alive(pid) for pid in parts)

        process.kill()
        process.wait()

        until = time.monotonic() + READY_SECONDS
        while any(alive(pid) for pid in parts) and time.monotonic() < until:
            time.sleep(PAUSE_SECONDS)
        assert not any(alive(pid) for pid in parts)


def test_a_part_that_dies_is_started_again(tmp_path: Path) -> None:
    with running(tmp_path / "home") as (_, facts):
        os.kill(facts["pids"]["gateway"], signal.SIGKILL)

        until = time.monotonic() + READY_SECONDS
        while time.monotonic() < until:
            try:
                with urllib.request.urlopen(f"{facts['url']}/healthz", timeout=2) as answer:
                    assert answer.status == 200
                    return
            except OSError:
                time.sleep(PAUSE_SECONDS)
        raise AssertionError("the gateway did not come back")


def last_seen(log: Path) -> int:
    """The newest block that the worker has looked at: not each one, if it is slow."""
    return max(map(int, re.findall(r"\bhead=(\d+)", log.read_text())), default=0)


def mine(url: str, blocks: int) -> None:
    """Let blocks come at once that would come one a second."""
    with closing(AnvilControls(url)) as controls:
        controls.mine(blocks)


def heights(url: str) -> int:
    asked = {"jsonrpc": "2.0", "id": 1, "method": "eth_blockNumber", "params": []}
    request = urllib.request.Request(
        url, json.dumps(asked).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return int(json.load(answer)["result"], 16)


def test_a_killed_chain_is_started_again_and_the_rail_goes_on(tmp_path: Path) -> None:
    with running(tmp_path / "home") as (process, facts):
        before = heights(facts["rpc"])
        os.kill(facts["pids"]["node"], signal.SIGKILL)

        assert process.stderr is not None
        told = process.stderr.readline()
        assert "local chain" in told and "was started again" in told
        log, until = tmp_path / "home/logs/worker.log", time.monotonic() + READY_SECONDS
        while heights(facts["rpc"]) < before + 2:  # By itself, a block a second.
            assert time.monotonic() < until
            time.sleep(PAUSE_SECONDS)
        mine(facts["rpc"], 13)
        while last_seen(log) < before + 15:
            assert time.monotonic() < until and "worker.halted" not in log.read_text()
            time.sleep(PAUSE_SECONDS)


def test_a_halt_is_told_on_the_terminal_with_what_to_look_at(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running(home) as (_, facts):
        old = (home / "chain/state.json").read_bytes()
        until, final = time.monotonic() + READY_SECONDS, heights(facts["rpc"]) + 14
        mine(facts["rpc"], 14)
        while last_seen(home / "logs/worker.log") < final:
            assert time.monotonic() < until
            time.sleep(PAUSE_SECONDS)
    (home / "chain/state.json").write_bytes(old)
    with sqlite3.connect(home / "settle.sqlite3") as records:
        records.execute("UPDATE lane SET state = 'halted', reason = 'a foreign nonce'")

    with running(home) as (process, _):
        assert process.stderr is not None
        told = "".join(process.stderr.readline() for _ in range(3))

    assert "The worker halted and is not started again: " in told
    assert f"settle doctor --home {home}" in told and "settle up --home ANOTHER" in told
    lane = facts["operator"].lower()
    assert f"The lane {lane} is halted: a foreign nonce" in told and "settle lane list" in told


def test_a_lost_chain_is_refused_with_the_way_out(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running(home):
        pass
    (home / "chain/state.json").unlink()

    ran = settle("up", "--home", str(home), "--port", "0")

    assert ran.returncode == 1
    assert "the local chain has lost what the records were founded on: no code at" in ran.stderr
    assert "settle up --home ANOTHER" in ran.stderr


def test_a_node_of_the_environment_is_not_taken_silently(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SETTLE_RPC_URL", "http://127.0.0.1:8545")

    ran = settle("up", "--home", str(tmp_path / "home"), "--port", "0")

    assert ran.returncode == 1
    assert "SETTLE_RPC_URL names a node, http://127.0.0.1:8545" in ran.stderr
    assert "--rpc" in ran.stderr and not (tmp_path / "home").exists()


def test_a_port_in_use_is_named_with_what_to_do(tmp_path: Path) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        ran = settle("up", "--home", str(tmp_path / "home"), "--port", str(port))

    assert ran.returncode == 1
    assert f"port {port} is in use" in ran.stderr
    assert "--port" in ran.stderr
    assert "Traceback" not in ran.stderr
