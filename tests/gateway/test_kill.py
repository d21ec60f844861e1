"""A gateway that is killed loses no answered write and does nothing twice, wherever that is."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
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


class Gateways:
    """Gateways one after the other; all are forked from one process, and cost no import."""

    def __init__(self) -> None:
        self._parent = subprocess.Popen(
            [sys.executable, "-m", "tests.gateway.kill_target"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    @contextmanager
    def one(self, url: str, home: Path, commits: int = 0, die: str = "") -> Iterator[str]:
        """A gateway's address; in the end it is killed, unless it has killed itself before."""
        assert self._parent.stdin is not None and self._parent.stdout is not None
        self._parent.stdin.write(json.dumps([url, str(home), commits, die]) + "\n")
        self._parent.stdin.flush()
        port, pid = json.loads(self._parent.stdout.readline())
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            ended = int(self._parent.stdout.readline())
        assert ended == -signal.SIGKILL

    def end(self) -> None:
        self._parent.communicate()


@pytest.fixture(scope="module")
def gateways() -> Iterator[Gateways]:
    made = Gateways()
    yield made
    made.end()


def _send(client: httpx2.Client, key: str, number: int) -> tuple[int, bytes] | None:
    """Return the answer, or None where none came."""
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": f"kill-{number}"}
    try:
        answer = client.post("/v1/invoices", json=a_json_invoice(f"K{number}"), headers=headers)
    except httpx2.TransportError:
        return None
    return answer.status_code, answer.content


def _send_all(base: str, key: str) -> dict[int, tuple[int, bytes] | None]:
    numbers = range(CLIENTS * EACH)
    with httpx2.Client(base_url=base, timeout=120) as client, ThreadPoolExecutor(CLIENTS) as pool:
        answers = pool.map(lambda number: _send(client, key, number), numbers)
        return dict(zip(numbers, answers, strict=True))


@pytest.mark.parametrize("die", ["before", "after"])
@pytest.mark.parametrize("commits", [1, 4])
def test_whatever_was_answered_is_there_and_the_rest_can_be_sent_again(
    engine: Engine,
    database_url: str,
    tmp_path: Path,
    gateways: Gateways,
    commits: int,
    die: str,
) -> None:
    with store.transaction(engine) as session:
        companies: Companies = a_rail(session)
    key = the_keys(engine, tmp_path, companies, NOW)["exporter"]

    with gateways.one(database_url, tmp_path, commits, die) as base:
        first = _send_all(base, key)
    with gateways.one(database_url, tmp_path) as base:
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
