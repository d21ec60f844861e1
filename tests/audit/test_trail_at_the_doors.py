"""Every act through the doors is in the trail, with who, what, from where and how it ended."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import orjson
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from starlette.testclient import TestClient

from settlement import audit, store
from settlement.audit import AuditFilter, AuditRecord
from tests.gateway.builders import Door, a_door, a_json_invoice


@pytest.fixture
def door(engine: Engine, tmp_path: Path) -> Iterator[Door]:
    with a_door(engine, tmp_path / "home") as opened:
        yield opened


def events(door: Door, **wanted: str) -> list[AuditRecord]:
    door.app.state.gateway.trail.flush()
    with store.reading(door.engine) as session:
        return list(audit.every(session, AuditFilter(**wanted)))


def test_an_invoice_that_is_taken_in_is_an_event(door: Door) -> None:
    body = orjson.dumps(a_json_invoice())
    answer = door.post(
        "/v1/invoices", body, "exporter", "key-of-mine", **{"X-Forwarded-For": "6.6.6.6"}
    )

    (event,) = events(door)
    key = door.keys["exporter"]

    assert answer.status_code == 201
    assert (event.seq, event.act, event.outcome) == (1, "POST /v1/invoices", "201")
    assert (event.role, event.key_prefix) == ("exporter", key[:16])
    assert event.hand == event.key_prefix
    assert event.origin == "testclient"
    assert event.idempotency_key == "key-of-mine"
    assert event.body_hash == sha256(body).hexdigest()
    assert event.request_id == answer.headers["X-Request-Id"]
    assert answer.json()["id"] in orjson.loads(event.subjects)
    assert [each.seq for each in events(door, subject=answer.json()["id"])] == [1]


def test_the_same_request_again_is_no_second_act(door: Door) -> None:
    for _ in range(2):
        door.post("/v1/invoices", a_json_invoice(), "exporter", "twice")

    assert len(events(door)) == 1


def test_a_refused_command_is_an_event_with_its_problem(door: Door) -> None:
    door.post("/v1/invoices", a_json_invoice(), "exporter")
    door.post("/v1/invoices", a_json_invoice(), "exporter")

    assert [(each.outcome, each.problem) for each in events(door)] == [
        ("201", None),
        ("409", "duplicate-invoice"),
    ]


def test_attempts_that_a_role_may_not_make_are_counted_in_one_event(door: Door) -> None:
    for _ in range(5):
        door.post("/v1/invoices", a_json_invoice(), "overseer")

    (event,) = events(door)

    assert (event.outcome, event.problem, event.repeated) == ("403", "role-not-allowed", 5)
    assert event.hand == door.keys["overseer"][:16]


def test_strangers_cost_no_event_each_and_leave_their_network_alone(door: Door) -> None:
    client = TestClient(door.app, client=("203.0.113.77", 1), raise_server_exceptions=False)
    for number in range(40):
        client.get(f"/v1/invoices/{number}", headers={"Authorization": f"Bearer stk_{number}"})

    (event,) = events(door)

    assert (event.outcome, event.repeated, event.hand) == ("401", 40, "")
    assert event.origin == "203.0.113.0/24"


def test_many_networks_without_a_key_are_few_events(door: Door) -> None:
    for number in range(60):
        client = TestClient(door.app, client=(f"10.0.{number}.1", 1), raise_server_exceptions=False)
        client.get("/v1/invoices")

    found = events(door)

    assert len(found) <= 17
    assert sum(each.repeated for each in found) == 60


def test_staff_reading_a_document_is_recorded_and_a_companys_own_reading_is_not(
    door: Door,
) -> None:
    invoice = door.post("/v1/invoices", a_json_invoice(), "exporter").json()["id"]
    for who in ("exporter", "overseer"):
        door.get(f"/v1/invoices/{invoice}/document", who)

    reads = [each for each in events(door) if each.outcome == "read"]

    assert [(each.role, each.act) for each in reads] == [
        ("overseer", "GET /v1/invoices/{invoice_id}/document")
    ]
    assert orjson.loads(reads[0].subjects) == [invoice]


def test_a_group_that_rolls_back_leaves_no_event(engine: Engine, door: Door) -> None:
    act = audit.Act("per_anna", "treasury", "test")
    with pytest.raises(RuntimeError), store.transaction(engine) as session:
        audit.record(session, act, door.app.state.gateway.clock())
        raise RuntimeError

    assert events(door) == []


def test_the_chain_of_hashes_leads_from_zeros_to_the_head(door: Door) -> None:
    for number in range(3):
        door.post("/v1/invoices", a_json_invoice(f"RE-{number}"), "exporter")

    found = events(door)
    with store.reading(door.engine) as session:
        head = audit.head(session)

    assert [each.seq for each in found] == [1, 2, 3]
    assert [each.prev_hash for each in found] == ["0" * 64, found[0].hash, found[1].hash]
    assert head == (3, found[2].hash)


@pytest.mark.parametrize("act", ["UPDATE audit_event SET hand = 'x'", "DELETE FROM audit_event"])
def test_the_database_refuses_to_change_the_trail(door: Door, act: str) -> None:
    door.post("/v1/invoices", a_json_invoice(), "exporter")

    with (
        pytest.raises(Exception, match="append-only"),
        store.transaction(door.engine) as session,
    ):
        session.connection().execute(text(act))


def test_what_somebody_writes_into_a_path_keeps_no_other_act_from_the_trail(door: Door) -> None:
    for name in ("a%00b", "a%1b%5b31mb", "a%e2%80%aeb"):
        assert door.post(f"/v1/settlements/{name}/release", {}, "treasury").status_code == 404

    told = [orjson.loads(each.subjects) for each in events(door)]

    assert len(told) == 3
    assert all("a\ufffd" in str(subjects) for subjects in told)


def test_what_could_not_be_written_is_written_by_the_next_turn(door: Door) -> None:
    trail = door.app.state.gateway.trail
    assert door.post("/v1/settlements", {}, "overseer").status_code == 403
    with store.transaction(door.engine) as session:
        session.connection().execute(text("ALTER TABLE audit_event RENAME TO gone"))
    with pytest.raises(DBAPIError):
        trail.flush()
    with store.transaction(door.engine) as session:
        session.connection().execute(text("ALTER TABLE gone RENAME TO audit_event"))

    assert [each.outcome for each in events(door)] == ["403"]
