"""Rows by the ten thousand: inserts of many rows a statement, and look-ups by a list of keys.

Knows the two databases' manners of speaking; knows no table.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, TypeVar, cast

import orjson
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

_ROWS_A_STATEMENT = (128, 32, 8, 2, 1)
"""Few sizes, so that every statement is read once: on SQLite reading one costs five times what its
rows cost. Rows by the hundred cost half of rows one by one, by the thousand hardly less."""

_NAMED = re.compile(r"(?<![:\w]):([a-z_]+)")

Row = tuple[Any, ...]
Item = TypeVar("Item")


def insert_rows(
    session: Session, table: str, columns: Sequence[str], rows: Sequence[Row], tail: str = ""
) -> None:
    """Insert tuples in the order of `columns`; `tail` follows VALUES, such as ON CONFLICT."""
    if not rows:
        return
    one = f"({','.join('?' * len(columns))})"
    head = f"INSERT INTO {table} ({','.join(columns)}) VALUES "
    begin = 0
    for size in _ROWS_A_STATEMENT:
        end = len(rows) - (len(rows) - begin) % size
        pieces = [
            tuple(chain.from_iterable(rows[start : start + size]))
            for start in range(begin, end, size)
        ]
        if pieces:
            _run(session, f"{head}{','.join([one] * size)} {tail}", pieces, many=True)
        begin = end


def insert_named(session: Session, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that name their columns, all of them the same ones."""
    if rows:
        columns = tuple(rows[0])
        insert_rows(session, table, columns, [tuple(row[each] for each in columns) for row in rows])


def insert_alike(
    session: Session, table: str, column: str, keys: Sequence[str], values: Mapping[str, Any]
) -> None:
    """Insert a row for each key in `column`, in their order, alike in all else.

    At half the price of rows that are each said in full: the events of a move are such.
    """
    if not keys:
        return
    each, listed = "json_each(?)", _as_one(session, keys)
    if session.connection().dialect.name != "sqlite":
        each = "unnest(?::text[]) AS value"
    run(
        session,
        f"INSERT INTO {table} ({','.join((column, *values))})"
        f" SELECT value{',?' * len(values)} FROM {each}",
        (*values.values(), listed),
    )


def rows(session: Session, sql: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> list[Row]:
    """Return all rows of a query as plain tuples; `?` stands for a value, `:name` for a named one.

    From the driver itself: SQLAlchemy's rows cost more than the database's work.

    Raises:
        DBAPIError: what the driver said, by SQLAlchemy's names as everywhere.
    """
    found: list[Row] = _run(session, sql, values, is_asking=True)
    return found


def run(session: Session, sql: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> int:
    """Run a statement that returns nothing, said as `rows` has it; return how many rows changed.

    Raises:
        DBAPIError: what the driver said.
    """
    changed: int = _run(session, sql, values)
    return changed


def _run(
    session: Session, sql: str, values: Any, *, many: bool = False, is_asking: bool = False
) -> Any:
    """Give a statement to the driver; return its rows, or how many it changed."""
    connection = session.connection()
    if connection.dialect.name != "sqlite":
        first = values[0] if many else values
        sql = _for_psycopg(sql, isinstance(first, Mapping))
    cursor = connection.connection.cursor()
    try:
        if many:
            cursor.executemany(sql, values)
        else:
            cursor.execute(sql, values)
        return cursor.fetchall() if is_asking else cursor.rowcount
    except connection.dialect.loaded_dbapi.Error as error:
        raise _named(connection, sql, values, error) from error
    finally:
        cursor.close()


@lru_cache(maxsize=512)
def _for_psycopg(sql: str, is_named: bool) -> str:
    """Return a statement in that driver's own words; a sign of percent is doubled there."""
    sql = sql.replace("%", "%%")
    return _NAMED.sub(r"%(\1)s", sql) if is_named else sql.replace("?", "%s")


def _named(connection: Connection, sql: str, values: Any, error: Exception) -> Exception:
    """Return a driver's error as SQLAlchemy names it; a connection that is gone is given up."""
    dialect = connection.dialect
    is_gone = dialect.is_disconnect(cast(Any, error), connection.connection.dbapi_connection, None)
    if is_gone:
        connection.invalidate(error)
    return DBAPIError.instance(
        sql, values, error, dialect.loaded_dbapi.Error,
        connection_invalidated=is_gone, dialect=dialect,
    )  # fmt: skip


def rows_by_key(
    session: Session, sql: str, keys: Iterable[str] | Iterable[int], *more: Any
) -> list[Row]:
    """Return all rows of a query where `{keys}` stands for "one of the keys" and `?` for a value.

    `{keys}` comes once, the values in their order: `SELECT … WHERE code {keys} AND phase = ?`.
    """
    listed = list(keys)
    if not listed:
        return []
    before = sql.partition("{keys}")[0].count("?")
    asked = _as_one(session, listed)
    if session.connection().dialect.name == "sqlite":
        one_of = "IN (SELECT value FROM json_each(?))"
    else:
        kind = "bigint[]" if isinstance(listed[0], int) else "text[]"
        one_of = f"= ANY(?::{kind})"
    values = (*more[:before], asked, *more[before:])
    return rows(session, sql.replace("{keys}", one_of), values)


def _as_one(session: Session, keys: Sequence[Any]) -> Any:
    """Return keys as one parameter, whatever their number: SQLite binds at most 32,766."""
    is_sqlite = session.connection().dialect.name == "sqlite"
    return orjson.dumps(keys).decode() if is_sqlite else list(keys)


def chunks(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """Yield `items` in pieces of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def run_many(session: Session, sql: str, rows: Sequence[Mapping[str, Any]]) -> int:
    """Run one statement with `:name` values for each row; return how many rows changed in all."""
    if not rows:
        return 0
    changed: int = _run(session, sql, list(rows), many=True)
    return changed
