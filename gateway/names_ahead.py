"""Names made ready when a gateway starts: a new version of a list then waits for none of them.

A thread of its own; it writes nothing, and nobody waits for it.
"""

from __future__ import annotations

import threading

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from settlement.compliance import screening
from settlement.store import reading
from settlement.store.bulk import chunks

_AT_ONCE = 500
_PARTIES_MAX = 20_000
"""More names than of so many are not kept in memory."""


class NamesAhead:
    """The names of whoever a new version is compared with first, made ready once."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="names ahead", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wait(self) -> None:
        """Wait until all are ready."""
        self._thread.join()

    def stop(self) -> None:
        """End, also half-way: what is not ready is made ready when it is needed."""
        self._stop.set()
        self._thread.join()

    def _work(self) -> None:
        try:
            with reading(self._engine) as session:
                parties = screening.compared_first(session)[:_PARTIES_MAX]
                for keys in chunks(parties, _AT_ONCE):
                    if self._stop.is_set():
                        return
                    screening.make_ready(session, keys)
        except DBAPIError:  # Busy, or away: no reason not to start.
            return
