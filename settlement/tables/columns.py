"""Column kinds that several tables share."""

from typing import Any

from sqlalchemy import BigInteger, Integer, Text
from sqlalchemy import text as sql
from sqlmodel import Field

BIG = BigInteger().with_variant(Integer(), "sqlite")
"""64 bits in both; SQLite numbers rows by itself only in a column declared INTEGER."""


KEYED = {"sqlite_with_rowid": False}
"""SQLite keeps the rows in the primary key itself: one tree less to write, for many small rows."""


def only(condition: str) -> dict[str, Any]:
    """Options that restrict an index to the rows of `condition`, in both databases."""
    return {"sqlite_where": sql(condition), "postgresql_where": sql(condition)}


def big(**options: Any) -> Any:
    """A 64-bit integer: minor units, sequences, block numbers, wei."""
    return Field(sa_type=BIG, **options)


def moment(**options: Any) -> Any:
    """A moment in microseconds since 1970 UTC: same number, order and speed in both databases."""
    return Field(sa_type=BIG, **options)


def text(**options: Any) -> Any:
    """Text of any length: ids, hexadecimal, JSON."""
    return Field(sa_type=Text, **options)
