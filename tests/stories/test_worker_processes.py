"""A real worker process, killed at several places and started again: nobody is paid twice."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from gateway import wiring
from settlement.signer.socket import serve
from settlement.store import open_engine
from tests.builders.rail import Rail, an_anvil_rail
from tests.builders.soundness import assert_sound

SECONDS_MAX = 180
FIRST_SEND_SECONDS_MAX = 20
"""Ten where nothing else runs; as much again for a machine that is busy with other tests."""


class Processes:
    """Workers of one installation, each a process of its own."""

    def __init__(self, rail: Rail) -> None:
        self.environment = {
            **os.environ,
            "SETTLE_HOME": str(rail.folder),
            "SETTLE_DATABASE_URL": rail.engine.url.render_as_string(hide_password=False),
            "SETTLE_RPC_URL": rail.rpc_url,
        }
        self.started: list[subprocess.Popen[bytes]] = []
        self.log_path = rail.folder / "worker.log"
        self.log = self.log_path.open("wb")

    def start(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "gateway", "worker"],
            env=self.environment,
            stdout=self.log,
            stderr=self.log,
        )
        self.started.append(process)
        return process

    def until(self, reached: Callable[[], bool]) -> float:
        """Look again and again while the newest worker runs; return the seconds it took."""
        began = time.monotonic()
        pause = threading.Event()
        while not reached():
            said = self.log_path.read_text()[-2000:]
            assert self.started[-1].poll() is None, f"the worker has ended: {said}"
            assert time.monotonic() - began < SECONDS_MAX, f"not reached in time: {said}"
            pause.wait(0.02)
        return time.monotonic() - began

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        process.send_signal(signal.SIGKILL)
        process.wait(60)


@pytest.fixture
def living(sqlite_url: str, tmp_path: Path) -> Iterator[tuple[Rail, Processes]]:
    """A rail whose chain mines every second, its signer, and processes to be started."""
    engine: Engine = open_engine(sqlite_url)
    with an_anvil_rail(engine, tmp_path, now=wiring.now()) as rail:
        server = serve(rail.signer(), wiring.socket_path(rail.settings), wiring.now)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        rail.controls.set_mining_interval(1)
        processes = Processes(rail)
        yield rail, processes
        for process in processes.started:
            processes.kill(process)
        processes.log.close()
        server.shutdown()
        server.server_close()
        thread.join()
    engine.dispose()


@pytest.mark.slow
def test_a_worker_killed_again_and_again_pays_everybody_once(
    living: tuple[Rail, Processes],
) -> None:
    rail, processes = living
    worker = processes.start()
    processes.until(lambda: rail.one("SELECT COUNT(*) FROM cursor") > 0)
    keys = rail.instructed(2)

    processes.until(lambda: rail.one("SELECT COUNT(*) FROM attempt") > 0)
    processes.kill(worker)  # Signed, perhaps sent.
    keys += rail.instructed(1)
    worker = processes.start()
    waited = processes.until(
        lambda: rail.one("SELECT COUNT(*) FROM attempt WHERE first_sent_at IS NOT NULL") > 1
    )
    processes.until(lambda: "BOOKED" in rail.states().values())
    processes.kill(worker)  # Booked, not final.
    worker = processes.start()
    processes.until(lambda: set(rail.states().values()) == {"SETTLED"})
    worker.send_signal(signal.SIGTERM)

    assert worker.wait(60) == 0
    assert waited < FIRST_SEND_SECONDS_MAX
    assert rail.lane().lease_owner is None, "given up in good order"
    assert len(rail.paid_logs()) == len(keys)
    assert_sound(rail)
