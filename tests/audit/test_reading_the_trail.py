"""The trail at the doors: who may read it, by what, and what an erasure leaves of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from gateway import auth
from gateway.api.audit import AuditList
from gateway.auth import Role
from settlement import store
from settlement.access import open_vault
from settlement.verify import audit_chain
from settlement.verify.database import Database
from tests.gateway.builders import NOW, Door, a_door, a_json_invoice
from tests.gateway.people import a_person


@pytest.fixture
def door(engine: Engine, tmp_path: Path) -> Iterator[Door]:
    with a_door(engine, tmp_path / "home") as opened:
        yield opened


def test_the_trail_is_read_newest_first_page_by_page(door: Door) -> None:
    for number in range(3):
        door.post("/v1/invoices", a_json_invoice(f"RE-{number}"), "exporter")

    first = door.get("/v1/audit?limit=2", "overseer").json()
    second = door.get(
        f"/v1/audit?limit=2&starting_after={first['data'][-1]['seq']}", "admin"
    ).json()

    AuditList.model_validate(first)
    assert [each["seq"] for each in first["data"] + second["data"]] == [3, 2, 1]
    assert (first["has_more"], second["has_more"]) == (True, False)
    assert first["head"] == first["data"][0]["hash"]


@pytest.mark.parametrize(
    "query",
    ["act=POST /v1/invoices", "outcome=201", "since=2026-01-01T00:00:00Z", "until=2030-01-01"],
)
def test_what_is_asked_narrows_the_list(door: Door, query: str) -> None:
    door.post("/v1/invoices", a_json_invoice(), "exporter")

    wanted = door.get(f"/v1/audit?{query}", "compliance").json()["data"]
    other = door.get("/v1/audit?hand=per_nobody", "compliance").json()["data"]

    assert len(wanted) == 1
    assert other == []


@pytest.mark.parametrize("who", ["treasury", "approver", "exporter", "importer"])
def test_others_do_not_read_the_trail(door: Door, who: str) -> None:
    assert door.get("/v1/audit", who).status_code == 403


def test_an_erased_person_leaves_a_chain_that_holds(
    door: Door, database_url: str, tmp_path: Path
) -> None:
    person = a_person(door)
    with store.transaction(door.engine) as session:
        key = auth.issue_key(
            session, auth.open_pepper(tmp_path / "home"), role=Role.TREASURY, participant_id=None,
            now=NOW, person_id=person,
        )  # fmt: skip
    client = TestClient(door.app, client=("198.51.100.7", 1), raise_server_exceptions=False)
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": "k"}
    client.post("/v1/settlements", json={"invoice_id": "inv_none"}, headers=headers)

    before = door.get(f"/v1/audit?hand={person}", "overseer").json()["data"]
    with store.transaction(door.engine) as session:
        open_vault(tmp_path / "home").erase(session, person, NOW)
    after = door.get(f"/v1/audit?hand={person}", "overseer").json()["data"]

    assert [each["origin"] for each in before] == ["198.51.100.7"]
    assert [each["origin"] for each in after] == [None]
    assert [each["hash"] for each in after] == [each["hash"] for each in before]
    with store.reading(door.engine) as session:
        stored = session.connection().exec_driver_sql("SELECT origin FROM audit_event").scalars()
        assert all("198.51" not in each for each in stored)
    database = Database(database_url)
    assert audit_chain.read(database).holds
    database.close()
