"""Connections to PostgreSQL that wait in the pool: which of them still live.

SQLAlchemy's own way asks the server before every database transaction, of which a round of the
worker has thirty. Knows no SQL.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.exc import InvalidatePoolError

RESTED_NANOSECONDS = 5 * 10**9
"""After such a rest the server is asked: a network can lose a connection and tell neither end."""

_RESTS_SINCE = "rests since"


def replace_dead(engine: Engine, monotonic: Callable[[], int] = time.monotonic_ns) -> None:
    """Let an engine hand out no connection that the server has ended."""
    event.listen(engine, "checkin", partial(_lay_down, monotonic))
    event.listen(engine, "checkout", partial(_require_alive, engine, monotonic))


def _lay_down(monotonic: Callable[[], int], _driver: Any, record: Any) -> None:
    record.info[_RESTS_SINCE] = monotonic()


def _require_alive(
    engine: Engine, monotonic: Callable[[], int], driver: Any, record: Any, _proxy: Any
) -> None:
    since = record.info.pop(_RESTS_SINCE, None)
    if since is None or (monotonic() - since < RESTED_NANOSECONDS and _is_quiet(driver)):
        return
    try:
        engine.dialect.do_ping(driver)
    except engine.dialect.loaded_dbapi.Error as error:
        # None of the others in the pool is handed out either: they were ended with this one.
        raise InvalidatePoolError from error


def _is_quiet(driver: Any) -> bool:
    """Say whether nothing has come in: the end of a connection is something that comes."""
    if driver.closed:
        return False
    poll = select.poll()
    poll.register(driver.fileno(), select.POLLIN)
    return not poll.poll(0)
