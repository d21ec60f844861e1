"""One life of a worker process: it runs stage by stage, stops where it is told to, and may die.

Between two stages it simply is not asked to go on. To stop in the midst of one it needs a thread,
which runs only while the driver waits for it: the system's scheduler never decides anything.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.exc import OperationalError

from gateway.worker import Progress, Worker


class DiskError(sqlite3.OperationalError):
    """The database's file could not be written, or nobody knows whether it was."""


class Crash(BaseException):
    """Stands for a process that ends at this very place; nobody may catch it."""


@dataclass(slots=True)
class Orders:
    """What is to happen at the nth passage of a failpoint from now."""

    crashes: dict[str, int] = field(default_factory=dict)
    pauses: dict[str, int] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)
    """Commits that fail, or succeed without saying so."""

    def clear(self) -> None:
        """Forget everything that did not happen."""
        self.crashes.clear()
        self.pauses.clear()
        self.errors.clear()

    def reach(self, name: str, tell: Callable[[str], None]) -> None:
        """Let happen what was ordered for this passage.

        Raises:
            Crash: the process ends here.
            DiskError: the database says so.
        """
        if self.is_due(self.crashes, name):
            raise Crash(name)
        if self.is_due(self.errors, name):
            tell(f"disk.{name}")
            raise DiskError("disk I/O error")

    @staticmethod
    def is_due(planned: dict[str, int], name: str) -> bool:
        """Count a passage; say whether it is the one."""
        if name not in planned:
            return False
        planned[name] -= 1
        if planned[name] > 0:
            return False
        del planned[name]
        return True


class Life:
    """A worker that was started, or is about to be."""

    def __init__(
        self,
        open_worker: Callable[[], Worker],
        clock: Callable[[], datetime],
        orders: Orders,
        is_writing: Callable[[], bool],
        tell: Callable[[str], None],
    ) -> None:
        self._open_worker, self._clock, self._tell = open_worker, clock, tell
        self._orders, self._is_writing = orders, is_writing
        self._stages: Iterator[str] | None = None
        self._halfway: _Halfway | None = None
        self._ident = 0
        self.worker: Worker | None = None
        self.alive = True
        self.crashed_at: str | None = None
        self.at = "unborn"
        """Where it has stopped: before a stage, at a failpoint, `idle`, or how it ended."""
        self.error: Exception | None = None
        """What the last stage ended with, if not well: the rest of that tick does not happen."""
        self.progress = Progress()
        """What the tick has done that is under way, or has just ended."""

    def step(self) -> None:
        """Let it run to its next stop."""
        assert self.alive, "a dead process does not run"
        self.error = None
        if self._halfway is None and self._orders.pauses:
            self._halfway = _Halfway(self._one_stage)
        try:
            if self._halfway is None:
                self._one_stage()
                return
            stopped_at = self._halfway.go_on()
            if stopped_at is None:
                self._halfway = None
            else:
                self.at = stopped_at
        except Crash as crash:
            self.crashed_at = str(crash)
            self._end(f"crashed at {crash}")

    def stop(self) -> None:
        """End it as a signal does that asks for it: what it holds is given up."""
        assert self.at == "idle", "it is asked between two ticks"
        self.error, self._ident = None, threading.get_ident()
        try:
            if self.worker is not None:
                self.worker.stop()
            self._end("stopped")
        except OperationalError as error:
            self._end(f"stopped: {type(error).__name__}")
        except Crash as crash:
            self.crashed_at = str(crash)
            self._end(f"crashed at {crash}")

    def kill(self) -> None:
        """End it where it has stopped."""
        if self._halfway is not None:
            self._halfway.end()
        self._end("dead")

    def passes(self, name: str) -> None:
        """Hear that execution passes a failpoint.

        Raises:
            Crash, DiskError: as it was ordered.
        """
        if threading.get_ident() != self._ident:
            return  # A helper of its own, fetching ahead: it has no say.
        self._orders.reach(name, self._tell)
        if self._halfway is None or not self._orders.is_due(self._orders.pauses, name):
            return
        if not self._is_writing():
            self._halfway.stop_at(name)

    def _one_stage(self) -> None:
        """Start, or do the next stage of a tick, whichever comes."""
        self._ident = threading.get_ident()
        try:
            if self.worker is None:
                self.worker = self._open_worker()
                self.at = "idle"
                return
            if self._stages is None:
                self.progress = Progress()
                self._stages = self.worker.stages(self.progress, self._clock())
            self.at = next(self._stages, "idle")
        except Exception as error:  # noqa: BLE001 - the driver judges it.
            self.error = error
            self.at = "idle"
        if self.at == "idle":
            self._stages = None

    def _end(self, at: str) -> None:
        self.alive, self.at = False, at
        self._stages = self._halfway = None


class _Halfway:
    """A stage in a thread of its own, so that it can be left where it is, and gone on with."""

    def __init__(self, stage: Callable[[], None]) -> None:
        self._stage = stage
        self._go, self._back = threading.Lock(), threading.Lock()
        self._go.acquire()
        self._back.acquire()
        self._is_dying = False
        self._stopped_at: str | None = None
        self._crash: Crash | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def go_on(self) -> str | None:
        """Run on to where it stops; None when the stage is done.

        Raises:
            Crash: the process has ended there.
        """
        self._stopped_at = None
        self._go.release()
        self._back.acquire()
        if self._crash is not None:
            self._thread.join()
            raise self._crash
        return self._stopped_at

    def stop_at(self, name: str) -> None:
        """Wait here until the driver lets it go on.

        Raises:
            Crash: it does not.
        """
        self._stopped_at = name
        self._back.release()
        self._go.acquire()
        if self._is_dying:
            raise Crash(name)

    def end(self) -> None:
        """Let it die where it is."""
        self._is_dying = True
        try:
            self.go_on()
        except Crash:
            return

    def _run(self) -> None:
        self._go.acquire()
        try:
            self._stage()
        except Crash as crash:
            self._crash = crash
        finally:
            self._back.release()
