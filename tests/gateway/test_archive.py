"""Backup and restore: the same records, paused lanes, and no half-done restore."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway import archive
from settlement import ledger
from settlement.config import Settings
from settlement.errors import Conflict
from settlement.store import migrate, open_engine, transaction

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
SIGNER = "0x" + "ab" * 20


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    settings = Settings(home=tmp_path / "home")
    settings.home.mkdir()
    engine = open_engine(f"sqlite:///{settings.home}/settle.sqlite3")
    migrate(engine)
    with transaction(engine) as session:
        session.connection().exec_driver_sql(
            "INSERT INTO lane (signer, next_nonce, lease_fence, lease_until, state)"
            f" VALUES ('{SIGNER}', 7, 1, 0, 'active')"
        )
        source = ledger.Source(1, "0x" + "01" * 32, "", "2026-11-22")
        ledger.post(session, [ledger.entries.funding(SIGNER, 5, source, "test")], NOW)
    engine.dispose()
    return settings


def test_a_restored_copy_has_the_same_journal_and_paused_lanes(
    home: Settings, tmp_path: Path
) -> None:
    written = archive.write(home, tmp_path / "b.tar")

    other = Settings(home=tmp_path / "other")
    read = archive.read(other, tmp_path / "b.tar", replace=False)

    assert read == written
    with sqlite3.connect(other.home / "settle.sqlite3") as database:
        assert database.execute("SELECT seq, hash FROM journal_entry").fetchall() == [
            (written["journal_seq"], written["journal_hash"])
        ]
        state, reason = database.execute("SELECT state, reason FROM lane").fetchone()
    assert state == "paused"
    assert "`settle lane heal 0x" in reason and "`settle lane resume 0x" in reason


def test_what_is_there_is_replaced_only_when_told_and_kept_beside(
    home: Settings, tmp_path: Path
) -> None:
    archive.write(home, tmp_path / "b.tar")

    with pytest.raises(Conflict, match="there already"):
        archive.read(home, tmp_path / "b.tar", replace=False)
    archive.read(home, tmp_path / "b.tar", replace=True)

    with sqlite3.connect(home.home / "settle.sqlite3.before-restore") as kept:
        assert kept.execute("SELECT state FROM lane").fetchone() == ("active",)


@pytest.mark.parametrize("place", [600, 20_000, -2_000])
def test_a_damaged_backup_is_refused_and_nothing_is_changed(
    home: Settings, tmp_path: Path, place: int
) -> None:
    file = tmp_path / "b.tar"
    archive.write(home, file)
    content = bytearray(file.read_bytes())
    content[place] ^= 0xFF
    if place == -2_000:
        content = content[: len(content) // 2]
    file.write_bytes(content)
    before = (home.home / "settle.sqlite3").read_bytes()

    with pytest.raises(archive.BackupUnreadable):
        archive.read(home, file, replace=True)

    assert (home.home / "settle.sqlite3").read_bytes() == before


def test_a_backup_never_overwrites_a_file(home: Settings, tmp_path: Path) -> None:
    (tmp_path / "b.tar").write_text("mine")

    with pytest.raises(Conflict):
        archive.write(home, tmp_path / "b.tar")

    assert (tmp_path / "b.tar").read_text() == "mine"
