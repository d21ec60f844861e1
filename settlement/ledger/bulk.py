"""Rows by the ten thousand: inserts of many rows a statement, and look-ups by a list of keys.

Knows the two databases' manners of speaking; knows no table.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, TypeVar

import orjson
from sqlmodel import Session

_PARAMETERS_PER_STATEMENT = 280
"""Measured on SQLite: rows by fifties cost three quarters of rows one by one; more gain nothing."""

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
    size = max(1, _PARAMETERS_PER_STATEMENT // len(columns))
    whole = len(rows) - len(rows) % size
    if whole:
        connection.exec_driver_sql(
            f"{head}{','.join([one] * size)} {tail}",
            [
                tuple(chain.from_iterable(rows[start : start + size]))
                for start in range(0, whole, size)
            ],
        )
    if whole < len(rows):
        rest = rows[whole:]
        connection.exec_driver_sql(
            f"{head}{','.join([one] * len(rest))} {tail}", tuple(chain.from_iterable(rest))
        )


def rows_by_key(
    session: Session, sql: str, keys: Iterable[str] | Iterable[int], *more: Any
) -> list[Row]:
    """Return all rows of a query where `{keys}` stands for "one of the keys" and `?` for a value.

    `{keys}` comes once, before every `?`: `SELECT … WHERE code {keys} AND phase = ?`.
    """
    listed = list(keys)
    if not listed:
        return []
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        # One parameter, whatever their number: a statement binds at most 32,766.
        statement = sql.replace("{keys}", "IN (SELECT value FROM json_each(?))")
        found = connection.exec_driver_sql(statement, (orjson.dumps(listed).decode(), *more))
    else:
        kind = "bigint[]" if isinstance(listed[0], int) else "text[]"
        statement = sql.replace("?", "%s").replace("{keys}", f"= ANY(%s::{kind})")
        found = connection.exec_driver_sql(statement, (listed, *more))
    return [tuple(row) for row in found]


def chunks(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """Yield `items` in pieces of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
