"""The table of who may use which route: read strictly, and every fault with its line."""

import pytest

from gateway import access
from gateway.access import AccessTableInvalid
from gateway.app import COMMANDS, QUERIES
from settlement.access import Role

START = """audiences:
  all: [exporter, admin]
groups:
  things:
    GET /v1/things: {who: all}
"""


def test_each_route_has_a_row_and_each_row_a_route() -> None:
    access.require_complete([route.name for route in COMMANDS] + [route.name for route in QUERIES])


def test_each_route_stands_under_its_tag() -> None:
    tags = {route.name: route.tag for route in COMMANDS}
    tags |= {route.name: route.tag for route in QUERIES}

    assert {name: row.group for name, row in access.table().items()} == tags


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        ("audiences: [", 1, "no YAML"),
        ("groups: {}\n", 1, "no 'audiences'"),
        (START + "    GET /v1/more: {names: thing}\n", 6, "does not say who"),
        (START + "    GET /v1/more: {who: king}\n", 6, "'king' is no role"),
        (START + "    GET /v1/more: {who: [all, king]}\n", 6, "'king' is no role"),
        (START + "    GET /v1/more: {who: all, whom: all}\n", 6, "unknown 'whom'"),
        (START + "    GET /v1/more/{id}: {who: all}\n", 6, "what its path names"),
        (START + "    GET /v1/more: {who: all, own: 500}\n", 6, "200 to 499"),
        (START + "    GET /v1/more: all\n", 6, "names with values"),
        (START + "    GET /v1/things: {who: admin}\n", 6, "twice"),
        (START + "  more:\n    GET /v1/things: {who: admin}\n", 7, "two rows"),
    ],
)
def test_a_fault_is_told_with_its_line(content: str, line: int, words: str) -> None:
    with pytest.raises(AccessTableInvalid, match=words) as caught:
        access.read_table(content)

    assert caught.value.line == line


def test_a_route_without_a_row_and_a_row_without_a_route_stop_the_gateway() -> None:
    names = list(access.table())

    with pytest.raises(AccessTableInvalid, match="no row for GET /v1/new"):
        access.require_complete([*names, "GET /v1/new"])
    with pytest.raises(AccessTableInvalid, match="no route"):
        access.require_complete(names[1:])


def test_a_scope_only_narrows() -> None:
    of_treasury = access.allowed(Role.TREASURY, "")

    assert access.allowed(Role.TREASURY, "read") == {r for r in of_treasury if r[:4] == "GET "}
    books = access.allowed(Role.TREASURY, "books")
    assert books < of_treasury and "POST /v1/periods/close" in books
    assert access.allowed(Role.TREASURY, "books read") == {r for r in books if r[:4] == "GET "}
    assert not access.allowed(Role.EXPORTER, "breaks")


def test_the_overseer_changes_nothing_but_where_they_are_signed_in() -> None:
    changing = {each for each in access.allowed(Role.OVERSEER, "") if not each.startswith("GET ")}

    assert changing == {"POST /v1/me/sessions/{session_id}/end"}
