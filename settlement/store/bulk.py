"""Rows by the ten thousand: inserts of many rows a statement, and look-ups by a list of keys.

Knows the two databases' manners of speaking; knows no table.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, TypeVar, cast

import orjson
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

_PARAMETERS_OF_MANY_ROWS = 8_000
"""By thousands of parameters rows cost less again, and other threads wait less for their turn."""
_PARAMETERS_PER_STATEMENT = 900
"""Measured on SQLite: small rows by the hundred and eighty cost two thirds of rows one by one."""

_NAMED = re.compile(r":([a-z_]+)")

Row = tuple[Any, ...]
Item = TypeVar("Item")


def insert_rows(
    session: Session, table: str, columns: Sequence[str], rows: Sequence[Row], tail: str = ""
) -> None:
    """Insert tuples in the order of `columns`; `tail` follows VALUES, such as ON CONFLICT."""
    if not rows:
        return
    connection = session.connection()
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    one = f"({','.join([mark] * len(columns))})"
    head = f"INSERT INTO {table} ({','.join(columns)}) VALUES "
    for parameters in (_PARAMETERS_OF_MANY_ROWS, _PARAMETERS_PER_STATEMENT):
        size = max(1, parameters // len(columns))
        whole = len(rows) - len(rows) % size
        if whole:
            connection.exec_driver_sql(
                f"{head}{','.join([one] * size)} {tail}",
                [
                    tuple(chain.from_iterable(rows[start : start + size]))
                    for start in range(0, whole, size)
                ],
            )
            rows = rows[whole:]
    if rows:
        connection.exec_driver_sql(
            f"{head}{','.join([one] * len(rows))} {tail}", tuple(chain.from_iterable(rows))
        )


def insert_named(session: Session, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that name their columns, all of them the same ones."""
    if rows:
        columns = tuple(rows[0])
        insert_rows(session, table, columns, [tuple(row[each] for each in columns) for row in rows])


def rows(session: Session, sql: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> list[Row]:
    """Return all rows of a query as plain tuples; `?` stands for a value, `:name` for a named one.

    From the driver itself: SQLAlchemy's rows cost more than the database's work.

    Raises:
        DBAPIError: what the driver said, by SQLAlchemy's names as everywhere.
    """
    connection = session.connection()
    if connection.dialect.name != "sqlite":
        is_named = isinstance(values, Mapping)
        sql = _NAMED.sub(r"%(\1)s", sql) if is_named else sql.replace("?", "%s")
    cursor = connection.connection.cursor()
    try:
        cursor.execute(sql, values)
        return cast(list[Row], cursor.fetchall())
    except connection.dialect.loaded_dbapi.Error as error:
        raise _named(connection, sql, values, error) from error
    finally:
        cursor.close()


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

    `{keys}` comes once, before every `?`: `SELECT … WHERE code {keys} AND phase = ?`.
    """
    listed = list(keys)
    if not listed:
        return []
    if session.connection().dialect.name == "sqlite":
        # One parameter, whatever their number: a statement binds at most 32,766.
        one_of, values = "IN (SELECT value FROM json_each(?))", orjson.dumps(listed).decode()
        return rows(session, sql.replace("{keys}", one_of), (values, *more))
    kind = "bigint[]" if isinstance(listed[0], int) else "text[]"
    return rows(session, sql.replace("{keys}", f"= ANY(?::{kind})"), (listed, *more))


def chunks(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """Yield `items` in pieces of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def run_many(session: Session, sql: str, rows: Sequence[Mapping[str, Any]]) -> int:
    """Run one statement with `:name` values for each row; return how many rows changed in all."""
    if not rows:
        return 0
    connection = session.connection()
    if connection.dialect.name != "sqlite":
        sql = _NAMED.sub(r"%(\1)s", sql)
    changed: int = connection.exec_driver_sql(sql, list(rows)).rowcount
    return changed
