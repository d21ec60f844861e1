"""Which role may use which route: read from `access.yaml`, and nothing else decides it.

What a role may see of what a route shows is decided by `auth.Caller.party`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import yaml

from gateway.refusals import RoleNotAllowed
from settlement.access import Role
from settlement.errors import Fatal

TABLE = Path(__file__).with_name("access.yaml")
READ_ONLY = "read"
"""A scope that leaves only what changes nothing."""
_MEMBERS = ("who", "names", "own", "others", "missing", "shows_all")


class AccessTableInvalid(Fatal):
    """The table of who may use which route is not what it has to be; `line` counts from 1."""

    def __init__(self, line: int, fault: str) -> None:
        super().__init__(f"access.yaml, line {line}: {fault}")
        self.line = line


@dataclass(frozen=True, slots=True)
class Access:
    """One route's row. The statuses are what a caller gets who may use the route at all."""

    route: str
    group: str
    roles: frozenset[Role]
    names: str | None
    own: tuple[int, ...]
    """Empty: admitted, whatever the rail then says."""
    others: tuple[int, ...]
    missing: tuple[int, ...]
    shows_all: bool
    line: int


Table = Mapping[str, Access]


@cache
def table() -> Table:
    """Return every row by its route (method, space, path with its parameters).

    Raises:
        AccessTableInvalid: with the line.
    """
    return read_table(TABLE.read_text(encoding="utf-8"))


def groups() -> tuple[str, ...]:
    """Return the names of the groups of routes, to which a key's scope may be narrowed."""
    return tuple(dict.fromkeys(row.group for row in table().values()))


def require_complete(routes: Iterable[str]) -> None:
    """Return quietly if every route has a row and every row a route.

    Raises:
        AccessTableInvalid: one has not.
    """
    known = set(routes)
    for route in sorted(known - table().keys()):
        raise AccessTableInvalid(1, f"there is no row for {route}")
    for route, row in table().items():
        if route not in known:
            raise AccessTableInvalid(row.line, f"there is no route {route}")


def require(role: Role, route: str, scopes: str = "") -> None:
    """Return quietly if the role may use the route, and the key's scopes do not leave it out.

    Raises:
        RoleNotAllowed: it may not, or nobody put the route into the table.
    """
    if route not in allowed(role, scopes):
        raise RoleNotAllowed(role, route)


@lru_cache(maxsize=1024)
def allowed(role: Role, scopes: str) -> frozenset[str]:
    """Return the routes that a role may use; each scope only narrows them."""
    wanted = set(scopes.split())
    only_reads, wanted_groups = READ_ONLY in wanted, wanted - {READ_ONLY}
    return frozenset(
        route
        for route, row in table().items()
        if role in row.roles
        and (not only_reads or route.startswith("GET "))
        and (not wanted_groups or row.group in wanted_groups)
    )


def read_table(content: str) -> Table:
    """Return the rows of a table's text.

    Raises:
        AccessTableInvalid: it is no YAML, or not of this shape; with the line.
    """
    try:
        root = yaml.compose(content, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise AccessTableInvalid(line, f"no YAML: {error.problem}") from None
    parts = dict(_members(root)) if root else {}
    for name in ("audiences", "groups"):
        if name not in parts:
            raise AccessTableInvalid(1, f"there is no {name!r}")
    audiences = {name: _roles(node, {}) for name, node in _members(parts["audiences"])}
    rows: dict[str, Access] = {}
    for group, routes in _members(parts["groups"]):
        for route, node in _members(routes):
            if route in rows:
                raise AccessTableInvalid(_line(node), f"{route} has two rows")
            rows[route] = _row(route, group, node, audiences)
    return rows


def _row(
    route: str, group: str, node: yaml.Node, audiences: Mapping[str, frozenset[Role]]
) -> Access:
    members = dict(_members(node))
    for name in members:
        if name not in _MEMBERS:
            raise AccessTableInvalid(_line(members[name]), f"{route} has an unknown {name!r}")
    if "who" not in members:
        raise AccessTableInvalid(_line(node), f"{route} does not say who")
    names = _text(members["names"]) if "names" in members else None
    if "{" in route and names is None:
        raise AccessTableInvalid(_line(node), f"{route} does not say what its path names")
    return Access(
        route=route,
        group=group,
        roles=_roles(members["who"], audiences),
        names=names,
        own=_statuses(members.get("own"), ()),
        others=_statuses(members.get("others"), (404,)),
        missing=_statuses(members.get("missing"), (404,)),
        shows_all="shows_all" in members and _text(members["shows_all"]) == "true",
        line=_line(node),
    )


def _roles(node: yaml.Node, audiences: Mapping[str, frozenset[Role]]) -> frozenset[Role]:
    found: set[Role] = set()
    for each in node.value if isinstance(node, yaml.SequenceNode) else [node]:
        word = _text(each)
        if word in audiences:
            found |= audiences[word]
        elif word in tuple(Role):
            found.add(Role(word))
        else:
            raise AccessTableInvalid(_line(each), f"{word!r} is no role and no audience")
    return frozenset(found)


def _statuses(node: yaml.Node | None, usual: tuple[int, ...]) -> tuple[int, ...]:
    if node is None:
        return usual
    words = [_text(each) for each in
             (node.value if isinstance(node, yaml.SequenceNode) else [node])]  # fmt: skip
    if not all(word.isdecimal() and 200 <= int(word) < 500 for word in words):
        raise AccessTableInvalid(_line(node), f"{', '.join(words)}: statuses are 200 to 499")
    return tuple(int(word) for word in words)


def _members(node: yaml.Node) -> Iterator[tuple[str, yaml.Node]]:
    if not isinstance(node, yaml.MappingNode):
        raise AccessTableInvalid(_line(node), "names with values are expected here")
    seen: set[str] = set()
    for key, value in node.value:
        name = _text(key)
        if name in seen:
            raise AccessTableInvalid(_line(key), f"{name!r} is here twice")
        seen.add(name)
        yield name, value


def _text(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise AccessTableInvalid(_line(node), "one word is expected here")
    return str(node.value)


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
