"""Copies of records, as a backup has them, and healing by hand."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from settlement.sender import lanes
from settlement.sender.heal import Healed, heal
from settlement.store import open_engine, transaction
from tests.builders.rail import OPERATOR, Rail


def healed(rail: Rail, *, signed_through: int | None = None) -> Healed:
    """Heal the lane, under a lease that is taken from whoever had it."""
    with transaction(rail.engine) as session:
        lease = lanes.acquire(
            session, OPERATOR.address, owner="heal", lifetime=timedelta(seconds=60), now=rail.now,
            gone=lanes.holder(session, OPERATOR.address),
        )  # fmt: skip
    assert lease is not None
    found = heal(
        rail.engine, rail.chain, lease, rail.settings,
        ids=rail.ids, now=rail.now, signed_through=signed_through,
    )  # fmt: skip
    with transaction(rail.engine) as session:
        lanes.release(session, lease)
    return found


def a_backup(rail: Rail, folder: Path) -> Rail:
    """The records as they are now (SQLite), in a file of their own; the same chain."""
    file = folder / "backup.sqlite3"
    with closing(sqlite3.connect(str(rail.engine.url.database))) as connection:
        connection.execute(f"VACUUM INTO '{file}'")
    restored = open_engine(f"sqlite:///{file}")
    rail._opened.append(restored.dispose)
    return replace(rail, engine=restored)


def a_forgetful_backup(rail: Rail, folder: Path) -> Rail:
    """Records of before two payments that were made since: they know nothing of them."""
    rail.tick(rail.worker("first"))
    backup = a_backup(rail, folder)
    rail.let_go()
    rail.instructed(2)
    rail.settle_all(rail.worker("lost"))
    backup.now, backup.ids = rail.now, rail.ids
    return backup
