"""A database file that lost its newest part, or a page: nothing is paid on what it says then."""

import gc
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Engine, text
from sqlalchemy.exc import DatabaseError

from gateway import processes
from gateway.cli.checkup import examine
from gateway.cli.checkup_records import Health
from gateway.worker import Progress
from settlement import ledger
from settlement.config import Settings
from settlement.errors import ChainContradicts
from settlement.ledger import JournalEdited
from settlement.store import migrate, open_engine, reading, require_current, transaction
from settlement.store.damage import DatabaseDamaged, read_through_beside
from settlement.store.migrate import _config
from tests.builders.ports import BrokenChain
from tests.builders.rail import Rail, a_rail

READ_AT_ONCE = ("lane", "chain_tx", "settlement", "block")
NEVER_READ = "invoice_event"
EDITS = (
    "UPDATE posting SET amount_minor = amount_minor * 2 WHERE entry_seq = :seq",
    "UPDATE journal_entry SET booked_at = booked_at + 1 WHERE seq = :seq",
    "UPDATE journal_entry SET prev_hash = hash WHERE seq = :seq",
    "DELETE FROM posting WHERE entry_seq = :seq AND line = 0",
)


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


def _damaged_copy(rail: Rail, folder: Path, table: str) -> Path:
    """A copy of the database whose first page of a table was overwritten."""
    file = folder / "damaged.sqlite3"
    with closing(sqlite3.connect(_file(rail))) as whole, closing(sqlite3.connect(file)) as copied:
        whole.backup(copied)
        page = copied.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)
        ).fetchone()[0]
        size = copied.execute("PRAGMA page_size").fetchone()[0]
    with file.open("r+b") as raw:
        raw.seek((page - 1) * size)
        raw.write(bytes(range(256)) * (size // 256))
    return file


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
    file = _damaged_copy(rail, tmp_path, table)
    damaged = _on(rail, file)
    chain = BrokenChain(rail.chain)

    with pytest.raises(DatabaseError, match="malformed"):
        damaged.tick(damaged.worker("worker-2", signer=rail.signer(), chain=chain))
    settings = Settings(home=tmp_path, database_url=f"sqlite:///{file}")
    found = {each.check: each for each in examine(settings, rail.now)}

    assert chain.sent == []
    assert found["database"].health is Health.ILL
    damaged.engine.dispose()


@pytest.fixture
def seldom_collected() -> Iterator[None]:
    """Take back what a worker's process does to the garbage collector."""
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)
    gc.unfreeze()


def test_a_damaged_page_that_no_tick_reads_lets_no_worker_begin(
    rail: Rail, tmp_path: Path, seldom_collected: None
) -> None:
    rail.instructed(3)
    damaged = _on(rail, _damaged_copy(rail, tmp_path, NEVER_READ))
    chain, stop = BrokenChain(rail.chain), threading.Event()
    worker = damaged.worker("worker-2", signer=rail.signer(), chain=chain)
    until = threading.Timer(60, stop.set)
    until.start()

    code = processes.run_worker(lambda: worker, stop)

    until.cancel()
    assert code == processes.HALTED
    assert not stop.is_set()
    assert chain.sent == []
    assert damaged.rows("SELECT * FROM clearance") == []
    (lane,) = damaged.rows("SELECT state, reason FROM lane")
    assert lane.state == "halted"
    assert "damaged" in lane.reason and "settle restore" in lane.reason
    damaged.engine.dispose()


def test_damage_that_is_found_while_it_works_halts_every_lane_before_the_next_step(
    rail: Rail, tmp_path: Path
) -> None:
    rail.instructed()
    damaged = _on(rail, _damaged_copy(rail, tmp_path, NEVER_READ))
    chain, found = BrokenChain(rail.chain), threading.Event()
    worker = damaged.worker("worker-2", signer=rail.signer(), chain=chain)
    stages = worker.stages(Progress(), damaged.now)

    with read_through_beside(
        damaged.engine, lambda _reason: found.set(), patience_seconds=0
    ) as require_whole:
        assert [next(stages), next(stages)] == ["follow", "clear"]
        assert found.wait(60)
        worker.require_whole = require_whole
        with pytest.raises(DatabaseDamaged, match="the database's file is damaged"):
            next(stages)

    assert chain.sent == []
    assert damaged.rows("SELECT * FROM clearance") == []
    assert {row.state for row in damaged.rows("SELECT state FROM lane")} == {"halted"}
    damaged.engine.dispose()


def test_a_whole_file_is_read_to_its_end_and_holds_nobody_up(rail: Rail) -> None:
    reasons: list[str] = []

    with read_through_beside(rail.engine, reasons.append, patience_seconds=20) as require_whole:
        require_whole()

    assert reasons == []


@pytest.mark.parametrize("edit", EDITS)
def test_a_newest_entry_that_was_edited_lets_no_worker_begin(rail: Rail, edit: str) -> None:
    worker = rail.worker()
    rail.instructed(3)
    rail.settle_all(worker)
    rail.instructed()
    worker.stop()
    for trigger in ("journal_entry_no_update", "posting_no_update", "posting_no_delete"):
        with transaction(rail.engine) as session:
            session.execute(text(f"DROP TRIGGER {trigger}"))
    newest = rail.one("SELECT MAX(seq) FROM journal_entry")
    rail.write(edit, seq=newest)
    chain = BrokenChain(rail.chain)
    begun = rail.worker("worker-2", chain=chain)

    for _ in range(3):
        with pytest.raises(JournalEdited, match=f"journal entry {newest} is not as it was posted"):
            rail.tick(begun)

    assert chain.sent == []
    assert "CLEARED" not in rail.states().values()


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
            with pytest.raises(NotImplementedError, match="restored backup"):
                command.downgrade(config, "base")
        require_current(engine)

        assert rail.rows("SELECT seq, hash FROM journal_entry ORDER BY seq") == before
        with reading(engine) as session:
            assert ledger.verify_chain(session).holds
            assert session.execute(text("SELECT COUNT(*) FROM settlement")).scalar() == 1
