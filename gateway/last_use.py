"""When keys and sessions were last used: noted in memory, written by the minute.

A request that reads writes nothing. Knows neither keys nor sessions.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import datetime

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from settlement.clock import to_micros
from settlement.store import transaction

WRITE_SECONDS = 60.0

NoteUses = Callable[[Session, Mapping[str, int]], None]


class LastUses:
    """What was used since it was last written; a thread of its own writes."""

    def __init__(self, engine: Engine, note: NoteUses, *, seconds: float = WRITE_SECONDS) -> None:
        self._engine = engine
        self._note = note
        self._seconds = seconds
        self._used: dict[str, int] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="last uses", daemon=True)

    def start(self) -> None:
        """Write from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Write what is noted, then end."""
        self._stop.set()
        self._thread.join()
        self.write()

    def add(self, key: str, now: datetime) -> None:
        """Note a use."""
        self._used[key] = to_micros(now)

    def write(self) -> None:
        """Write what was noted; what cannot be written now is noted still."""
        used, self._used = self._used, {}
        if not used:
            return
        try:
            with transaction(self._engine) as session:
                self._note(session, used)
        except OperationalError:  # Busy, or away: a last use is worth no request's failure.
            self._used = {**used, **self._used}

    def _work(self) -> None:
        while not self._stop.wait(self._seconds):
            self.write()
