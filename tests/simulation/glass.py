"""A window on a schedule's database: the driver's own look, which never waits and never writes.

Straight through sqlite3: the driver looks more often than everybody else together.
"""

from __future__ import annotations

import re
import sqlite3
from collections import namedtuple
from functools import lru_cache
from pathlib import Path
from typing import Any

_NOT_A_NAME = re.compile(r"\W")


class Glass:
    """Looks at one database file; what it saw stays true until somebody commits."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._connection: sqlite3.Connection | None = None

    def rows(self, sql: str, **params: Any) -> list[Any]:
        """Return the rows of a query, their columns by name."""
        cursor = self._open().execute(sql, params)
        row = _row_type(tuple(column[0] for column in cursor.description))
        return [row(*values) for values in cursor]

    def commits(self) -> int:
        """Return a number that is another after every commit that changed something.

        Source: https://www.sqlite.org/pragma.html#pragma_data_version
        """
        ((number,),) = self._open().execute("PRAGMA data_version")
        return int(number)

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            # A commit in the midst of a step is looked at from the step's own thread.
            self._connection = sqlite3.connect(
                self._file, isolation_level=None, check_same_thread=False, timeout=30
            )
            self._connection.execute("PRAGMA query_only=ON")
        return self._connection


@lru_cache(maxsize=64)
def _row_type(columns: tuple[str, ...]) -> Any:
    return namedtuple("Row", [_NOT_A_NAME.sub("_", column) for column in columns], rename=True)
