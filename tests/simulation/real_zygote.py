"""A preloaded parent that forks workers, signers and gateways, and tells how each of them ended.

Everything is imported once, so a life costs a fork. Run as a program it is that parent; `Zygote`
is its owner's handle. What it runs is what the installed commands run.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
STARTED_SECONDS = 60
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Orders:
    """What a life is: a worker, a signer or a gateway, and where it is to die."""

    role: str
    environment: Mapping[str, str]
    """SETTLE_… settings, as the installed command reads them."""
    log: str
    failpoint: str = ""
    """Empty: it lives until somebody ends it."""
    passes: int = 1
    """It dies when execution passes there for this time."""
    key: str = field(default="", repr=False)
    """A signer's private key, in hex; the installed command reads a key file instead."""


class Life:
    """A process that was started: its id, and its exit code once it has ended."""

    def __init__(self, role: str, pid: int) -> None:
        self.role, self.pid = role, pid
        self.code: int | None = None
        self.asked: set[int] = set()
        """Signals that it was sent from outside."""
        self.is_judged = False

    def signal(self, what: signal.Signals) -> None:
        """Send it a signal; nothing happens if it has ended."""
        self.asked.add(what)
        try:
            os.kill(self.pid, what)
        except ProcessLookupError:
            return


class Zygote:
    """The parent process; a context manager. All lives end with it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.simulation.real_zygote"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._lives: dict[int, Life] = {}
        self._ends: dict[int, int] = {}
        """Of lives that ended before anybody knew them."""
        self._buffer = b""

    def __enter__(self) -> Zygote:
        return self

    def __exit__(self, *_error: object) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(STARTED_SECONDS)
        self._process.stdout.close()

    def start(self, orders: Orders) -> Life:
        """Fork a life and return when it has its process id."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asdict(orders)).encode() + b"\n")
        self._process.stdin.flush()
        deadline = time.monotonic() + STARTED_SECONDS
        while time.monotonic() < deadline:
            for message in self._heard(1.0):
                if "pid" in message:
                    life = self._lives[message["pid"]] = Life(orders.role, message["pid"])
                    return life
        raise RuntimeError("the preloaded parent does not answer")

    def look(self, seconds: float = 0.0) -> None:
        """Note which lives have ended; wait so long for news."""
        for message in self._heard(seconds):
            assert "pid" not in message, "nobody asked for a life"

    def _heard(self, seconds: float) -> list[dict[str, Any]]:
        assert self._process.stdout is not None
        stream = self._process.stdout.fileno()
        found: list[dict[str, Any]] = []
        if select.select([stream], [], [], seconds)[0]:
            read = os.read(stream, 65536)
            if not read:
                raise RuntimeError("the preloaded parent has ended")
            *lines, self._buffer = (self._buffer + read).split(b"\n")
            for line in lines:
                message = json.loads(line)
                if "ended" in message:
                    self._ends[message["ended"]] = message["code"]
                else:
                    found.append(message)
        for pid in [pid for pid in self._ends if pid in self._lives]:
            self._lives.pop(pid).code = self._ends.pop(pid)
        return found


def _main() -> None:
    """Fork what is ordered on standard input until that ends; then end every life."""
    import tests.simulation.real_roles as roles  # Loads the whole product, before any fork.

    gc.collect()
    gc.freeze()  # What all share is not looked through, nor copied, by each.
    wake, told = os.pipe()
    os.set_blocking(told, False)
    signal.set_wakeup_fd(told)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    living: set[int] = set()
    waiting = b""
    while True:
        ready = select.select([0, wake], [], [])[0]
        if wake in ready:
            os.read(wake, 4096)
            _reap(living)
        if 0 in ready:
            read = os.read(0, 65536)
            if not read:
                break
            *lines, waiting = (waiting + read).split(b"\n")
            for line in lines:
                pid = _forked(roles, Orders(**json.loads(line)), (wake, told))
                living.add(pid)
                _say({"pid": pid})
    for pid in living:
        os.kill(pid, signal.SIGKILL)
    while living:
        living.discard(os.wait()[0])


def _forked(roles: Any, orders: Orders, pipes: tuple[int, int]) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for pipe in pipes:
            os.close(pipe)
        log = os.open(orders.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for ours, theirs in ((nothing, 0), (log, 1), (log, 2)):
            os.dup2(ours, theirs)
        code = roles.live(orders)
    finally:
        # Never back into the parent's loop, whatever happened.
        if sys.exc_info()[0] is not None:
            sys.excepthook(*sys.exc_info())
        sys.stdout.flush()
        os._exit(code)
    return 0


def _reap(living: set[int]) -> None:
    while living:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        living.discard(pid)
        _say({"ended": pid, "code": os.waitstatus_to_exitcode(status)})


def _say(message: dict[str, int]) -> None:
    os.write(1, json.dumps(message).encode() + b"\n")


if __name__ == "__main__":
    _main()
