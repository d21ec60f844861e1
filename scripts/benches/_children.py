"""The memory that processes of this one's own have held, looked at while they run.

What the kernel counts of ended children begins with what their parent held when it started them.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

_EVERY_SECONDS = 0.2


class Children:
    """Looks at this process's children until it is asked."""

    def __init__(self) -> None:
        self._most_kb = 0
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def most_mb(self) -> float:
        """Return the most that one of them has held, and stop looking."""
        self._is_over.set()
        self._thread.join()
        return self._most_kb / 1024

    def _look(self) -> None:
        while not self._is_over.wait(_EVERY_SECONDS):
            for pid in _children():
                self._most_kb = max(self._most_kb, _peak_kb(pid))


def _children() -> list[str]:
    tasks = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    return [pid for file in tasks for pid in file.read_text().split()]


def _peak_kb(pid: str) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)
