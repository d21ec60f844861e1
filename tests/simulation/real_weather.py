"""What goes wrong around the processes: the node lies, the chain reorganises, disk or server fail.

Changes the world only; who is killed, and where, is the schedule's.
"""

from __future__ import annotations

import resource
import signal
import time
from collections import Counter
from random import Random

from tests.simulation.real_lives import Lives
from tests.simulation.real_rail import PostgresDatabase, RealRail

RPC_FAULTS: tuple[tuple[str, dict[str, int | str]], ...] = (
    ("drop_before", {}),
    ("drop_before", {"method": "eth_sendRawTransaction"}),
    ("drop_after", {}),
    ("drop_after", {"method": "eth_sendRawTransaction"}),
    ("reset", {"method": "eth_sendRawTransaction"}),
    ("delay", {"number": 150}),
    ("duplicate", {}),
    ("stale_head", {"number": 2}),
    ("truncated", {}),
    ("too_many", {"number": 1}),
    ("server_error", {"number": 503}),
    ("server_error_after", {"number": 502, "method": "eth_sendRawTransaction"}),
    ("swallow", {}),
    ("null", {}),
    ("no_logs", {}),
    ("partial_logs", {"number": 30}),
    ("wrong_id", {}),
)
REORG_DEPTH_MAX = 5
"""Well below finality, also where several follow each other without a block in between."""
_REORGS = ("follow.after_orphan", "reorg.", "ledger.")
_STARVED = ("bump.",)
_TIP = "SELECT number, hash FROM cursor WHERE name = 'head'"
_FINAL = "SELECT number FROM cursor WHERE name = 'final'"


class Weather:
    """The faults of one schedule; `struck` counts them by kind."""

    def __init__(self, rail: RealRail, lives: Lives, draw: Random) -> None:
        self.rail, self.lives, self.draw = rail, lives, draw
        self.struck: Counter[str] = Counter()
        self.kind = "calm"
        self._proxied: Counter[str] = Counter()

    def begin(self, kind: str) -> None:
        """Let this weather come up, before the one that is to die is started."""
        self.kind = kind
        if kind == "rpc":
            self._proxied = Counter(self.rail.proxy.struck)
            for fault, terms in self.draw.sample(RPC_FAULTS, 2):
                count, skip = self.draw.randint(1, 3), self.draw.randint(0, 4)
                self.rail.proxy.arm(fault, count=count, skip=skip, percent=60, **terms)
        if kind == "zombie":
            self._zombie()

    def clear(self) -> None:
        """End what has been begun."""
        if self.kind == "rpc":
            self.rail.proxy.disarm()
            for fault, times in (Counter(self.rail.proxy.struck) - self._proxied).items():
                self.struck[f"rpc {fault}"] += times
        for life in self.lives.apart:
            life.signal(signal.SIGCONT)
            self.lives.end(life)
        self.lives.apart.clear()
        self.kind = "calm"

    def step(self, failpoint: str) -> bool:
        """Let the chain go on by a step if the worker is abreast of it; say whether it did."""
        if not self.is_abreast():
            return False
        controls = self.rail.controls
        if failpoint.startswith(_STARVED):
            controls.drop_all()
            controls.mine()
            self.struck["dropped pool"] += 1
        elif failpoint.startswith(_REORGS) or (self.kind == "reorgs" and self.draw.random() < 0.3):
            self._reorg()
        elif self.kind == "reorgs" and self.draw.random() < 0.2:
            controls.drop_all()
            self.struck["dropped pool"] += 1
            controls.mine()
        else:
            controls.mine(self.draw.choice((1, 1, 1, 4)))
        return True

    def is_abreast(self) -> bool:
        """Whether the newest block of the node is the newest that is stored."""
        tips = self.rail.rows(_TIP)
        return bool(tips) and tips[0].hash == self.rail.chain.head().hash

    def _reorg(self) -> None:
        """Replace the newest blocks; what was in them is forgotten, or comes in again elsewhere."""
        head = self.rail.chain.head().number
        final = max((row.number for row in self.rail.rows(_FINAL)), default=head)
        depth = min(self.draw.randint(1, REORG_DEPTH_MAX), head - final)
        if depth < 1:
            self.rail.controls.mine(2)
            return
        again = []
        if self.draw.random() < 0.5:
            rows = self.rail.rows(
                "SELECT a.raw FROM receipt r JOIN attempt a ON a.hash = r.tx_hash"
                " JOIN chain_tx c ON c.id = a.chain_tx_id WHERE r.block_number > :above"
                " ORDER BY c.nonce",
                above=head - depth,
            )
            again = [(bytes(row.raw), depth - 1) for row in rows]
        self.rail.controls.reorg(depth, again)
        self.struck["reorg included again" if again else "reorg"] += 1
        self.rail.controls.mine()

    def _zombie(self) -> None:
        """Stop a worker where it stands; another takes its place, and it wakes up later."""
        if not self.lives.is_alive("worker"):
            self.lives.start("worker")
        sleeper = self.lives.current.pop("worker")
        deadline = time.monotonic() + self.draw.random()
        while time.monotonic() < deadline:
            self.lives.look(0.01)
            self.step("")
        sleeper.signal(signal.SIGSTOP)
        self.lives.apart.append(sleeper)
        self.struck["stopped past its lease"] += 1


def refuse_writes(pid: int) -> None:
    """Let every write of a process to any file fail from now on, as a full quota does."""
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))


def allow_writes(pid: int) -> None:
    """Let it write again."""
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def crash_server(rail: RealRail, seconds: float) -> None:
    """Stop the database's server at once, and start it again after a while."""
    assert isinstance(rail.database, PostgresDatabase)
    rail.database.server.crash()
    time.sleep(seconds)
    rail.database.server.restart()
