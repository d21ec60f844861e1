"""The same key and body get the same bytes, however often, whenever and wherever they arrive."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, text
from sqlmodel import Session
from starlette.testclient import TestClient

from gateway import access
from gateway.app import COMMANDS, create_app
from settlement import store
from settlement.config import Settings
from settlement.store import open_engine
from tests.gateway.builders import Door, a_json_invoice
from tests.invoices.builders import NOW

TWINS = 50


def _count(engine: Engine, table: str) -> int:
    with store.reading(engine) as session:
        found: int = (
            session.connection().execute(text(f"SELECT COUNT(*) FROM {table}")).scalar_one()
        )
    return found


def test_the_same_key_and_body_get_the_same_bytes_and_nothing_is_done_twice(door: Door) -> None:
    first = door.post("/v1/invoices", a_json_invoice(), "exporter", key="k1")
    second = door.post("/v1/invoices", a_json_invoice(), "exporter", key="k1")

    assert (first.status_code, second.status_code) == (201, 201)
    assert second.content == first.content
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert _count(door.engine, "invoice") == 1


def test_a_refusal_is_given_again_word_for_word(door: Door) -> None:
    invoice = door.post("/v1/invoices", a_json_invoice(), "exporter").json()["id"]
    body = {"invoice_id": invoice}

    first = door.post("/v1/settlements", body, "importer", key="early")
    door.post(f"/v1/invoices/{invoice}/accept", {}, "importer")
    again = door.post("/v1/settlements", body, "importer", key="early")
    later = door.post("/v1/settlements", body, "importer", key="late")

    assert first.status_code == 409
    assert (again.content, again.headers["Content-Type"]) == (
        first.content,
        "application/problem+json",
    )
    assert later.status_code == 201


def test_the_same_key_with_another_body_is_refused(door: Door) -> None:
    door.post("/v1/invoices", a_json_invoice(), "exporter", key="k1")

    answer = door.post("/v1/invoices", a_json_invoice("RE-2"), "exporter", key="k1")

    assert (answer.status_code, answer.json()["title"]) == (422, "Idempotency conflict")
    assert _count(door.engine, "invoice") == 1


def test_keys_of_different_callers_and_routes_never_meet(door: Door) -> None:
    invoice = door.post("/v1/invoices", a_json_invoice(), "exporter", key="k").json()["id"]

    accepted = door.post(f"/v1/invoices/{invoice}/accept", {}, "importer", key="k")
    made = door.post("/v1/settlements", {"invoice_id": invoice}, "treasury", key="k")

    assert (accepted.status_code, made.status_code) == (200, 201)


def test_a_repetition_with_the_rotated_key_gets_the_same_answer_and_pays_nothing_twice(
    door: Door,
) -> None:
    invoice = door.post("/v1/invoices", a_json_invoice(), "exporter").json()["id"]
    door.post(f"/v1/invoices/{invoice}/accept", {}, "importer")
    wanted = {"invoice_id": invoice, "amount": "10.00"}
    first = door.post("/v1/settlements", wanted, "importer", key="retry")
    prefix = door.keys["importer"][:16]
    door.keys["rotated"] = door.post(f"/v1/keys/{prefix}/rotate", {}, "admin").json()["key"]

    again = door.post("/v1/settlements", wanted, "rotated", key="retry")
    other = door.post("/v1/settlements", wanted, "treasury", key="retry")

    assert (first.status_code, again.content) == (201, first.content)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert other.json()["data"][0]["id"] != first.json()["data"][0]["id"]
    assert _count(door.engine, "settlement") == 2


def test_every_command_asks_for_a_key(door: Door) -> None:
    for command in COMMANDS:
        who = sorted(access.table()[command.name].roles)[0]
        path = re.sub(r"{\w+}", "x", command.path)

        answer = door.client.post(path, content=b"{}", headers=door.headers(who.value))

        assert answer.status_code == 400, (command.path, answer.text)
        assert answer.json()["errors"][0]["field"] == "Idempotency-Key"


@pytest.mark.parametrize("key", ["", "x" * 256, "two words\x7f"])
def test_a_key_that_is_none_is_refused(door: Door, key: str) -> None:
    answer = door.post("/v1/invoices", a_json_invoice(), "exporter", **{"Idempotency-Key": key})

    assert answer.status_code == 400


def test_fifty_twins_at_once_make_one_invoice_and_get_one_answer(door: Door) -> None:
    start = Barrier(TWINS)
    _let_twins_wait(door.app)

    def send(_: int) -> tuple[int, bytes]:
        start.wait()
        answer = door.post("/v1/invoices", a_json_invoice(), "exporter", key="twin")
        return answer.status_code, answer.content

    with ThreadPoolExecutor(TWINS) as pool:
        answers = set(pool.map(send, range(TWINS)))

    assert len(answers) == 1
    assert next(iter(answers))[0] == 201
    assert _count(door.engine, "invoice") == _count(door.engine, "idempotency") == 1


def test_twins_at_two_gateways_make_one_invoice_and_get_one_answer(
    door: Door, database_url: str, tmp_path: Path
) -> None:
    second_engine = open_engine(database_url)
    settings = Settings(home=tmp_path / "home")
    second = create_app(second_engine, settings, clock=lambda: NOW)
    start = Barrier(20)
    _let_twins_wait(door.app, second)

    with TestClient(second) as other:
        clients = [door.client, other]

        def send(place: int) -> tuple[int, bytes]:
            headers = {**door.headers("exporter"), "Idempotency-Key": f"pair-{place // 4}"}
            body = a_json_invoice(f"RE-{place // 4}")
            start.wait()
            answer = clients[place % 2].post("/v1/invoices", json=body, headers=headers)
            return answer.status_code, answer.content

        with ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(send, range(20)))
    second_engine.dispose()

    assert {status for status, _ in answers} == {201}
    assert len({body for _, body in answers}) == 5
    assert _count(door.engine, "invoice") == 5


def _let_twins_wait(*apps: FastAPI) -> None:
    """For as long as a busy machine takes for all of them in turn."""
    for app in apps:
        app.state.gateway.in_flight._wait_seconds = 60.0


def test_a_twin_of_what_is_still_in_flight_is_told_so(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first request is kept waiting in its commit; its twin gives up after its own time."""
    gateway = door.app.state.gateway
    monkeypatch.setattr(gateway.in_flight, "_wait_seconds", 0.05)
    is_committing, may_commit = Event(), Event()

    with _held_commits(door.engine, is_committing, may_commit), ThreadPoolExecutor(1) as pool:
        first = pool.submit(door.post, "/v1/invoices", a_json_invoice(), "exporter", "slow")
        assert is_committing.wait(60)
        twin = door.post("/v1/invoices", a_json_invoice(), "exporter", key="slow")
        other = door.post("/v1/invoices", a_json_invoice("RE-9"), "exporter", key="slow")
        may_commit.set()
        answered = first.result()
    again = door.post("/v1/invoices", a_json_invoice(), "exporter", key="slow")

    assert (twin.status_code, twin.json()["title"]) == (409, "Idempotency in flight")
    assert other.status_code == 422
    assert answered.status_code == 201
    assert again.content == answered.content


