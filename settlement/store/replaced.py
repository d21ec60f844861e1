"""Whether the SQLite file that a connection has open is still the one at its path.

A file that was deleted or replaced is read and written as before by whoever has it open: what is
acknowledged then is gone with the last process. Knows no table.
"""

from __future__ import annotations

import sqlite3
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError

from settlement.files import identity

_FILE = "file that is open"


class FileReplaced(sqlite3.OperationalError):
    """The database's file was deleted, moved or replaced while it was open."""

    def __init__(self) -> None:
        super().__init__(
            "the database's file was deleted, moved or replaced while it was open: nothing is read"
            " or written any more. Put that very file back, with its -wal file; else end all"
            " processes and restore a backup with `settle restore`"
        )


def refuse_another_file(engine: Engine, file: str) -> None:
    """Let no database transaction begin on a file that is not at its path any more.

    It fails like one on a database that is away, and succeeds again when the file is back.
    """

    def note(_driver: Any, record: Any) -> None:
        record.info[_FILE] = identity(file)

    def compare(connection: Any) -> None:
        opened = connection.connection.info.get(_FILE)
        if opened is not None and identity(file) != opened:
            raise OperationalError("BEGIN", (), FileReplaced())

    event.listen(engine, "connect", note)
    event.listen(engine, "begin", compare)
