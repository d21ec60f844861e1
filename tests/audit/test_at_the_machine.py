"""What is done at the machine, past the doors, is in the trail with the system's user."""

import json
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway import archive
from gateway.cli import app
from settlement import audit, store
from settlement.audit import AuditFilter, AuditRecord
from settlement.config import Settings
from settlement.verify import audit_chain

SIGNER = "0x" + "5e" * 20


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    """An installation with a lane."""
    settings = Settings(home=tmp_path / "home")
    engine = store.open_engine(f"sqlite:///{settings.home / 'settle.sqlite3'}")
    store.migrate(engine)
    with store.transaction(engine) as session:
        session.connection().exec_driver_sql(
            "INSERT INTO lane (signer, next_nonce, lease_fence, lease_until, state)"
            f" VALUES ('{SIGNER}', 0, 1, 0, 'active')"
        )
    engine.dispose()
    return settings


def type_(home: Settings, *words: str) -> None:
    said = CliRunner().invoke(app, list(words), env={"SETTLE_HOME": str(home.home)})
    assert said.exit_code == 0, (said.output, said.exception)


def events(home: Settings) -> list[AuditRecord]:
    engine = store.open_engine(f"sqlite:///{home.home / 'settle.sqlite3'}")
    with store.reading(engine) as session:
        found = list(audit.every(session, AuditFilter()))
    engine.dispose()
    return found


def test_pausing_a_lane_names_the_systems_user(home: Settings) -> None:
    type_(home, "lane", "pause", "--reason", "treasury asked")

    (event,) = events(home)

    assert event.hand.startswith("os:")
    assert (event.role, event.outcome) == ("machine", "paused")
    assert json.loads(event.subjects) == [SIGNER]


def test_a_key_that_is_issued_here_is_an_event_without_the_key(home: Settings) -> None:
    type_(home, "key", "issue", "admin", "--here")

    (event,) = events(home)

    (prefix,) = json.loads(event.subjects)
    assert event.act == "settle key issue"
    assert len(prefix) == len("stk_") + 12


def test_a_manifest_names_the_head_and_a_restore_is_an_event(
    home: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    type_(home, "lane", "pause", "--reason", "treasury asked")
    manifest = archive.write(home, tmp_path / "b.tar")

    archive.read(home, tmp_path / "b.tar", replace=True)

    first, second = events(home)
    database = f"sqlite:///{home.home / 'settle.sqlite3'}"
    code = audit_chain.main(["--database", database, "--head", manifest["audit_hash"], "--json"])
    answer = json.loads(capsys.readouterr().out)
    assert (manifest["audit_seq"], manifest["audit_hash"]) == (1, first.hash)
    assert second.act == "settle restore"
    assert (code, answer["holds"], answer["noted"]) == (0, True, 1)


def test_a_trail_that_was_cut_off_is_told_by_a_head_noted_elsewhere(
    home: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    for reason in ("one", "two"):
        type_(home, "lane", "pause", "--reason", reason)
    first, last = events(home)
    with sqlite3.connect(home.home / "settle.sqlite3") as database:
        for trigger in ("audit_event_no_delete",):
            database.execute(f"DROP TRIGGER {trigger}")
        database.execute("DELETE FROM audit_event WHERE seq = 2")
        database.execute("DELETE FROM audit_subject WHERE seq = 2")
        database.execute("UPDATE audit_head SET seq = 1, hash = ?", (first.hash,))
    url = f"sqlite:///{home.home / 'settle.sqlite3'}"

    without = audit_chain.main(["--database", url])
    known = audit_chain.main(["--database", url, "--head", last.hash])

    assert (without, known) == (0, 1)
    assert "cut off" in capsys.readouterr().out
