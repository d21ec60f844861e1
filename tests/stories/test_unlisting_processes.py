"""Real anvil, real worker and admin's signer, SIGKILL: a wallet is unlisted once and stays so."""

import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gateway import wiring
from settlement.signer.socket import serve
from settlement.store import open_engine
from tests.builders.rail import Rail, an_anvil_rail
from tests.builders.registrar import REGISTRAR, admin_signer, changes, is_listed, standing, want
from tests.builders.soundness import assert_sound
from tests.stories.test_worker_processes import Processes


class Server(threading.Thread):
    """A signer behind its socket until it is stopped."""

    def __init__(self, signer: Any, path: Path) -> None:
        self.server = serve(signer, path, wiring.now)
        super().__init__(target=self.server.serve_forever, args=(0.01,))
        self.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.join()


@pytest.fixture
def living(sqlite_url: str, tmp_path: Path) -> Iterator[SimpleNamespace]:
    engine = open_engine(sqlite_url)
    with an_anvil_rail(engine, tmp_path, now=wiring.now(), registrar=REGISTRAR) as rail:
        pays = Server(rail.signer(), wiring.socket_path(rail.settings))
        rail.controls.set_mining_interval(1)
        processes = Processes(rail)
        yield SimpleNamespace(rail=rail, processes=processes)
        for process in processes.started:
            processes.kill(process)
        processes.log.close()
        pays.stop()
    engine.dispose()


@pytest.mark.slow
def test_workers_and_the_admins_signer_killed_again_and_again(living: SimpleNamespace) -> None:
    rail: Rail = living.rail
    processes: Processes = living.processes
    admin = Server(admin_signer(rail), wiring.admin_socket_path(rail.settings))
    worker = processes.start()
    processes.until(lambda: rail.one("SELECT COUNT(*) FROM cursor") > 1)
    (paid,) = rail.instructed()
    processes.until(lambda: rail.state(paid) == "BOOKED")

    admin.stop()
    want(rail, rail.seller_wallet, listed=False)
    (held,) = rail.instructed()
    processes.until(lambda: rail.state(held) == "HELD")
    processes.kill(worker)
    admin = Server(admin_signer(rail), wiring.admin_socket_path(rail.settings))
    worker = processes.start()
    processes.until(lambda: rail.one("SELECT COUNT(*) FROM attempt WHERE kind = 'admin'") > 0)
    processes.kill(worker)  # Signed, perhaps sent, perhaps mined.
    worker = processes.start()
    processes.until(lambda: standing(rail, rail.seller_wallet) == ("unlisted", "unlisted"))
    processes.kill(worker)
    want(rail, rail.seller_wallet, listed=True)
    worker = processes.start()
    processes.until(lambda: set(rail.states().values()) == {"SETTLED"})
    processes.until(lambda: {state for _, state, _ in changes(rail)} == {"FINAL"})
    processes.kill(worker)
    admin.stop()

    assert [effect for effect, *_ in changes(rail)] == ["unlisted", "listed"]
    assert is_listed(rail, rail.seller_wallet)
    assert len(rail.paid_logs()) == 2
    assert_sound(rail)
