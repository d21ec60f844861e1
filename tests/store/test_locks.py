"""SQLite without its own locks: said before the first connection, or not at all."""

import _sqlite3
import ctypes
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

_THREADS = """
import sqlite3, sys, threading
from settlement.store import open_engine, transaction
from settlement.store.bulk import insert_rows, rows
from settlement.store.locks import leave_out_locks

said = leave_out_locks()
engine = open_engine(f"sqlite:///{sys.argv[1]}")
with transaction(engine) as session:
    rows(session, "CREATE TABLE t (who INTEGER, number INTEGER, absent TEXT)")

def write(who):
    for number in range(30):
        with transaction(engine) as session:
            insert_rows(session, "t", ("who", "number", "absent"), [(who, number, None)] * 50)

threads = [threading.Thread(target=write, args=(who,)) for who in range(6)]
for each in threads: each.start()
for each in threads: each.join()
with transaction(engine) as session:
    said_again = leave_out_locks()  # With a connection open: nothing may happen to it.
    print(rows(session, "SELECT COUNT(*), COUNT(absent) FROM t"), said, said_again)
"""


def _can_be_spoken_to() -> bool:
    """Whether this Python's SQLite is a library whose functions can be called."""
    with suppress(AttributeError, OSError):
        return bool(ctypes.CDLL(_sqlite3.__file__).sqlite3_config)
    return False


def _said(script: str, *arguments: str) -> str:
    found = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True
    )
    return found.stdout.strip()


def test_threads_with_a_connection_each_write_as_before(tmp_path: Path) -> None:
    expected = f"[(9000, 0)] {_can_be_spoken_to()} {_can_be_spoken_to()}"

    assert _said(_THREADS, str(tmp_path / "file.sqlite3")) == expected


def test_an_open_connection_keeps_its_locks() -> None:
    script = (
        "import sqlite3; from settlement.store.locks import leave_out_locks\n"
        "connection = sqlite3.connect(':memory:'); print(leave_out_locks())\n"
        "connection.close(); print(leave_out_locks())"
    )

    assert _said(script).split() == ["False", str(_can_be_spoken_to())]
