"""What goes wrong around the processes: the node lies, the chain reorganises, disk or server fail.

Changes the world only; who is killed, and where, is the schedule's.
"""

from __future__ import annotations

import resource
import signal
import sqlite3
import time
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path
from random import Random

from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from settlement.store import transaction
from tests.simulation.real_lives import Lives
from tests.simulation.real_rail import PostgresDatabase, RealRail, SqliteDatabase
from tests.simulation.real_zygote import Life

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
_REORGS = ("follow.after_orphan", "reorg.")
_STARVED = ("bump.",)
_TIP = "SELECT number, hash FROM cursor WHERE name = 'head'"
_FINAL = "SELECT number FROM cursor WHERE name = 'final'"


class Weather:
    """The faults of one schedule; `struck` counts them by kind."""

    def __init__(self, rail: RealRail, lives: Lives, draw: Random) -> None:
        self.rail, self.lives, self.draw = rail, lives, draw
        self.struck: Counter[str] = Counter()
        self.kind = "calm"
        self._is_due = False
        self._proxied: Counter[str] = Counter()
        self._holders: set[str | None] = set()

    def begin(self, kind: str) -> None:
        """Let this weather come up, before the one that is to die is started."""
        self.kind, self._is_due = kind, True
        if kind == "rpc":
            self._proxied = Counter(self.rail.proxy.struck)
            for fault, terms in self.draw.sample(RPC_FAULTS, 2):
                count, skip = self.draw.randint(1, 3), self.draw.randint(0, 4)
                self.rail.proxy.arm(fault, count=count, skip=skip, percent=60, **terms)
        if kind == "zombie":
            self._stop_a_worker()

    def clear(self) -> None:
        """End what has been begun."""
        if self.kind == "rpc":
            self.rail.proxy.disarm()
            for fault, times in (Counter(self.rail.proxy.struck) - self._proxied).items():
                self.struck[f"rpc {fault}"] += times
        for life in self.lives.apart:
            self._wake(life)
            self.lives.end(life)
        self.lives.apart.clear()
        if self.lives.may_end:
            self.lives.replace_the_ended()
            self.lives.may_end = False
        self.kind = "calm"

    def strike(self, doomed: Life) -> None:
        """Do once what this weather does to a running process or to its database."""
        kind, self._is_due = self.kind, False
        if kind == "database" and isinstance(self.rail.database, PostgresDatabase):
            server = self.rail.database.server
            self.lives.may_end = True
            server.crash()
            self.lives.look(self.draw.random() / 2)
            server.restart()
            self.struck["database stopped at once"] += 1
        elif kind in ("database", "disk") and doomed.code is None:
            self.lives.may_end = True
            refuse_writes(doomed.pid)
            self.lives.look(0.1 + self.draw.random() / 2)
            allow_writes(doomed.pid)
            self.struck["writes refused"] += 1

    @property
    def is_due(self) -> bool:
        """Whether this weather has something to do that it has not done yet."""
        return self._is_due and self.kind in ("database", "disk")

    def step(self, failpoint: str) -> bool:
        """Let the chain go on by a step if the worker is abreast of it; say whether it did."""
        if self.kind == "zombie" and self._is_due and self._lease_holders() != self._holders:
            self._is_due = False
            for sleeper in self.lives.apart:
                self._wake(sleeper)
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

    def _stop_a_worker(self) -> None:
        """Stop a worker where it stands, with its lease; it wakes up when that is another's."""
        if not self.lives.is_alive("worker"):
            self.lives.start("worker")
        deadline = time.monotonic() + 0.3 + self.draw.random()
        while time.monotonic() < deadline:
            self.lives.look(0.01)
            self.step("")
        sleeper = self.lives.current.pop("worker")
        sleeper.signal(signal.SIGSTOP)
        while not self._others_can_write():
            # Inside a database transaction it would hold up everybody: that is another fault.
            sleeper.signal(signal.SIGCONT)
            self.lives.look(0.02)
            sleeper.signal(signal.SIGSTOP)
            self.struck["stopped inside a database transaction"] += 1
        self.lives.apart.append(sleeper)
        self._holders = self._lease_holders()
        self.struck["stopped past its lease"] += 1

    def _lease_holders(self) -> set[str | None]:
        return {row.lease_owner for row in self.rail.rows("SELECT lease_owner FROM lane")}

    def _others_can_write(self) -> bool:
        """Whether no stopped process holds the lanes' rows, or the file, locked."""
        database = self.rail.database
        if isinstance(database, SqliteDatabase):
            return _is_free(database.file)
        try:
            with transaction(self.rail.engine) as session:
                session.execute(text("SET LOCAL lock_timeout = '200ms'"))
                session.execute(text("UPDATE lane SET reason = reason"))
        except OperationalError:
            return False
        return True

    def _wake(self, sleeper: Life) -> None:
        """Let it find out that its lease is gone, or take it back."""
        sleeper.signal(signal.SIGCONT)
        self.lives.look(0.3)


def _is_free(file: Path) -> bool:
    """Whether the one place of SQLite's writer can be had."""
    with closing(sqlite3.connect(file, timeout=0.2, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        connection.execute("ROLLBACK")
    return True


def refuse_writes(pid: int) -> None:
    """Let every write of a process to any file fail from now on, as a full quota does."""
    _limit_files(pid, 0)


def allow_writes(pid: int) -> None:
    """Let it write again."""
    _limit_files(pid, resource.RLIM_INFINITY)


def _limit_files(pid: int, size: int) -> None:
    with suppress(ProcessLookupError):  # It may have died meanwhile.
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
