"""Every route by every role on what is its own, another company's and not there: as the table says.

Generated from the OpenAPI document and `gateway/access.yaml`; the things are built once.
"""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from gateway import access
from gateway.access import Access
from gateway.app import COMMANDS
from gateway.auth import Role
from settlement.store import open_engine
from tests.gateway.world import OF_A_STRANGER, OF_BUYER, OF_SELLER, STAFF, World, a_world, path_of

EVERYBODY = (*OF_SELLER, *OF_BUYER, *OF_A_STRANGER, *STAFF)
REFUSED = "/problems/role-not-allowed"
NO_HEADERS = "/problems/no-header-evidence"
"""A chain in memory has none: what a proof is made of is asked for in tests/proof."""
UNUSED = {"session"}
"""A session is its person's alone: tests/gateway/test_sessions.py holds it."""


@pytest.fixture(scope="module")
def world(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("matrix")
    shutil.copy(sqlite_template, folder / "settle.sqlite3")
    engine = open_engine(f"sqlite:///{folder}/settle.sqlite3")
    with a_world(engine, folder) as opened:
        yield opened
    engine.dispose()


def _role(who: str) -> Role:
    word = {"stranger": "exporter", "stranger-importer": "importer", "seller-importer": "importer"}
    return Role(word.get(who, who))


def _ask(world: World, row: Access, who: str, thing: str | None, bodies: dict[str, Any]) -> Any:
    """Ask for a route as it would be asked for, with the document's own example of a body."""
    path = path_of(row.route, thing)
    if row.route.startswith("GET "):
        return world.door.get(path, who)
    return world.door.post(path, bodies.get(row.route, {}), who)


def _bodies() -> dict[str, Any]:
    found = {}
    for command in COMMANDS:
        body = next(iter(command.body.examples.values()), {})
        found[command.name] = body.encode() if isinstance(body, str) else body
    return found


@pytest.mark.parametrize("route", sorted(access.table()))
def test_each_role_gets_of_a_route_what_the_table_says(world: World, route: str) -> None:
    row, bodies = access.table()[route], _bodies()
    faults: list[str] = []
    for who in EVERYBODY:
        may = _role(who) in row.roles
        if row.names is None:
            answer = _ask(world, row, who, None, bodies)
            faults += _wrong(row, who, "", answer, may, ())
            continue
        is_of_others = not world.is_own(row.names, who)
        own = world.own(row.names, who)
        if own is not None:
            answer = _ask(world, row, who, own, bodies)
            expected = row.others if is_of_others and not row.shows_all else row.own
            faults += _wrong(row, who, "others" if is_of_others else "own", answer, may, expected)
        answer = _ask(world, row, who, world.missing(row.names), bodies)
        faults += _wrong(row, who, "missing", answer, may, row.missing)

    assert faults == []


def _wrong(
    row: Access, who: str, which: str, answer: Any, may: bool, expected: tuple[int, ...]
) -> list[str]:
    """What is wrong with an answer; nothing, if it is what the table says."""
    status = answer.status_code
    is_refused = status == 403 and REFUSED in answer.text
    said = f"{who} {which}: {status} {answer.text[:200]}"
    if not may:
        return [] if is_refused else [f"is not refused: {said}"]
    if NO_HEADERS in answer.text:
        return []
    if is_refused or status >= 500 or status == 401:
        return [f"is refused: {said}"]
    if expected and status not in expected:
        return [f"{expected} expected: {said}"]
    is_read = row.route.startswith("GET ") and which == "own" and not row.own
    # What a company may see of another's is told by `others`; its own is never hidden from it.
    if is_read and status not in (200, 409, 422):
        return [f"200 expected: {said}"]
    return []


def test_there_is_something_of_every_kind_that_a_route_names(world: World) -> None:
    named = {row.names for row in access.table().values() if row.names is not None}

    assert named - world.things.keys() - UNUSED == set()


def test_a_company_is_told_nothing_of_what_it_has_no_part_in(world: World) -> None:
    """Lists and reads: whatever a stranger may ask for names neither party nor its things."""
    hidden = {
        world.door.companies.seller, world.door.companies.buyer, world.rail.buyer_wallet.lower(),
        world.rail.seller_wallet.lower(), world.things["invoice"], world.things["settlement"],
    }  # fmt: skip
    for who in OF_A_STRANGER:
        for route, row in access.table().items():
            if _role(who) not in row.roles or not route.startswith("GET ") or row.shows_all:
                continue
            thing = world.own(row.names, who) if row.names else None
            text = _ask(world, row, who, thing, {}).text.lower()
            # A refusal repeats the path that was asked for, and no more than that.
            text = re.sub(r'"(?:instance|detail|message)":"[^"]*"', "", text)
            found = {each for each in hidden if each in text}
            assert not found, (who, route, text[:300])


def test_a_stranger_cannot_tell_what_is_anothers_from_what_is_not_there(world: World) -> None:
    """The same status, the same members, the same words but for the id that was asked for."""
    bodies = _bodies()
    for route, row in access.table().items():
        if row.names is None or row.shows_all or Role.IMPORTER not in row.roles:
            continue
        own, missing = world.own(row.names, "exporter"), world.missing(row.names)
        if own is None or row.others != row.missing:
            continue
        answers = [_ask(world, row, "stranger-importer", thing, bodies) for thing in (own, missing)]
        shown = [
            _plain(answer.json(), thing)
            for answer, thing in zip(answers, (own, missing), strict=True)
        ]
        assert answers[0].status_code == answers[1].status_code, route
        assert shown[0] == shown[1], route


def _plain(problem: dict[str, Any], thing: str) -> Any:
    problem.pop("request_id", None)
    return orjson.loads(orjson.dumps(problem).replace(thing.encode(), b"ID"))
