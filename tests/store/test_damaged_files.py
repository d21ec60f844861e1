"""A database file that lost its newest part, or a page: nothing is paid on what it says then."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Engine, text
from sqlalchemy.exc import DatabaseError

from gateway.cli.checkup import Health, examine
from settlement import ledger
from settlement.config import Settings
from settlement.errors import ChainContradicts
from settlement.store import migrate, open_engine, reading, require_current
from settlement.store.migrate import _config
from tests.builders.ports import BrokenChain
from tests.builders.rail import Rail, a_rail

READ_AT_ONCE = ("lane", "chain_tx", "settlement", "block")


@pytest.fixture
def rail(sqlite_url: str, tmp_path: Path) -> Iterator[Rail]:
    engine = open_engine(sqlite_url)
    with a_rail(engine, tmp_path, finality_confirmations=4) as made:
        yield made
    engine.dispose()


def _file(rail: Rail) -> Path:
    assert rail.engine.url.database is not None
    return Path(rail.engine.url.database)


def _on(rail: Rail, file: Path) -> Rail:
    """The same rail, its database another file."""
    engine = open_engine(f"sqlite:///{file}")
    return Rail(
        engine, rail.chain, rail.controls, rail.sandbox, rail.folder, rail.settings, rail.ids,
        rail.now,
    )  # fmt: skip


def test_a_file_without_its_write_ahead_log_is_an_old_backup_and_pays_nobody(
    rail: Rail, tmp_path: Path
) -> None:
    worker = rail.worker()
    rail.instructed()
    rail.settle_all(worker)
    with closing(sqlite3.connect(_file(rail))) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    rail.instructed()
    rail.settle_all(worker)
    copied = tmp_path / "hot.sqlite3"

    shutil.copyfile(_file(rail), copied)  # While it is in use, and without its -wal.
    old = _on(rail, copied)
    chain = BrokenChain(rail.chain)

    with pytest.raises(ChainContradicts, match="old backup"):
        for _ in range(5):
            old.tick(old.worker("worker-2", signer=rail.signer(), chain=chain))
            old.later(10)
    assert chain.sent == []
    assert {row.state for row in old.rows("SELECT state FROM lane")} == {"halted"}
    old.engine.dispose()


@pytest.mark.parametrize("table", READ_AT_ONCE)
def test_a_page_that_was_overwritten_stops_the_worker_and_the_doctor_says_so(
    rail: Rail, tmp_path: Path, table: str
) -> None:
    worker = rail.worker()
    rail.instructed(3)
    rail.settle_all(worker)
    rail.instructed()
    worker.stop()
    file = tmp_path / "damaged.sqlite3"
    with closing(sqlite3.connect(_file(rail))) as whole, closing(sqlite3.connect(file)) as copied:
        whole.backup(copied)
        page = copied.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)
        ).fetchone()[0]
        size = copied.execute("PRAGMA page_size").fetchone()[0]
    with file.open("r+b") as raw:
        raw.seek((page - 1) * size)
        raw.write(bytes(range(256)) * (size // 256))
    damaged = _on(rail, file)
    chain = BrokenChain(rail.chain)

    with pytest.raises(DatabaseError, match="malformed"):
        damaged.tick(damaged.worker("worker-2", signer=rail.signer(), chain=chain))
    settings = Settings(home=tmp_path, database_url=f"sqlite:///{file}")
    found = {each.check: each for each in examine(settings, rail.now)}

    assert chain.sent == []
    assert found["database"].health is Health.ILL
    damaged.engine.dispose()


def test_migrating_up_again_changes_no_entry_and_the_way_down_is_refused(
    engine: Engine, tmp_path: Path
) -> None:
    with a_rail(engine, tmp_path, finality_confirmations=4) as rail:
        rail.instructed()
        rail.settle_all(rail.worker())
        before = rail.rows("SELECT seq, hash FROM journal_entry ORDER BY seq")

        migrate(engine)
        config = _config()
        with engine.connect() as connection:
            config.attributes["connection"] = connection
            with pytest.raises(NotImplementedError, match="nothing before"):
                command.downgrade(config, "base")
        require_current(engine)

        assert rail.rows("SELECT seq, hash FROM journal_entry ORDER BY seq") == before
        with reading(engine) as session:
            assert ledger.verify_chain(session).holds
            assert session.execute(text("SELECT COUNT(*) FROM settlement")).scalar() == 1
