"""One life of a worker process: it runs stage by stage, stops where it is told to, and may die.

Each life has a thread of its own and runs only while the driver waits for it, so that nothing is
ever decided by the system's scheduler.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from gateway.worker import Progress, Worker

STAGES = ("stage.follow", "stage.clear", "stage.send", "stage.reconcile")


class Crash(BaseException):
    """Stands for a process that ends at this very place; nobody may catch it."""


@dataclass(slots=True)
class Orders:
    """What is to happen at the nth passage of a failpoint from now."""

    crashes: dict[str, int] = field(default_factory=dict)
    pauses: dict[str, int] = field(default_factory=dict)

    def clear(self) -> None:
        """Forget everything that did not happen."""
        self.crashes.clear()
        self.pauses.clear()

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
    """A worker that was started, and its thread."""

    def __init__(
        self,
        open_worker: Callable[[], Worker],
        clock: Callable[[], datetime],
        orders: Orders,
        is_writing: Callable[[], bool],
    ) -> None:
        self._open_worker, self._clock = open_worker, clock
        self._orders, self._is_writing = orders, is_writing
        self._go, self._back = threading.Lock(), threading.Lock()
        self._go.acquire()
        self._back.acquire()
        self._thread = threading.Thread(target=self._live, daemon=True)
        self._is_dying = False
        self._ident = 0
        self.worker: Worker | None = None
        self.alive = True
        self.at = "unborn"
        """Where it has stopped: a failpoint, `idle` between two ticks, or how it ended."""
        self.error: BaseException | None = None
        """What the last tick ended with, if not well."""
        self.progress: Progress | None = None
        """What the tick that just ended did."""

    def step(self) -> None:
        """Let it run to its next stop."""
        assert self.alive, "a dead process does not run"
        self.error = self.progress = None
        if not self._thread.is_alive():
            self._thread.start()
        self._go.release()
        self._back.acquire()

    def kill(self) -> None:
        """End it where it has stopped."""
        self._is_dying = True
        if self.alive and self._thread.is_alive():
            self.step()
        self.alive = False
        self.at = "dead"

    def passes(self, name: str) -> None:
        """Hear that execution passes a failpoint.

        Raises:
            Crash: it is to end here.
        """
        if threading.get_ident() != self._ident:
            return  # A helper of its own, fetching ahead: it has no say.
        if self._orders.is_due(self._orders.crashes, name):
            raise Crash(name)
        if name in STAGES or (
            self._orders.is_due(self._orders.pauses, name) and not self._is_writing()
        ):
            self._stop_at(name)

    def _stop_at(self, name: str) -> None:
        self.at = name
        self._back.release()
        self._go.acquire()
        if self._is_dying:
            raise Crash(name)

    def _live(self) -> None:
        self._ident = threading.get_ident()
        self._go.acquire()
        try:
            while True:
                try:
                    if self.worker is None:
                        self.worker = self._open_worker()
                        self.progress = Progress()
                    else:
                        self.progress = self.worker.tick(self._clock())
                except Exception as error:  # noqa: BLE001 - the driver judges it.
                    self.error = error
                self._stop_at("idle")
        except Crash as crash:
            self.at = f"crashed at {crash}"
        finally:
            self.alive = False
            self._back.release()
