"""A worker's start and ticks cost what is new, not what was ever paid: in SQLite's own steps."""

import re
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from settlement.store import open_engine
from tests.builders.rail import Rail, a_rail

HISTORY = 120
"""Payments between the two days that are compared, each in a chain transaction of its own."""
DAYS_AFTER = 34
"""So long ago the history lies: longer than a report's month and than the rules here look back.

With the day before it whole weeks: both days are the same one of their week.
"""
ROUNDS = 20
SLACK = 1.15
VALUE = re.compile(r"'[^']*'|\b\d+\b")


@pytest.fixture
def rail(sqlite_url: str, tmp_path: Path) -> Iterator[Rail]:
    engine = open_engine(sqlite_url)
    with a_rail(engine, tmp_path, batch_payments_max=1) as made:
        yield made
    engine.dispose()


@contextmanager
def _steps(rail: Rail) -> Iterator[Counter[str]]:
    """Count the steps of SQLite's machine by the statement that takes them, without its values."""
    found: Counter[str] = Counter()
    running = [""]

    def begins(sql: str) -> None:
        running[0] = " ".join(VALUE.sub("?", sql).split())

    def goes_on() -> int:
        found[running[0]] += 1
        return 0

    def opened(connection: sqlite3.Connection, _record: Any) -> None:
        connection.set_trace_callback(begins)
        connection.set_progress_handler(goes_on, 1)

    rail.engine.dispose()
    event.listen(rail.engine, "connect", opened)
    yield found
    event.remove(rail.engine, "connect", opened)
    rail.engine.dispose()


def _day(rail: Rail, name: str) -> Counter[str]:
    """A new day: a restart, three payments of which a reorg takes one back, blocks without any."""
    rail.later(86_400)
    rail.controls.mine()
    worker, settled = rail.worker(name), 0
    with _steps(rail) as steps:
        rail.instructed(3)
        while not rail.round(worker).booked:
            pass
        rail.controls.reorg(2)
        taken_back = rail.round(worker).reversed
        for _ in range(ROUNDS):
            settled += rail.round(worker).settled
    worker.stop()
    assert taken_back and settled == 3
    return steps


def _history(rail: Rail) -> None:
    """Payments that are over, in many blocks."""
    worker = rail.worker("worker-of-the-past")
    for _ in range(4):
        rail.instructed(HISTORY // 4)
        rail.settle_all(worker)
        rail.controls.mine(60)
        rail.tick(worker)
        rail.later(120)  # What is looked at by the minute has been looked at.
        rail.tick(worker)
    for _ in range(DAYS_AFTER):
        rail.later(86_400)
        rail.controls.mine()
        rail.tick(worker)  # Each day and month has its reports.
    worker.stop()


def test_a_restart_and_its_ticks_cost_no_more_after_a_long_history(rail: Rail) -> None:
    _day(rail, "worker-1")
    early = _day(rail, "worker-2")
    _history(rail)

    late = _day(rail, "worker-3")

    grown = {
        words: (early[words], count)
        for words, count in late.items()
        if count > early[words] * SLACK + HISTORY / 2
    }
    assert rail.one("SELECT COUNT(*) FROM chain_tx WHERE state = 'FINAL'") >= HISTORY
    assert early.total() > 10_000
    assert grown == {}
    assert late.total() < early.total() * SLACK
