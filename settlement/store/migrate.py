"""The schema's version: bringing a database to the newest, and refusing any other.

The steps themselves are in `migrations/versions`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import Connection, Engine, inspect

from settlement.errors import Fatal, StoreCorrupt

if TYPE_CHECKING:
    from alembic.config import Config

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
    from alembic import command

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
    wanted, found = newest_version(), None
    with engine.connect() as connection:
        if inspect(connection).has_table("alembic_version"):
            found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    if found != wanted:
        raise SchemaNotCurrent(found, wanted)


def newest_version() -> str:
    """Return the version that this program needs: that of the last step by its file's name.

    Without Alembic: what only asks starts in half the time without it.
    """
    return max(file.name[1:5] for file in (_MIGRATIONS / "versions").glob("m[0-9]*_*.py"))


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config
