"""The few words that the two databases say differently, for statements that are one otherwise."""

from __future__ import annotations

from sqlmodel import Session


def is_sqlite(session: Session) -> bool:
    """Whether the session is on SQLite."""
    return session.connection().dialect.name == "sqlite"


def day(session: Session, column: str) -> str:
    """Days since 1970-01-01 of a column with an ISO 8601 date."""
    if is_sqlite(session):
        return f"(CAST(strftime('%s', {column}) AS INTEGER) / 86400)"
    return f"(CAST({column} AS date) - DATE '1970-01-01')"


def normal(session: Session, column: str) -> str:
    """A text as references are compared: capitals, no spaces; NULL where nothing is left.

    Letters beyond ASCII stay as they are in both databases.
    """
    text = f"REPLACE({column}, ' ', '')"
    upper = f"UPPER({text})" if is_sqlite(session) else f'UPPER({text} COLLATE "C")'
    return f"NULLIF({upper}, '')"


def log_index(session: Session, column: str) -> str:
    """The log's index in a source key such as `log:<block hash>:<index>`, or `…:<index>:2`."""
    if is_sqlite(session):
        # A number is read up to the first character that is none.
        return f"CAST(substr({column}, {len('log:') + 66 + len(':') + 1}) AS INTEGER)"
    place = f"CAST(split_part({column}, ':', 3) AS INTEGER)"
    # The third part of another kind of key is no number.
    return f"(CASE WHEN substr({column}, 1, 4) = 'log:' THEN {place} END)"


def settle_ids(session: Session, table: str) -> None:
    """Wait until no id of `table` up to the highest visible one is still to be committed.

    PostgreSQL gives numbers before it commits: a higher one may be seen before a lower one, and a
    mark that went past it would never come back. SQLite has one writer at a time.
    """
    if not is_sqlite(session):
        session.connection().exec_driver_sql(f"LOCK TABLE {table} IN SHARE MODE")


def take_turn(session: Session) -> None:
    """Wait until nobody else is changing matches, and keep others waiting until the commit.

    SQLite has one writer at a time.
    """
    if not is_sqlite(session):
        session.connection().exec_driver_sql("LOCK TABLE recon_member IN SHARE ROW EXCLUSIVE MODE")
