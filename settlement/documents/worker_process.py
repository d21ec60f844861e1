"""A worker process as its owner sees it: started, asked with a deadline, ended.

Knows frames and deadlines, nothing of documents. One thread at a time.
"""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
import time
from pathlib import Path

from settlement.documents.rules_worker import LENGTH

_CHUNK = 1 << 18


class WorkerDied(Exception):
    """The process ended, or was never able to start."""


class WorkerTooSlow(Exception):
    """The process did not answer in time, and was ended."""


class WorkerProcess:
    """One process of `rules_worker`; `count` documents were put to it."""

    def __init__(self, *, memory_mb: int, start_seconds: float) -> None:
        """Start the process and wait until its rulebook is open.

        Raises:
            WorkerDied, WorkerTooSlow: it did not come up.
        """
        root = str(Path(__file__).resolve().parents[2])
        path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
        self.count = 0
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "settlement.documents.rules_worker", str(memory_mb)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._inlet, self._outlet = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._inlet, False)
        os.set_blocking(self._outlet, False)
        self._receive(time.monotonic() + start_seconds)

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def ask(self, content: bytes, seconds: float) -> bytes:
        """Return the answer to one document.

        Raises:
            WorkerDied: the process is gone; the document may or may not be why.
            WorkerTooSlow: no answer within `seconds`; the process was ended.
        """
        self.count += 1
        deadline = time.monotonic() + seconds
        self._send(LENGTH.pack(len(content)) + content, deadline)
        return self._receive(deadline)

    def end(self) -> None:
        """End the process and wait for it."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            # It may be gone before us: there is nothing left to tell it.
            with contextlib.suppress(BrokenPipeError):
                pipe.close()

    def _send(self, frame: bytes, deadline: float) -> None:
        rest = memoryview(frame)
        while rest:
            self._wait(self._inlet, select.POLLOUT, deadline)
            try:
                rest = rest[os.write(self._inlet, rest[:_CHUNK]) :]
            except BrokenPipeError as error:
                self.end()
                raise WorkerDied from error

    def _receive(self, deadline: float) -> bytes:
        (length,) = LENGTH.unpack(self._read(LENGTH.size, deadline))
        return self._read(length, deadline)

    def _read(self, length: int, deadline: float) -> bytes:
        parts = bytearray()
        while len(parts) < length:
            self._wait(self._outlet, select.POLLIN, deadline)
            part = os.read(self._outlet, min(_CHUNK, length - len(parts)))
            if not part:
                self.end()
                raise WorkerDied
            parts += part
        return bytes(parts)

    def _wait(self, pipe: int, event: int, deadline: float) -> None:
        poll = select.poll()
        poll.register(pipe, event)
        left = deadline - time.monotonic()
        if left <= 0 or not poll.poll(left * 1000):
            self.end()
            raise WorkerTooSlow
