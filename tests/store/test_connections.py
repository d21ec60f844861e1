"""Connections that wait in the pool: the dead are replaced, the living are left in peace."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import OperationalError

from settlement.store import open_engine, reading
from settlement.store.bulk import rows
from settlement.store.connections import RESTED_NANOSECONDS, replace_dead

PING = ";"
PID = "SELECT pg_backend_pid()"


@dataclass
class Clock:
    nanoseconds: int = 0

    def __call__(self) -> int:
        return self.nanoseconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pooled(postgres_url: str, clock: Clock) -> Iterator[Engine]:
    """An engine whose rests the test's clock measures."""
    opened = create_engine(postgres_url)
    replace_dead(opened, clock)
    yield opened
    opened.dispose()


@pytest.fixture
def beside(postgres_url: str) -> Iterator[Engine]:
    """Another engine on the same database, with whatever it needs open already."""
    opened = open_engine(postgres_url)
    with opened.connect() as connection:
        connection.execute(text("SELECT 1"))
    yield opened
    opened.dispose()


@pytest.mark.parametrize("rest", (0, RESTED_NANOSECONDS))
def test_a_connection_that_the_server_ended_is_replaced(
    pooled: Engine, beside: Engine, clock: Clock, rest: int
) -> None:
    before = _pid(pooled)

    _end(beside, before)
    clock.nanoseconds += rest
    after = _pid(pooled)

    assert after != before


def test_all_connections_are_replaced_once_one_was_found_dead(
    pooled: Engine, beside: Engine
) -> None:
    with pooled.connect() as first, pooled.connect() as second:
        pids = [each.execute(text(PID)).scalar_one() for each in (first, second)]

    for pid in pids:
        _end(beside, pid)
    with pooled.connect() as first, pooled.connect() as second:
        renewed = [each.execute(text(PID)).scalar_one() for each in (first, second)]

    assert not set(pids) & set(renewed)


def test_a_connection_that_ends_in_use_is_an_error_once(pooled: Engine, beside: Engine) -> None:
    with pytest.raises(OperationalError), pooled.connect() as connection:
        _end(beside, connection.execute(text(PID)).scalar_one())
        connection.execute(text("SELECT 1"))

    assert _pid(pooled)


@pytest.mark.parametrize(
    ("rest", "is_asked"), [(RESTED_NANOSECONDS - 1, False), (RESTED_NANOSECONDS, True)]
)
def test_the_server_is_asked_after_a_rest_alone(
    pooled: Engine, beside: Engine, clock: Clock, rest: int, is_asked: bool
) -> None:
    pid = _pid(pooled)

    clock.nanoseconds += rest
    lent = pooled.raw_connection()
    with beside.connect() as connection:
        sql = text("SELECT query FROM pg_stat_activity WHERE pid = :pid")
        last = connection.execute(sql, {"pid": pid}).scalar_one()
    lent.close()

    assert (last == PING) is is_asked, last


def _pid(engine: Engine) -> int:
    with engine.connect() as connection:
        pid: int = connection.execute(text(PID)).scalar_one()
        return pid


def _end(engine: Engine, pid: int) -> None:
    """End a connection's process, and return when it is gone."""
    with engine.connect() as connection:
        sql = text("SELECT pg_terminate_backend(:pid, 10000)")
        assert connection.execute(sql, {"pid": pid}).scalar_one()


def test_sqlite_keeps_what_was_acknowledged_and_overwrites_what_was_erased(sqlite_url: str) -> None:
    with reading(open_engine(sqlite_url)) as session:
        for setting, value in (("synchronous", 2), ("secure_delete", 1), ("foreign_keys", 1)):
            assert rows(session, f"PRAGMA {setting}")[0][0] == value, setting
