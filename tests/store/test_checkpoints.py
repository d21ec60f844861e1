"""Checkpoints beside the work: the log's pages reach the file while others read and write."""

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import Engine, text

from settlement.store import open_engine, reading, transaction
from settlement.store.checkpoints import checkpoint, checkpoints_beside

_WRITE = text("INSERT INTO outbox (kind, aggregate_id, body, at) VALUES ('k', 'a', :body, 0)")
_COUNT = text("SELECT COUNT(*) FROM outbox")


def _write(engine: Engine, rows: int = 1) -> None:
    with transaction(engine) as session:
        session.connection().execute(_WRITE, [{"body": "x" * 2_000}] * rows)


def _count_in_the_file_alone(sqlite_url: str, tmp_path: Path) -> int:
    """What a copy without its log holds."""
    alone = tmp_path / "alone.sqlite3"
    alone.write_bytes(Path(sqlite_url.removeprefix("sqlite:///")).read_bytes())
    with closing(sqlite3.connect(alone)) as connection:
        (count,) = connection.execute("SELECT COUNT(*) FROM outbox").fetchone()
    return int(count)


def test_a_checkpoint_brings_commits_into_the_file_while_somebody_writes(
    sqlite_url: str, tmp_path: Path
) -> None:
    engine = open_engine(sqlite_url)
    _write(engine, 50)
    before = _count_in_the_file_alone(sqlite_url, tmp_path)

    with (
        closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as connection,
        transaction(engine) as session,
    ):
        session.connection().execute(_WRITE, {"body": "not committed"})
        checkpoint(connection)
        after = _count_in_the_file_alone(sqlite_url, tmp_path)

    assert (before, after) == (0, 50)
    with reading(engine) as session:
        assert session.execute(_COUNT).scalar() == 51
    engine.dispose()


def test_beside_the_work_nothing_is_lost_and_the_thread_ends(engine: Engine) -> None:
    with checkpoints_beside(engine):
        for _ in range(30):
            _write(engine, 20)

    with reading(engine) as session:
        assert session.execute(_COUNT).scalar() == 600
