"""The schema's version: bringing a database to the newest, and refusing any other.

The steps themselves are in `migrations/versions`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from settlement.errors import Fatal, StoreCorrupt

_MIGRATIONS = Path(__file__).parent / "migrations"


class SchemaNotCurrent(Fatal):
    """The database has another schema version than this program."""

    def __init__(self, found: str | None, wanted: str | None) -> None:
        super().__init__(
            f"the database's schema is {found or 'empty'}, this program needs {wanted}:"
            " run `settle doctor --migrate`, or use the program that wrote it"
        )


def migrate(engine: Engine) -> None:
    """Bring the schema to the newest version, each step in its own database transaction.

    Raises:
        StoreCorrupt: a row names another that is not there.
    """
    with engine.connect() as connection:
        config = _config()
        config.attributes["connection"] = connection
        # SQLite changes a table by a copy; rows that name the old one must not hinder that.
        _check_keys(connection, on=False)
        try:
            command.upgrade(config, "head")
            connection.commit()
        finally:
            connection.rollback()
            _check_keys(connection, on=True)


def _check_keys(connection: Connection, *, on: bool) -> None:
    """Let SQLite heed foreign keys or not: outside of any database transaction, or it does not."""
    if connection.dialect.name != "sqlite":
        return
    driver = cast(Any, connection.connection.driver_connection)
    driver.execute(f"PRAGMA foreign_keys={'ON' if on else 'OFF'}")
    if on and (orphan := driver.execute("PRAGMA foreign_key_check").fetchone()):
        raise StoreCorrupt(f"a row of {orphan[0]} names a row of {orphan[2]} that is not there")


def require_current(engine: Engine) -> None:
    """Refuse to work on a schema of another version.

    Raises:
        SchemaNotCurrent: older, newer or none.
    """
    wanted = ScriptDirectory.from_config(_config()).get_current_head()
    with engine.connect() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    if found != wanted:
        raise SchemaNotCurrent(found, wanted)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config