class _held_commits:  # noqa: N801 - reads as a sentence in a with statement.
    """Stops every commit that writes until it may go on."""

    def __init__(self, engine: Engine, is_committing: Event, may_commit: Event) -> None:
        from sqlalchemy import event

        self._event = event
        self._engine = engine
        self._is_committing, self._may_commit = is_committing, may_commit

    def __enter__(self) -> None:
        self._event.listen(self._engine, "commit", self._hold)

    def __exit__(self, *_: object) -> None:
        self._event.remove(self._engine, "commit", self._hold)

    def _hold(self, _connection: Session) -> None:
        self._is_committing.set()
        assert self._may_commit.wait(60)


def test_a_bug_in_one_request_leaves_its_neighbours_alone(door: Door) -> None:
    """Requests that share a commit are done one by one when the group fails."""
    broken = a_json_invoice("RE-broken")
    good = [a_json_invoice(f"RE-{number}") for number in range(8)]
    _break_inserts_of(door.engine, "RE-broken")
    start = Barrier(9)

    def send(body: dict) -> int:
        start.wait()
        status: int = door.post("/v1/invoices", body, "exporter").status_code
        return status

    with ThreadPoolExecutor(9) as pool:
        statuses = list(pool.map(send, [broken, *good]))

    assert statuses == [500] + [201] * 8
    assert _count(door.engine, "invoice") == 8
    assert door.post("/v1/invoices", a_json_invoice("RE-after"), "exporter").status_code == 201


def _break_inserts_of(engine: Engine, number: str) -> None:
    with store.transaction(engine) as session:
        if engine.name == "sqlite":
            session.connection().exec_driver_sql(
                "CREATE TRIGGER broken BEFORE INSERT ON invoice"
                f" WHEN NEW.number = '{number}' BEGIN SELECT RAISE(ABORT, 'bug'); END"
            )
        else:
            session.connection().exec_driver_sql(
                "CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS"
                " $$ BEGIN RAISE EXCEPTION 'bug'; END $$"
            )
            session.connection().exec_driver_sql(
                "CREATE TRIGGER broken BEFORE INSERT ON invoice FOR EACH ROW"
                f" WHEN (NEW.number = '{number}') EXECUTE FUNCTION broken()"
            )
