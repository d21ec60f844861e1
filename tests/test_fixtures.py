"""The databases that tests are given: real, migrated, apart from each other, and gone afterwards.

It does not test the store itself.
"""

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import Engine, inspect, text

from tests.postgres import DURABLE, binaries_are_present, start_postgres

ROOT = Path(__file__).resolve().parents[1]
needs_postgres = pytest.mark.skipif(
    not binaries_are_present(), reason="no PostgreSQL binaries for this system"
)


@pytest.mark.parametrize("turn", (1, 2))
def test_each_test_gets_a_migrated_database_without_what_the_last_one_left(
    engine: Engine, turn: int
) -> None:
    tables_before = inspect(engine).get_table_names()

    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE left_behind (number INTEGER)"))

    assert len(tables_before) > 5
    assert "left_behind" not in tables_before, f"seen in turn {turn}"


def test_the_engines_are_really_two(database_url: str, request: pytest.FixtureRequest) -> None:
    from settlement.store import open_engine

    engine = open_engine(database_url)

    with engine.connect() as connection:
        version = "SELECT version()" if engine.name == "postgresql" else "SELECT sqlite_version()"
        answer = str(connection.execute(text(version)).scalar_one())
    engine.dispose()

    named = request.node.callspec.params["database_url"]
    assert answer.startswith("PostgreSQL" if named == "postgres" else "3.")


def test_a_bare_database_has_no_table(bare_database_url: str) -> None:
    from settlement.store import open_engine

    engine = open_engine(bare_database_url)

    tables = inspect(engine).get_table_names()
    engine.dispose()

    assert tables == []


@needs_postgres
def test_a_server_can_be_asked_to_be_durable() -> None:
    server = start_postgres(DURABLE)
    try:
        with server._connect() as connection:
            row = connection.execute("SHOW fsync").fetchone()
    finally:
        server.stop()

    assert row == ("on",)
    assert not server.folder.exists()


@needs_postgres
@pytest.mark.parametrize("end", (signal.SIGKILL, signal.SIGINT))
def test_a_test_run_that_is_killed_leaves_no_server_and_no_folder(end: signal.Signals) -> None:
    program = (
        "import sys; from tests.postgres import start_postgres; server = start_postgres();"
        " print(server.folder, (server.folder / 'cluster/postmaster.pid').read_text().split()[0],"
        " server.keeper.pid, flush=True); sys.stdin.read()"
    )
    run = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert run.stdout is not None
    folder, server, keeper = run.stdout.readline().split()

    run.send_signal(end)
    run.communicate()

    assert _ends(int(server)) and _ends(int(keeper))
    assert not Path(folder).exists()


@needs_postgres
def test_a_keeper_that_is_killed_takes_the_server_with_it() -> None:
    server = start_postgres()
    pid = int((server.folder / "cluster" / "postmaster.pid").read_text().split()[0])

    server.keeper.kill()
    server.keeper.communicate()

    assert _ends(pid)
    subprocess.run(["rm", "-rf", server.folder], check=True)


def test_no_test_leaves_this_machine() -> None:
    with pytest.raises(AssertionError, match="only loopback"):
        socket.create_connection(("192.0.2.1", 9), timeout=1)
    with pytest.raises(AssertionError, match="only loopback"):
        socket.getaddrinfo("example.invalid", 80)


def _ends(pid: int) -> bool:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        # A zombie has ended; its new parent has only not looked yet.
        if state == "Z":
            return True
        time.sleep(0.01)
    return False
