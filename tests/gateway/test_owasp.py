"""Attacks at the door that are made from the document: every command, every list, every header."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import text

from gateway import access
from gateway.app import COMMANDS
from settlement import store
from settlement.access import keys
from settlement.store import open_engine
from tests.gateway.browser import signed_in
from tests.gateway.builders import Door
from tests.gateway.world import World, a_world, path_of

EXTRA = ("status", "tenant_id", "approved_by", "is_admin", "settled_at", "created_by")
CURSORS = (
    "' OR 1=1 --", "../../etc/passwd", "inv_" + "g" * 32, "INV_" + "0" * 32, "%00", "0" * 5_000,
    "stl_" + "f" * 31, "-1", "999999999999999999999999", "\u202e", "eyJhbGciOiJub25lIn0.e30.",
)  # fmt: skip
COUNTED = (
    "invoice", "settlement", "api_key", "person", "journal_entry", "break_event", "clearance",
    "outbox", "approval_request",
)  # fmt: skip


@pytest.fixture(scope="module")
def world(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("attacked")
    shutil.copyfile(sqlite_template, folder / "settle.sqlite3")
    engine = open_engine(f"sqlite:///{folder}/settle.sqlite3")
    with a_world(engine, folder) as opened:
        yield opened
    engine.dispose()


def _rows(world: World) -> dict[str, int]:
    with store.reading(world.door.engine) as session:
        return {
            table: session.connection().execute(text(f"SELECT COUNT(*) FROM {table}")).scalar_one()
            for table in COUNTED
        }


def _holder(route: str) -> str:
    return sorted(access.table()[route].roles)[0].value


def _properties(schema: Any) -> set[str]:
    """Every name that a schema, or a part of it, has."""
    if isinstance(schema, dict):
        own = set(schema["properties"]) if isinstance(schema.get("properties"), dict) else set()
        return own.union(*(_properties(each) for each in schema.values()))
    if isinstance(schema, list):
        return set().union(*(_properties(each) for each in schema))
    return set()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda each: each.name)
def test_no_command_takes_a_field_that_it_does_not_have(world: World, command: Any) -> None:
    example = next(iter(command.body.examples.values()), {})
    if not isinstance(example, dict):
        pytest.skip("its body is a document")
    thing = world.own(access.table()[command.name].names or "", "importer") or "inv_" + "0" * 32
    known = _properties(command.body.schema)
    before = _rows(world)

    for field in EXTRA:
        if field in known:
            continue
        answer = world.door.post(
            path_of(command.name, thing), {**example, field: "me"}, _holder(command.name)
        )
        assert answer.status_code == 422, (field, answer.text)
        assert field in answer.text, field
    assert _rows(world) == before


def test_a_cursor_that_was_changed_is_refused_or_leads_to_nothing(world: World) -> None:
    """Cursors are ids: they give no more than the caller may see, wherever they point."""
    document = world.door.client.get("/openapi.json").json()
    hidden = {world.things["invoice"], world.things["settlement"], world.door.companies.buyer}
    tried = 0
    for path, operations in document["paths"].items():
        for parameter in operations.get("get", {}).get("parameters", []):
            name = parameter["name"]
            if name not in ("starting_after", "ending_before", "after", "cursor", "page"):
                continue
            route = next(r for r in access.table() if r.replace(":path}", "}") == f"GET {path}")
            row = access.table()[route]
            who = "stranger" if "exporter" in row.roles else _holder(route)
            target = path_of(route, world.own(row.names or "", "exporter"))
            for cursor in (*CURSORS, *hidden):
                answer = world.door.get(target, who, params={name: cursor})
                tried += 1
                assert answer.status_code in (200, 404, 422), (route, name, cursor, answer.text)
                if who == "stranger" and answer.status_code == 200 and not row.shows_all:
                    assert not any(each in answer.text for each in hidden), (route, cursor)
    assert tried > 200


@pytest.mark.parametrize(
    "headers",
    [
        {"X-HTTP-Method-Override": "POST"},
        {"X-Method-Override": "DELETE"},
        {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"},
        {"X-Original-URL": "/v1/keys", "X-Rewrite-URL": "/v1/keys"},
        {"X-Forwarded-For": "127.0.0.1", "Forwarded": "for=127.0.0.1"},
        {"X-User": "admin", "X-Role": "admin", "X-Participant-Id": "par_x"},
    ],
)
def test_a_header_that_pretends_changes_no_answer(world: World, headers: dict[str, str]) -> None:
    before = _rows(world)

    for command in COMMANDS:
        if "{" in command.path:
            continue
        sent = {**world.door.headers("admin"), **headers}
        answer = world.door.client.get(f"{command.path}?_method=POST", headers=sent)
        plain = world.door.client.get(f"{command.path}?_method=POST",
                                      headers=world.door.headers("admin"))  # fmt: skip
        assert answer.status_code == plain.status_code, command.name
    as_stranger = {**world.door.headers("stranger"), **headers}
    assert world.door.client.get("/v1/keys", headers=as_stranger).status_code == 403
    assert _rows(world) == before


def test_a_credential_of_one_kind_is_none_of_another(door: Door) -> None:
    browser = signed_in(door)
    token = browser.cookies["settle"]
    key = door.keys["admin"]

    as_key = door.client.get("/v1/me", headers={"Authorization": f"Bearer {token}"})
    as_cookie = door.client.get("/v1/me", headers={"Cookie": f"settle={key}"})
    twice = door.client.get("/v1/me", headers={"Authorization": f"Bearer {key}, Bearer {key}"})
    in_query = door.client.get(f"/v1/me?access_token={key}&Authorization=Bearer%20{key}")

    assert {each.status_code for each in (as_key, as_cookie, twice, in_query)} == {401}


def test_a_wrong_key_and_an_unknown_one_cost_the_same_and_say_the_same(
    door: Door, monkeypatch: Any
) -> None:
    counted: list[str] = []
    hashed = keys.hashed
    monkeypatch.setattr(
        keys, "hashed", lambda pepper, key: counted.append(key) or hashed(pepper, key)
    )
    known = door.keys["treasury"]
    answers = [
        door.client.get("/v1/invoices", headers={"Authorization": f"Bearer {key}"})
        for key in (f"{known[:-4]}AAAA", "stk_000000000000" + known[16:])
    ]

    assert len(counted) == 2
    shown = [orjson.loads(answer.content) for answer in answers]
    for each in shown:
        each.pop("request_id")
    assert shown[0] == shown[1]
    assert [answer.status_code for answer in answers] == [401, 401]
