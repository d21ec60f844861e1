"""What works beside the rail while it is measured: the signer in its process, and a miner.

Measures only how long the miner was waited for, and the memory of the signer.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from settlement.chain.anvil_controls import AnvilControls
from settlement.chain.signing import KeyPair


class Miner:
    """Mines on request in a thread: the chain works while the rail does."""

    def __init__(self, controls: AnvilControls) -> None:
        self._controls = controls
        self._wanted = 0
        self._changed = threading.Condition()
        self._stopped = False
        self.waited = 0.0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def ask(self, blocks: int) -> None:
        with self._changed:
            self._wanted = max(self._wanted, blocks)
            self._changed.notify_all()

    def wait(self) -> None:
        began = time.perf_counter()
        with self._changed:
            while self._wanted:
                self._changed.wait()
        self.waited += time.perf_counter() - began

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._wanted and not self._stopped:
                    self._changed.wait()
                if self._stopped:
                    return
                blocks = self._wanted
            self._controls.mine(blocks)
            with self._changed:
                self._wanted = 0
                self._changed.notify_all()


@contextmanager
def signer_process(folder: Path, operator: KeyPair) -> Iterator[None]:
    """The signer in a process of its own, as `settle up` runs it."""
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_serve_signer, args=(folder, operator.key), daemon=True)
    process.start()
    until = time.monotonic() + 30
    while not (folder / "signer.sock").exists() and time.monotonic() < until:
        time.sleep(0.05)
    try:
        yield
    finally:
        process.terminate()
        process.join()


def _serve_signer(folder: Path, key: bytes) -> None:
    from gateway import wiring
    from settlement.config import Settings
    from settlement.signer.socket import serve

    settings = Settings(home=folder)
    server = serve(
        wiring.intent_signer(settings, KeyPair.of(key)),
        wiring.socket_path(settings),
        wiring.now,
    )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server.serve_forever()


def signer_rss_mb() -> float:
    """Return the peak memory of the signer's process, as the kernel counts it now."""
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            lines = dict(
                line.split(":", 1) for line in status.read_text().splitlines() if ":" in line
            )
            command = (status.parent / "cmdline").read_bytes()
        except (OSError, ValueError):
            continue
        if int(lines.get("PPid", "0")) == os.getpid() and b"spawn_main" in command:
            return int(lines["VmHWM"].split()[0]) / 1024
    return 0.0
