"""The database, read-only and as it was at one moment.

Knows no table.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from settlement.verify.rpc import NotJudged

_CHUNK_ROWS = 5_000


class Database:
    """One read-only database transaction: every query sees the same moment."""

    def __init__(self, url: str) -> None:
        """Open `sqlite:///file` or `postgresql://…` (also `postgresql+psycopg://…`).

        Raises:
            NotJudged: there is no such database.
        """
        self.is_sqlite = url.startswith("sqlite:///")
        if self.is_sqlite:
            self._connection: Any = _open_sqlite(url.removeprefix("sqlite:///"))
            self._failures: type[Exception] = sqlite3.Error
        elif url.startswith(("postgresql://", "postgresql+psycopg://")):
            self._connection, self._failures = _open_postgresql(url.replace("+psycopg", "", 1))
        else:
            raise NotJudged("the database is neither sqlite:///file nor postgresql://…")
        self._stream_count = 0

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Return all rows of a query.

        Raises:
            NotJudged: the database cannot answer it.
        """
        return list(self.stream(statement))

    def value(self, statement: str) -> Any:
        """Return the one value of a query."""
        return self.rows(statement)[0][0]

    def stream(self, statement: str) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of a query, never all of them in memory."""
        try:
            if self.is_sqlite:
                yield from self._connection.execute(statement)
                return
            self._stream_count += 1
            with self._connection.cursor(name=f"verify_{self._stream_count}") as cursor:
                cursor.itersize = _CHUNK_ROWS
                cursor.execute(statement)
                yield from cursor
        except self._failures as error:
            raise NotJudged(f"the database cannot be read: {error}".rstrip()) from error

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()


def as_bytes(value: Any) -> bytes:
    """Return a column's bytes; SQLite may hold text where bytes belong."""
    return value.encode() if isinstance(value, str) else bytes(value)


def _open_sqlite(path: str) -> sqlite3.Connection:
    if not Path(path).is_file():
        raise NotJudged(f"there is no database file {path}")
    try:
        connection = sqlite3.connect(
            f"file:{quote(path)}?mode=ro", uri=True, isolation_level=None, timeout=30
        )
        connection.execute("PRAGMA query_only=ON")
        connection.execute("PRAGMA cache_size=-65536")
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error as error:
        raise NotJudged(f"the database {path} cannot be read: {error}") from error
    return connection


def _open_postgresql(url: str) -> tuple[Any, type[Exception]]:
    import psycopg

    try:
        connection = psycopg.connect(url, connect_timeout=10)
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        connection.execute("SELECT 1")
    except psycopg.Error as error:
        raise NotJudged(f"the database cannot be read: {error}".rstrip()) from error
    return connection, psycopg.Error
