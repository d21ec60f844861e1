"""A migration that dies anywhere: the program refuses to start, and the next run finishes it."""

import sqlite3
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, inspect

from settlement.store import migrate, open_engine, require_current
from settlement.store.migrate import SchemaNotCurrent
from settlement.tables import metadata


class Died(BaseException):
    """Stands for a process that ended at this very place."""


def _die_at(engine: Engine, nth: int) -> None:
    statements = count(1)

    @event.listens_for(engine, "before_cursor_execute")
    def on_statement(*_: object) -> None:
        if next(statements) == nth:
            raise Died


@pytest.mark.parametrize("nth", (2, 5, 20, 60))
def test_a_migration_that_died_leaves_nothing_half(bare_database_url: str, nth: int) -> None:
    dying = open_engine(bare_database_url)
    _die_at(dying, nth)
    with pytest.raises(Died):
        migrate(dying)
    dying.dispose()
    engine = open_engine(bare_database_url)

    with pytest.raises(SchemaNotCurrent):
        require_current(engine)
    migrate(engine)

    require_current(engine)
    assert set(metadata.tables) <= set(inspect(engine).get_table_names())
    engine.dispose()


def test_a_database_of_another_version_is_refused(sqlite_url: str) -> None:
    file = Path(sqlite_url.removeprefix("sqlite:///"))
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = 'm9999'")
    engine = open_engine(sqlite_url)

    with pytest.raises(SchemaNotCurrent, match="m9999"):
        require_current(engine)
    engine.dispose()
