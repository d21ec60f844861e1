"""What a forked life does: a worker, a signer or a gateway, as the installed commands run them.

In place of the command line's own start it arms one failpoint: there the process kills itself.
"""

from __future__ import annotations

import importlib
import os
import signal
import threading
from contextlib import ExitStack
from typing import Any

from gateway import processes, wiring
from gateway.app import create_app
from gateway.serving import listen, serve
from gateway.worker import Worker
from settlement.chain.evm import EvmChain
from settlement.chain.signing import KeyPair
from settlement.config import Settings
from settlement.documents.rules_engine import RulesEngine
from settlement.signer.socket import SocketSigner
from settlement.signer.socket import serve as serve_signer
from tests.simulation.failpoints import armed

importlib.import_module("pydantic.v1")  # FastAPI asks for it when an application is made.
PRELOADED = (Worker, EvmChain, SocketSigner)
"""Named here so that they are in memory before the first fork."""


def live(orders: Any) -> int:
    """Run a role until it is told to stop, or until it dies at its failpoint."""
    for name in [name for name in os.environ if name.startswith("SETTLE_")]:
        del os.environ[name]
    os.environ.update(orders.environment)
    with ExitStack() as stack:
        if orders.failpoint:
            stack.enter_context(armed(Mortal(orders.failpoint, orders.passes)))
        settings = Settings()
        return _ROLES[orders.role](settings, orders)


class Mortal:
    """A hook that ends this very process, as `kill -9` does, at the nth pass of one failpoint."""

    def __init__(self, failpoint: str, passes: int) -> None:
        self._failpoint, self._left = failpoint, passes

    def __call__(self, name: str) -> None:
        """Note a pass."""
        if name != self._failpoint:
            return
        self._left -= 1
        if self._left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)


def _worker(settings: Settings, _orders: Any) -> int:
    stop = processes.stop_event()
    return processes.run_worker(lambda: wiring.worker(settings), stop)


def _signer(settings: Settings, orders: Any) -> int:
    keys = KeyPair.of(bytes.fromhex(orders.key))
    signer = wiring.intent_signer(settings, keys)
    server = serve_signer(signer, wiring.socket_path(settings), wiring.now)
    stop = processes.stop_event()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    stop.wait()
    server.shutdown()
    return 0


def _gateway(settings: Settings, _orders: Any) -> int:
    # Its judge of XML stays asleep: what is sent here is JSON.
    judge = RulesEngine()
    chain = wiring.open_chain(settings)
    app = create_app(wiring.open_database(settings), settings, chain=chain, rules=judge)
    serve(app, listen(settings.host, settings.port))
    return 0


_ROLES = {"worker": _worker, "signer": _signer, "gateway": _gateway}
