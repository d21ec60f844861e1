"""Engines and database transactions for SQLite and PostgreSQL.

Knows nothing of tables. Functions that take a `Session` never commit: the door does, here.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, TextClause, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlmodel import Session

from settlement.errors import Invalid
from settlement.store.connections import replace_dead
from settlement.store.replaced import refuse_another_file

_SQLITE_SETTINGS = (
    "PRAGMA page_size=8192",  # Of a new file: batches write fewer pages, and trees are lower.
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",  # An acknowledged write survives a power cut.
    "PRAGMA foreign_keys=ON",
    "PRAGMA secure_delete=ON",  # What was erased is overwritten, however SQLite was built.
    "PRAGMA busy_timeout=30000",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA cache_size=-131072",  # 128 MB, where a database is that large.
    "PRAGMA wal_autocheckpoint=8000",  # 64 MB.
)

_LAST = "done at the end"

_NONE: dict[None, None] = {}

# Python's driver looks three times for somebody who could turn None into what SQLite knows, in vain
# and at four times the price of binding a number. This one gives None back.
sqlite3.register_adapter(type(None), _NONE.get)


def open_engine(url: str) -> Engine:
    """Return an engine for `sqlite:///file` or `postgresql+psycopg://…`; connects on first use.

    Raises:
        Invalid: another database, or no URL at all.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise _no_database("no URL") from None
    if parsed.get_backend_name() == "sqlite":
        if not parsed.database:
            raise _no_database("a SQLite URL without a file")
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        engine = create_engine(url, connect_args={"timeout": 30, "check_same_thread": False})
        event.listen(engine, "connect", _prepare_sqlite)
        refuse_another_file(engine, parsed.database)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    if parsed.drivername not in ("postgresql", "postgresql+psycopg"):
        raise _no_database(f"{parsed.drivername[:40]!r}, which the rail cannot use")
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    engine = create_engine(parsed, isolation_level="READ COMMITTED")
    replace_dead(engine)
    return engine


def _no_database(found: str) -> Invalid:
    """Return the refusal. Without the URL itself: there may be a password in it."""
    return Invalid(
        f"the database's URL (SETTLE_DATABASE_URL, --database) is {found}",
        field="SETTLE_DATABASE_URL",
        repair="write sqlite:////path/to/file or postgresql://user@host:5432/name",
    )


@contextmanager
def transaction(engine: Engine) -> Iterator[Session]:
    """One database transaction that writes: committed at the end, rolled back by an exception."""
    with Session(engine, expire_on_commit=False) as session, session.begin():
        yield session
        for last in session.info.get(_LAST, ()):
            last(session)


def at_the_end(session: Session, last: Callable[[Session], None]) -> None:
    """Have something done once, just before this database transaction commits."""
    lasts = session.info.setdefault(_LAST, [])
    if last not in lasts:
        lasts.append(last)


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """One database transaction that only reads: on SQLite it never waits for a writer."""
    with (
        engine.connect().execution_options(only_reads=True) as connection,
        Session(connection, expire_on_commit=False) as session,
    ):
        yield session


@lru_cache(maxsize=512)
def statement(sql: str) -> TextClause:
    """Return a statement for words that are put together anew with every call, but few in all.

    Reading them for their parameters costs as much as running a small one.
    """
    return text(sql)


def row_lock(session: Session, table: str) -> str:
    """Return the clause that locks rows of `table`; SQLite has one writer and needs none."""
    return f" FOR UPDATE OF {table}" if session.get_bind().dialect.name == "postgresql" else ""


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # SQLAlchemy's `begin` says BEGIN IMMEDIATE, not sqlite3.
    for setting in _SQLITE_SETTINGS:
        connection.execute(setting)


def _begin_sqlite(connection: Any) -> None:
    # A deferred BEGIN that writes later fails at once when another writer came in between.
    only_reads = connection.get_execution_options().get("only_reads", False)
    words = "BEGIN" if only_reads else "BEGIN IMMEDIATE"
    driver = connection.connection.dbapi_connection
    try:
        driver.execute(words)  # At half the price: every step of the rail begins one.
    except sqlite3.Error as error:
        raise DBAPIError.instance(
            words, (), error, sqlite3.Error, dialect=connection.dialect
        ) from error
