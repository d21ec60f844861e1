"""One installation on one machine: its home, keys and child processes, started and ended together.

Knows how the parts are started; not what they do.
"""

from __future__ import annotations

import fcntl
import os
import random
import re
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from gateway import processes
from gateway.kept_node import KeptNode
from settlement.config import Settings
from settlement.errors import Conflict, Refused
from settlement.signer.socket import near

_READY_SECONDS = 90
"""A busy machine takes its time; a part that ends is noticed at once."""
_END_SECONDS = 10
_RESTART_SECONDS = 1.0
_OWN_PORTS = range(20_000, 32_000)
_PORTS_TRIED = 100


class AlreadyRunning(Conflict):
    """Another `settle up` uses this home."""

    def __init__(self, home: Path) -> None:
        super().__init__(
            f"another settle is running in {home}",
            field="--home",
            repair="stop it first, or give this one a home of its own with --home",
        )


class PortTaken(Conflict):
    """Something listens on the gateway's port."""

    def __init__(self, port: int) -> None:
        super().__init__(
            f"port {port} is in use",
            field="--port",
            repair="stop what listens there, or choose another with --port (0 takes a free one)",
        )


class PartFailed(Refused):
    """A child process ended before it was ready; the end of its log is told."""


@dataclass(slots=True)
class Part:
    """A child process and how to start it again."""

    name: str
    arguments: tuple[str, ...]
    password: str | None
    log_path: Path
    process: subprocess.Popen[bytes]


