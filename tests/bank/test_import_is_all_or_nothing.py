"""A kill leaves nothing of a file, two at once leave one, and what is booked is posted once."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from settlement import bank
from settlement.clock import new_id
from settlement.ledger import balances
from settlement.store import open_engine, reading, transaction
from tests.bank.builders import Movement, a_camt, imported, stored, with_account
from tests.builders.ledger import NOW

KILLED = """
import os, signal, sys
from pathlib import Path
from datetime import datetime, UTC
from settlement import bank
from settlement.bank import storing
from settlement.clock import new_id
from settlement.store import open_engine

real, calls = storing.insert_rows, []

def insert_then_die(session, table, *rest):
    real(session, table, *rest)
    calls.append(table)
    if calls.count("bank_entry") == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)

storing.insert_rows = insert_then_die
bank.import_file(open_engine(sys.argv[1]), Path(sys.argv[2]), actor="test", ids=new_id,
                 now=datetime(2026, 11, 23, tzinfo=UTC))
"""


def many(count: int) -> bytes:
    return a_camt(*(Movement("1.00", reference=f"BK-{number}") for number in range(count)))


@pytest.mark.parametrize("block", [1, 2, 3])
def test_a_kill_in_the_middle_leaves_nothing_and_the_next_import_all(
    database_url: str, tmp_path: Path, block: int
) -> None:
    engine = open_engine(database_url)
    with_account(engine)
    path = tmp_path / "statement.xml"
    path.write_bytes(many(1_200))

    died = subprocess.run(
        [sys.executable, "-c", KILLED, database_url, str(path), str(block)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
        check=False,
    )

    assert died.returncode == -signal.SIGKILL
    assert stored(engine) == []
    with reading(engine) as session:
        assert bank.statements(session) == []
    assert imported(engine, tmp_path, many(1_200)).entries == 1_200
    with reading(engine) as session:
        assert session.execute(text("SELECT COUNT(*) FROM bank_entry")).scalar() == 1_200
    engine.dispose()


def test_two_imports_of_one_file_at_once_leave_one(engine: Engine, tmp_path: Path) -> None:
    with_account(engine)
    path = tmp_path / "statement.xml"
    path.write_bytes(many(600))
    results: list[bank.Imported] = []
    begin = threading.Barrier(3)

    def run() -> None:
        begin.wait()
        results.append(bank.import_file(engine, path, actor="test", ids=new_id, now=NOW))

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(result.is_new for result in results) == [False, False, True]
    assert len({result.file_id for result in results}) == 1
    with reading(engine) as session:
        assert session.execute(text("SELECT COUNT(*) FROM bank_entry")).scalar() == 600


def test_booked_entries_are_posted_once_and_nostro_is_the_closing_balance(
    engine: Engine, tmp_path: Path
) -> None:
    account = with_account(engine)
    told = a_camt(Movement("30.00", details=("10.00", "20.00")), message="camt.054")
    imported(engine, tmp_path, told)
    statement = a_camt(
        Movement("30.00"), Movement("-12.50", reference="BK-2"),
        Movement("99.00", reference="BK-3", status="PDNG"), opening="0.00",
    )  # fmt: skip
    imported(engine, tmp_path, statement)

    posted = [bank.post_all(engine, NOW, batch=2) for _ in range(2)]

    assert posted == [3, 0]
    nostro, clearing = f"nostro:{account}:EUR", f"clearing:{account}:EUR"
    with reading(engine) as session:
        sums = balances(session, [nostro, clearing])
        told_balance = bank.closing_balances(session, account, "2026-11-20")
        days = session.execute(text("SELECT DISTINCT value_date FROM journal_entry")).scalars()
        assert list(days) == ["2026-11-20"]
    assert told_balance is not None
    assert sums[nostro] == told_balance.minor == 1750
    assert sums[clearing] == -1750
    rows = stored(engine)
    assert [row.posted_seq is None for row in rows] == [False, False, True, False, True]


def test_a_posting_run_that_is_lost_before_its_commit_is_made_up_for(
    engine: Engine, tmp_path: Path
) -> None:
    with_account(engine)
    imported(engine, tmp_path, many(5))

    with pytest.raises(RuntimeError), transaction(engine) as session:
        assert bank.post_entries(session, NOW, limit=3) == 3
        raise RuntimeError

    assert bank.post_all(engine, NOW, batch=2) == 5
    with reading(engine) as session:
        assert session.execute(text("SELECT COUNT(*) FROM journal_entry")).scalar() == 5
