"""A gateway that is killed loses no answered write and does nothing twice, wherever that is."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import Engine, text

from settlement import store
from tests.gateway.builders import a_json_invoice, the_keys
from tests.invoices.builders import NOW, Companies, a_rail

ROOT = Path(__file__).resolve().parents[2]
CLIENTS = 8
EACH = 5


@contextmanager
def _gateway(url: str, home: Path, commits: int = 0, die: str = "") -> Iterator[tuple[str, object]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.gateway.kill_target", url, str(home), str(commits)],
        cwd=ROOT,
        env={**os.environ, "DIE": die},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}", process
    finally:
        process.kill()
        process.communicate()


def _send(base: str, key: str, number: int) -> tuple[int, bytes] | None:
    """Return the answer, or None where none came."""
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": f"kill-{number}"}
    try:
        answer = httpx2.post(
            f"{base}/v1/invoices", json=a_json_invoice(f"K{number}"), headers=headers, timeout=120
        )
    except httpx2.TransportError:
        return None
    return answer.status_code, answer.content


def _send_all(base: str, key: str) -> dict[int, tuple[int, bytes] | None]:
    numbers = range(CLIENTS * EACH)
    with ThreadPoolExecutor(CLIENTS) as pool:
        return dict(
            zip(numbers, pool.map(lambda number: _send(base, key, number), numbers), strict=True)
        )


@pytest.mark.parametrize("die", ["before", "after"])
@pytest.mark.parametrize("commits", [1, 4])
def test_whatever_was_answered_is_there_and_the_rest_can_be_sent_again(
    engine: Engine, database_url: str, tmp_path: Path, commits: int, die: str
) -> None:
    with store.transaction(engine) as session:
        companies: Companies = a_rail(session)
    key = the_keys(engine, tmp_path, companies, NOW)["exporter"]

    with _gateway(database_url, tmp_path, commits, die) as (base, process):
        first = _send_all(base, key)
        assert process.wait(timeout=120) == -9  # type: ignore[attr-defined]
    with _gateway(database_url, tmp_path) as (base, _process):
        second = _send_all(base, key)

    answered = {number: answer for number, answer in first.items() if answer is not None}
    assert len(answered) < len(first), "it was killed in the middle"
    for number, answer in answered.items():
        assert answer[0] == 201
        assert second[number] == answer, "an answered write is lost or was done again"
    assert {answer[0] for answer in second.values() if answer} == {201}
    assert None not in second.values()
    for table in ("invoice", "invoice_event", "document", "idempotency"):
        with store.reading(engine) as session:
            count = session.connection().execute(text(f"SELECT COUNT(*) FROM {table}"))
            assert count.scalar_one() == CLIENTS * EACH, table
