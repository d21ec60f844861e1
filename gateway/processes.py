"""Long-running parts as processes: how they start, end with their parent, and loop.

Knows no rule of the rail.
"""

from __future__ import annotations

import _thread
import ctypes
import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import DatabaseError, OperationalError

from gateway import wiring
from settlement.errors import Fatal, Retryable
from settlement.sender import lanes
from settlement.store import transaction
from settlement.store.checkpoints import checkpoints_beside
from settlement.store.damage import read_through_beside
from settlement.store.locks import leave_out_locks

if TYPE_CHECKING:
    from gateway.worker import Worker

PARENT = "SETTLE_PARENT_PID"
"""Set for children of `settle up`: they end when that process does."""

HALTED = 3
"""Exit code of a worker that found what must not be: starting it again would not help."""

_PR_SET_PDEATHSIG = 1
_PAUSE_SECONDS = 0.2
_BACK_OFF_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)

log = structlog.get_logger("settle.worker")


def command(*arguments: str) -> list[str]:
    """Return the command line of another `settle` process."""
    return [sys.executable, "-m", "gateway", *arguments]


def child_environment(extra: dict[str, str]) -> dict[str, str]:
    """Return this process's environment for a child that ends with it."""
    # glibc's arenas, one per thread, hold tens of megabytes that nobody uses.
    arenas = {"MALLOC_ARENA_MAX": os.environ.get("MALLOC_ARENA_MAX", "2")}
    return {**os.environ, **arenas, **extra, PARENT: str(os.getpid())}


def end_with_parent() -> None:
    """Ask the kernel to end this process with its parent, if one is named in the environment."""
    parent = os.environ.get(PARENT)
    if parent is None:
        return
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(parent):
        sys.exit(1)


def collect_garbage_seldom(objects: int = 500_000) -> None:
    """Let the garbage collector run seldom: batches make many objects and hardly a cycle.

    Posting 30,000 entries takes a third longer with Python's own thresholds.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(objects, 20, 100)


def stop_event(
    signals: Sequence[signal.Signals] = (signal.SIGTERM, signal.SIGINT),
) -> threading.Event:
    """Return an event that is set when this process is told to stop."""
    stop = threading.Event()
    for each in signals:
        # In a thread: the handler runs where the main one may hold the event's own lock.
        signal.signal(each, lambda *_: _thread.start_new_thread(stop.set, ()) and None)
    return stop


def run_worker(open_worker: Callable[[], Worker], stop: threading.Event) -> int:
    """Open a worker and tick until told to stop; return the exit code.

    What is `Retryable` (no node, no signer, another worker) is tried again, with back-off.
    """
    leave_out_locks()
    collect_garbage_seldom()
    with ExitStack() as beside:

        def opened() -> Worker:
            worker = open_worker()
            beside.enter_context(checkpoints_beside(worker.engine))
            worker.require_whole = beside.enter_context(
                read_through_beside(worker.engine, lambda reason: _halt_all(worker.engine, reason))
            )
            return worker

        return _tick_until(opened, stop)


def _halt_all(engine: Engine, reason: str) -> None:
    """Halt every lane, if the damaged file takes that much; this worker ends in any case."""
    with suppress(DatabaseError), transaction(engine) as session:
        lanes.halt_all(session, reason)


def _tick_until(open_worker: Callable[[], Worker], stop: threading.Event) -> int:
    worker: Worker | None = None
    failures = 0
    troubles: dict[str, str] = {}
    try:
        while not stop.is_set():
            try:
                worker = worker or open_worker()
                began = time.monotonic()
                progress = worker.tick(wiring.now())
                failures = 0
            except (Retryable, OperationalError) as error:
                pause = _BACK_OFF_SECONDS[min(failures, len(_BACK_OFF_SECONDS) - 1)]
                failures += 1
                log.warning("tick.failed", error=str(error)[:300], retry_in_seconds=pause)
                stop.wait(pause)
                continue
            if progress.troubles != troubles:  # Once, not five times a second.
                troubles = progress.troubles
                log.warning("lanes.troubled", troubles=troubles)
            if progress.idle:
                stop.wait(_PAUSE_SECONDS)
                continue
            seconds = round(time.monotonic() - began, 3)
            log.info("tick", head=progress.head, seconds=seconds, **progress.moved())
    except Fatal as error:
        log.error("worker.halted", error=str(error), repair="see `settle doctor`")
        return HALTED
    if worker is not None:
        worker.stop()
    return 0
