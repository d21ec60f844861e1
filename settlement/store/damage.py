"""Reading a SQLite file through beside the work: a damaged page is found before it is needed.

SQLite's `quick_check` on a connection of its own that only reads. PostgreSQL looks after its own
pages (data checksums), and has nothing to read here.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from urllib.parse import quote

from sqlalchemy import Engine

from settlement.errors import StoreCorrupt

PATIENCE_SECONDS = 0.5
"""How long a start waits for the verdict: enough for some hundred megabytes."""


class DatabaseDamaged(StoreCorrupt):
    """Pages of the database's file are not what was written."""

    def __init__(self, found: str) -> None:
        super().__init__(
            f"the database's file is damaged: {found}. Restore a backup with `settle restore`;"
            " nothing is sent before"
        )


class ReadingThrough:
    """A reading that is under way, or has ended; `require_whole` says what it has found so far."""

    def __init__(self, file: str, halt: Callable[[str], None]) -> None:
        self._file, self._halt = file, halt
        self._found: DatabaseDamaged | None = None
        self._connection = sqlite3.connect(
            f"file:{quote(file)}?mode=ro", uri=True, check_same_thread=False
        )
        self._thread = threading.Thread(target=self._read, name="reading through", daemon=True)

    def require_whole(self) -> None:
        """Refuse to go on where damage was found.

        Raises:
            DatabaseDamaged: a page is not what was written.
        """
        if self._found is not None:
            raise self._found

    def start(self, patience_seconds: float) -> None:
        """Begin, and wait a moment for the end."""
        self._thread.start()
        self._thread.join(patience_seconds)

    def stop(self) -> None:
        """End it, wherever it is."""
        while self._thread.is_alive():
            self._connection.interrupt()
            self._thread.join(0.05)
        self._connection.close()

    def _read(self) -> None:
        try:
            with closing(self._connection.execute("PRAGMA quick_check(1)")) as cursor:
                (verdict,) = cursor.fetchone()
        except sqlite3.OperationalError:
            return  # Interrupted, locked, or the disk's own error: no verdict on the pages.
        except sqlite3.DatabaseError as error:
            verdict = str(error)
        if verdict != "ok":
            self._found = DatabaseDamaged(" ".join(str(verdict).split())[:300])
            self._halt(str(self._found))


@contextmanager
def read_through_beside(
    engine: Engine,
    halt: Callable[[str], None],
    patience_seconds: float = PATIENCE_SECONDS,
) -> Iterator[Callable[[], None]]:
    """Read the file through in a thread; yield what raises `DatabaseDamaged` once damage is found.

    `halt` is called with the reason in that thread, at once.
    """
    if engine.dialect.name != "sqlite":
        yield lambda: None
        return
    reading = ReadingThrough(str(engine.url.database), halt)
    reading.start(patience_seconds)
    try:
        yield reading.require_whole
    finally:
        reading.stop()
