"""Which processes of a rail run: started by fork or by the installed command, killed, replaced.

Knows roles and process ids; not what a process does.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tests.builders.rail import OPERATOR
from tests.simulation.real_patience import Patience
from tests.simulation.real_rail import PASSWORD, RealRail
from tests.simulation.real_zygote import Life, Orders, Zygote

ROLES = ("signer", "gateway", "worker")
END_SECONDS = 20
SETTLE = Path(sys.executable).with_name("settle")


class InstalledLife(Life):
    """A process of the installed command, started by exec."""

    def __init__(self, role: str, process: subprocess.Popen[bytes]) -> None:
        super().__init__(role, process.pid)
        self._process = process

    def look(self) -> None:
        """Note whether it has ended."""
        self.code = self._process.poll()


class StillAlive(Exception):
    """A process did not end although it was killed."""


@dataclass
class Lives:
    """The living processes of one rail, one of each role; a second worker stands apart."""

    rail: RealRail
    zygote: Zygote
    current: dict[str, Life] = field(default_factory=dict)
    apart: list[Life] = field(default_factory=list)
    restarts_by_exec: int = 0
    bad_ends: list[str] = field(default_factory=list)
    """Processes that ended by themselves, which none should."""
    may_end: bool = False
    """The database is stopped or no file can be written: a process may stop by itself then."""
    _installed: list[InstalledLife] = field(default_factory=list)

    def start(self, role: str, *, failpoint: str = "", passes: int = 1) -> Life:
        """Fork a life; whoever had the role before is killed first."""
        self.kill(role)
        self.current[role] = life = self.fork(role, failpoint=failpoint, passes=passes)
        return life

    def fork(self, role: str, *, failpoint: str = "", passes: int = 1) -> Life:
        """Fork a life that takes nobody's place."""
        key = OPERATOR.key.hex() if role == "signer" else ""
        log = str(self.log(role))
        return self.zygote.start(Orders(role, self.rail.environment(), log, failpoint, passes, key))

    def start_installed(self, role: str) -> Life:
        """Start `settle ROLE` as a user would."""
        self.kill(role)
        arguments, descriptors = [role], ()
        if role == "signer":
            read_end, write_end = os.pipe()
            os.write(write_end, PASSWORD.encode() + b"\n")
            os.close(write_end)
            arguments += ["--keystore", str(self.rail.keystore), "--password-fd", str(read_end)]
            descriptors = (read_end,)
        clean = {name: text for name, text in os.environ.items() if not name.startswith("SETTLE_")}
        with self.log(role).open("ab") as log:
            process = subprocess.Popen(
                [SETTLE, *arguments],
                env={**clean, **self.rail.environment()},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=descriptors,
            )  # fmt: skip
        for descriptor in descriptors:
            os.close(descriptor)
        self.restarts_by_exec += 1
        life = InstalledLife(role, process)
        self._installed.append(life)
        self.current[role] = life
        return life

    def look(self, seconds: float = 0.0) -> None:
        """Note which have ended; wait so long for news."""
        self.zygote.look(seconds)
        for life in self._installed:
            life.look()

    def is_alive(self, role: str) -> bool:
        """Whether the role is filled."""
        self.look()
        life = self.current.get(role)
        return life is not None and life.code is None

    def kill(self, role: str) -> None:
        """End whoever has the role by SIGKILL, and wait for the end."""
        life = self.current.pop(role, None)
        if life is not None:
            self.end(life)

    def replace_the_ended(self) -> None:
        """Start anew whoever has ended, but for the worker: its turn comes."""
        for role in ("signer", "gateway"):
            if not self.is_alive(role):
                self.start(role)

    def end(self, life: Life, what: signal.Signals = signal.SIGKILL) -> None:
        """End a life and wait until it is gone.

        Raises:
            StillAlive: it is not.
        """
        self.look()
        if life.code is None:
            life.signal(what)
        patience = Patience(END_SECONDS)
        while life.code is None:
            self.look(0.02)
            if not patience.lasts():
                raise StillAlive(f"{life.role} {life.pid}")
        self.judge_end(life)

    def end_all(self) -> None:
        """End every process of the rail."""
        for role in ROLES:
            self.kill(role)
        for life in self.apart:
            life.signal(signal.SIGCONT)
            self.end(life)
        self.apart.clear()

    def log(self, role: str) -> Path:
        """Return where a role says what it does."""
        return self.rail.folder / f"{role}.log"

    def judge_end(self, life: Life) -> None:
        """Note an end that nobody asked for; each life is judged once."""
        if life.is_judged:
            return
        life.is_judged = True
        if self.may_end:
            return  # Whoever watches starts it again.
        if life.code not in (0, -signal.SIGKILL) and -(life.code or 0) not in life.asked:
            said = self.log(life.role).read_text(errors="replace")[-600:]
            self.bad_ends.append(f"{life.role} ended by itself with {life.code}: {said}")
