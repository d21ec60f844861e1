"""Checkpoints beside the work: a thread that moves commits from SQLite's log into the file itself.

Without it the commit that makes the log too long does so, and whoever works waits. A checkpoint
changes nothing that anybody reads, and one that does not happen is made up for by the next.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

from sqlalchemy import Engine

_EVERY_SECONDS = 0.15


@contextmanager
def checkpoints_beside(engine: Engine) -> Iterator[None]:
    """Checkpoint an SQLite database every moment; on PostgreSQL the server does it by itself."""
    if engine.dialect.name != "sqlite":
        yield
        return
    stop = threading.Event()
    thread = threading.Thread(
        target=_checkpoint_until, args=(str(engine.url.database), stop), name="checkpoints"
    )
    thread.daemon = True
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def checkpoint(connection: sqlite3.Connection) -> None:
    """Move what no reader needs in the log any more; wait for nobody."""
    # Locked, or an error of the disk: the next one tries again, and a commit tells of the error.
    with suppress(sqlite3.OperationalError):
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()


def _checkpoint_until(file: str, stop: threading.Event) -> None:
    connection = sqlite3.connect(file, timeout=0, isolation_level=None)
    with closing(connection):
        connection.execute("PRAGMA synchronous=FULL")
        while not stop.wait(_EVERY_SECONDS):
            checkpoint(connection)
