"""A database that cannot be used for a while: the same request succeeds afterwards."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, text
from starlette.testclient import TestClient

from gateway.app import create_app
from settlement.config import Settings
from settlement.store import open_engine
from tests.gateway.builders import Door, a_door, a_json_invoice
from tests.invoices.builders import NOW
from tests.postgres import PostgresServer


@pytest.fixture
def door(sqlite_url: str, tmp_path: Path) -> Iterator[Door]:
    engine = open_engine(sqlite_url)
    with a_door(engine, tmp_path) as opened:
        yield opened
    engine.dispose()


def is_told_to_come_again(answer: Any) -> None:
    assert answer.status_code == 503, answer.text
    assert answer.json()["type"] == "/problems/database-away"
    assert "same Idempotency-Key" in answer.json()["detail"]
    assert answer.headers["retry-after"] == "1"


def test_a_full_disk_refuses_what_writes_and_the_same_key_works_when_there_is_room(
    door: Door,
) -> None:
    def fill(driver: Any, _record: Any = None, _proxy: Any = None) -> None:
        pages = driver.execute("PRAGMA page_count").fetchone()[0]
        driver.execute(f"PRAGMA max_page_count={pages}")

    event.listen(door.engine, "checkout", fill)
    large = a_json_invoice(notes=["x" * 900] * 20)
    refused = door.post("/v1/invoices", large, "exporter", key="one")
    event.remove(door.engine, "checkout", fill)
    door.engine.dispose()

    is_told_to_come_again(refused)
    assert b"database or disk is full" in door.log.getvalue()
    assert door.get("/v1/invoices").json()["data"] == []
    assert door.post("/v1/invoices", large, "exporter", key="one").status_code == 201


def test_a_log_on_a_full_disk_too_hinders_no_answer(sqlite_url: str, tmp_path: Path) -> None:
    engine = open_engine(sqlite_url)
    with open("/dev/full", "wb", buffering=0) as log, a_door(engine, tmp_path) as door:
        app = create_app(engine, Settings(home=tmp_path), clock=lambda: NOW, log_stream=log)
        with TestClient(app) as client:
            file = Path(str(engine.url.database))
            os.rename(file, file.with_name("away"))
            refused = client.get("/v1/invoices", headers=door.headers("treasury"))
            os.rename(file.with_name("away"), file)
            found = client.get("/v1/invoices", headers=door.headers("treasury"))
    engine.dispose()

    is_told_to_come_again(refused)
    assert found.status_code == 200


def test_a_file_that_is_gone_takes_no_request_until_it_is_back(door: Door) -> None:
    file = Path(str(door.engine.url.database))
    os.rename(file, file.with_name("away"))

    is_told_to_come_again(door.post("/v1/invoices", a_json_invoice(), "exporter", key="one"))
    is_told_to_come_again(door.get("/v1/invoices"))
    assert door.get("/readyz").status_code == 503

    os.rename(file.with_name("away"), file)
    assert door.post("/v1/invoices", a_json_invoice(), "exporter", key="one").status_code == 201


def test_a_server_that_is_gone_is_told_without_its_address(
    postgres_server: PostgresServer, postgres_url: str, tmp_path: Path
) -> None:
    engine: Engine = open_engine(postgres_url)
    with a_door(engine, tmp_path) as door:
        postgres_server.drop(str(engine.url.database))

        answer = door.get("/v1/invoices")

        is_told_to_come_again(answer)
        assert str(engine.url.database) not in answer.text
    engine.dispose()


def test_sql_that_is_wrong_stays_a_bug(door: Door) -> None:
    with door.engine.begin() as connection:
        connection.execute(text("PRAGMA foreign_keys=OFF"))
        connection.execute(text("ALTER TABLE invoice RENAME TO elsewhere"))

    assert door.get("/v1/invoices").status_code == 500
