"""The official rules beside the caller: a bounded queue and a few worker processes.

Hands documents to workers and their records back, in futures or in order. It reads no document
itself. Processes, not threads: the rule engine holds the interpreter's lock (two threads judged no
more than one), and a process can be ended when a document takes too much time or memory.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from types import TracebackType

from settlement.documents.errors import (
    DocumentRejected,
    DocumentTooLarge,
    DocumentUnreadable,
    RuleFailure,
    RulesEngineBusy,
    RulesEngineClosed,
)
from settlement.documents.model import InvoiceDocument
from settlement.documents.rules_worker import outcome_of
from settlement.documents.worker_process import WorkerDied, WorkerProcess, WorkerTooSlow

Outcome = InvoiceDocument | DocumentRejected


@dataclass(frozen=True, slots=True)
class RulesLimits:
    """How far the engine goes. A worker takes about 300 MB and grows by 20 kB a document."""

    workers: int = 1
    waiting_max: int = 2_000
    documents_a_worker: int = 2_500
    seconds_a_document: float = 20.0
    memory_mb: int = 1_024
    start_seconds: float = 60.0
    idle_seconds: float = 120.0


@dataclass(frozen=True, slots=True)
class _Job:
    content: bytes
    future: Future[InvoiceDocument]


class RulesEngine:
    """Workers that judge documents by the official rules. Safe to use from any thread."""

    def __init__(self, limits: RulesLimits | None = None) -> None:
        self.limits = limits or RulesLimits()
        self._jobs: queue.Queue[_Job | None] = queue.Queue()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._open = False

    def __enter__(self) -> RulesEngine:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def start(self) -> None:
        """Take documents from now on. A worker starts with its first one, in about a second."""
        with self._lock:
            if self._open:
                return
            self._open = True
            self._threads = [
                threading.Thread(target=self._work, name=f"rules-{number}", daemon=True)
                for number in range(self.limits.workers)
            ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Finish what a worker has in hand, refuse what waits, end every worker."""
        with self._lock:
            if not self._open:
                return
            self._open = False
        while True:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                break
            if job is not None:
                job.future.set_exception(RulesEngineClosed())
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()

    def submit(self, content: bytes) -> Future[InvoiceDocument]:
        """Return a future of the record; it raises DocumentRejected. For an event loop:
        `await asyncio.wrap_future(engine.submit(content))`.

        Raises:
            RulesEngineBusy: too many documents wait already.
            RulesEngineClosed: not started, or closed.
        """
        future: Future[InvoiceDocument] = Future()
        with self._lock:
            if not self._open:
                raise RulesEngineClosed
            waiting = self._jobs.qsize()
            if waiting >= self.limits.waiting_max:
                raise RulesEngineBusy(waiting)
            self._jobs.put(_Job(content, future))
        return future

    def validate_many(self, contents: Sequence[bytes]) -> list[Outcome]:
        """Return an outcome for each document, in order: the record or the refusal."""
        futures = [self.submit(content) for content in contents]
        return [outcome(future) for future in futures]

    def _work(self) -> None:
        """Take jobs until told to stop; keep one worker process while there is work."""
        worker: WorkerProcess | None = None
        while True:
            try:
                job = self._jobs.get(timeout=self.limits.idle_seconds)
            except queue.Empty:
                _end(worker)  # 300 MB are worth a second at the next document.
                worker = None
                continue
            if job is None:
                _end(worker)
                return
            if not job.future.set_running_or_notify_cancel():
                continue
            try:
                worker, result = self._answer(worker, job.content)
            except (WorkerDied, WorkerTooSlow, OSError) as error:
                worker = None  # No worker comes up at all: that is no fault of the document.
                failed = RulesEngineClosed()
                failed.__cause__ = error
                job.future.set_exception(failed)
                continue
            if isinstance(result, DocumentRejected):
                job.future.set_exception(result)
            else:
                job.future.set_result(result)

    def _answer(
        self, worker: WorkerProcess | None, content: bytes
    ) -> tuple[WorkerProcess | None, Outcome]:
        """Return the worker to go on with, and the outcome; a dead worker gets one successor."""
        limits = self.limits
        if worker is not None and worker.count >= limits.documents_a_worker:
            worker.end()
            worker = None
        for _ in range(2):
            if worker is None:
                worker = WorkerProcess(
                    memory_mb=limits.memory_mb, start_seconds=limits.start_seconds
                )
            try:
                return worker, outcome_of(worker.ask(content, limits.seconds_a_document))
            except WorkerTooSlow:
                return None, DocumentUnreadable([_limit(f"over {limits.seconds_a_document} s")])
            except WorkerDied:
                worker = None
        return None, DocumentTooLarge([_limit(f"over {limits.memory_mb} MB, or a crash")])


def outcome(future: Future[InvoiceDocument]) -> Outcome:
    """Wait for a future; return its record or its refusal."""
    try:
        return future.result()
    except DocumentRejected as refusal:
        return refusal


def _end(worker: WorkerProcess | None) -> None:
    if worker is not None:
        worker.end()


def _limit(found: str) -> RuleFailure:
    return RuleFailure(
        "SR-LIMIT",
        "/",
        found,
        "judging the document takes more time or memory than is given to one",
        "Split the invoice, or leave out embedded attachments.",
    )