@dataclass(slots=True)
class Supervisor:
    """Starts signer, worker and gateway for `settings`, restarts what dies, ends all."""

    settings: Settings
    environment: Mapping[str, str] = field(default_factory=dict)
    node: KeptNode | None = None
    """The chain of one's own, where there is one."""
    _parts: dict[str, Part] = field(default_factory=dict)

    def start(
        self, name: str, *arguments: str, password: str | None = None, command: str = ""
    ) -> Part:
        """Start `settle COMMAND ARGUMENTS` as the part `name`, its output going to a log in `home`.

        The command is the part's name where none is given.
        """
        arguments = (command or name, *arguments)
        log_path = self.settings.home / "logs" / f"{name}.log"
        log_path.parent.mkdir(parents=True, exist_ok=True)
        process = self._spawn(arguments, password, log_path)
        part = Part(name, arguments, password, log_path, process)
        self._parts[name] = part
        return part

    def await_signer(self, name: str = "signer") -> None:
        """Return when a signer answers on its socket, which has its part's name.

        Raises:
            PartFailed: it ended, or is not ready in time.
        """
        file = self.settings.home / f"{name}.sock"

        def answers() -> bool:
            with near(file) as path, socket.socket(socket.AF_UNIX) as probe:
                return probe.connect_ex(path) == 0

        self._await(name, answers)

    def await_gateway(self, url: str) -> None:
        """Return when the gateway answers.

        Raises:
            PartFailed: it ended, or is not ready in time.
        """

        def answers() -> bool:
            try:
                urllib.request.urlopen(f"{url}/healthz", timeout=2).close()
            except urllib.error.HTTPError:
                return True  # It speaks; whether it is well is not asked here.
            except (urllib.error.URLError, OSError):
                return False
            return True

        self._await("gateway", answers)

    def watch(
        self,
        stop: threading.Event,
        tell: Callable[[str], None] = print,
        look: Callable[[], Iterable[str]] = tuple,
    ) -> None:
        """Start again what ends by itself, until told to stop; what halted waits for a person.

        What a person has to know of is told once, in a line: a halt, the chain's end, and whatever
        `look` finds.
        """
        told: set[str] = set()
        while not stop.wait(_RESTART_SECONDS):
            for line in [] if self.node is None else self.node.keep(time.monotonic()):
                tell(line)
            found = {*(self._halt(part) for part in self._parts.values() if _halted(part)), *look()}
            for line in sorted(found - told):
                tell(line)
            told = found
            for part in self._parts.values():
                if part.process.poll() is not None and not _halted(part):
                    part.process = self._spawn(part.arguments, part.password, part.log_path)

    def stop(self) -> None:
        """End every part, the last started first; kill what does not end in time."""
        for part in reversed(self._parts.values()):
            if part.process.poll() is None:
                part.process.send_signal(signal.SIGTERM)
        for part in reversed(self._parts.values()):
            try:
                part.process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                part.process.kill()
                part.process.wait()
        self._parts.clear()

    def pids(self) -> dict[str, int]:
        """Return the process ids of the parts."""
        node = {} if self.node is None else {"node": self.node.anvil.pid}
        return {name: part.process.pid for name, part in self._parts.items()} | node

    def _halt(self, part: Part) -> str:
        words = part.log_path.read_text(errors="replace").splitlines()
        last = next((line for line in reversed(words) if ".halted" in line), "")
        line = (
            f"The {part.name} halted and is not started again: {_said(last)}."
            f" Look with `settle doctor --home {self.settings.home}` and `settle lane list`."
        )
        if self.node is None:
            return line
        return (
            f"{line} If the local chain has lost blocks that were final, these records cannot go on"
            " with it: keep them for reading, and begin anew with `settle up --home ANOTHER`."
        )

    def _spawn(
        self, arguments: tuple[str, ...], password: str | None, log_path: Path
    ) -> subprocess.Popen[bytes]:
        read_end: int | None = None
        if password is not None:
            read_end, write_end = os.pipe()
            os.write(write_end, password.encode() + b"\n")
            os.close(write_end)
            arguments = (*arguments, "--password-fd", str(read_end))
        try:
            with log_path.open("ab") as log:
                return subprocess.Popen(
                    processes.command(*arguments),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    pass_fds=() if read_end is None else (read_end,),
                    env=processes.child_environment(self._variables()),
                )
        finally:
            if read_end is not None:
                os.close(read_end)

    def _variables(self) -> dict[str, str]:
        settings = self.settings
        return {
            "SETTLE_HOME": str(settings.home.absolute()),
            "SETTLE_DATABASE_URL": settings.database_url,
            "SETTLE_RPC_URL": settings.rpc_url,
            "SETTLE_RPC_URL_SECOND": settings.rpc_url_second,
            "SETTLE_HOST": settings.host,
            "SETTLE_PORT": str(settings.port),
            "SETTLE_OPERATORS": str(settings.operators),
            **self.environment,
        }

    def _await(self, name: str, answers: object) -> None:
        assert callable(answers)
        part = self._parts[name]
        until = time.monotonic() + _READY_SECONDS
        while time.monotonic() < until:
            if part.process.poll() is not None:
                break
            if answers():
                return
            time.sleep(0.05)
        tail = part.log_path.read_text(errors="replace")[-600:].strip()
        raise PartFailed(f"the {name} did not start: {tail}", repair=f"see {part.log_path}")


def _halted(part: Part) -> bool:
    return part.process.poll() == processes.HALTED


def _said(line: str) -> str:
    """Return what a line of a log gives as its error, or the line."""
    found = re.search(r"""error=(?:'([^']*)'|"([^"]*)")""", line)
    return (found[1] or found[2]) if found else line.strip() or "its log does not say why"


def lock_home(home: Path) -> IO[str]:
    """Take the home folder for this process until the returned file is closed.

    Raises:
        AlreadyRunning: another process has it.
    """
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = (home / "lock").open("a")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise AlreadyRunning(home) from None
    return lock


def free_port(port: int, host: str = "127.0.0.1") -> int:
    """Return `port` if nothing listens there, or a free one for 0.

    A free one is below those that the system hands out itself: the gateway takes it only seconds
    later, and no connection that is opened meanwhile may have it.

    Raises:
        PortTaken: something listens there.
    """
    wanted = [port] if port else random.sample(_OWN_PORTS, _PORTS_TRIED)
    for each in wanted:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, each))
            except OSError:
                continue
            return each
    raise PortTaken(port)
