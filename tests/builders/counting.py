"""Counting the statements that a test's code sends, whichever way they go to the driver."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, event

from settlement.store import bulk


@contextmanager
def counted(where: Engine | Connection) -> Iterator[list[str]]:
    """Yield the list that every statement is put in: SQLAlchemy's of `where`, and all of `bulk`."""
    statements: list[str] = []
    straight = bulk._run

    def note(_c: Any, _u: Any, statement: str, _p: Any, _x: Any, _m: Any) -> None:
        statements.append(statement)

    def run(session: Any, sql: str, values: Any, **how: bool) -> Any:
        statements.append(sql)
        return straight(session, sql, values, **how)

    event.listen(where, "before_cursor_execute", note)
    bulk._run = run
    try:
        yield statements
    finally:
        bulk._run = straight
        event.remove(where, "before_cursor_execute", note)
