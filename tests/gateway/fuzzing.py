"""Requests made from the OpenAPI document, and what of every answer has to hold. Schemathesis.

Each route is asked as a role that may use it, half of the time for what is really there, and now
and then with no key or a bad one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi import checks

from gateway import access
from gateway.auth import Role
from tests.gateway.world import World

CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]
STRANGERS_EVERY = 8
"""Of so many cases one comes without a key in force."""
BAD_KEYS = (
    None,
    "Bearer stk_000000000000_" + "x" * 43,
    "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiIsInJvbGUiOiJhZG1pbiJ9.",
    "Basic YWRtaW46YWRtaW4=",
    "Bearer",
)
NO_HEADERS = "/problems/no-header-evidence"
"""A chain in memory has none: what a proof is made of is asked for in tests/proof."""
BASE = "http://testserver"


@dataclass
class Found:
    """What came of the cases so far."""

    cases: int = 0
    strangers: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    reached: Counter[str] = field(default_factory=Counter)
    """Cases by route that were answered with success."""
    faults: dict[str, str] = field(default_factory=dict)
    """The first of each kind, by route and kind."""


def operations(world: World) -> Iterator[tuple[str, Any]]:
    """Yield every operation of the document by its route."""
    document = world.door.client.get("/openapi.json").json()
    for result in schemathesis.openapi.from_dict(document).get_all_operations():
        operation = result.ok()
        yield f"{operation.method.upper()} {operation.path}", operation


def ask(world: World, route: str, operation: Any, cases: int, start: int, found: Found) -> None:
    """Send so many requests of one operation, the same for the same `start`."""
    row = _rows().get(route)

    @seed(start)
    @settings(
        max_examples=cases, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck), verbosity=Verbosity.quiet, derandomize=False,
    )  # fmt: skip
    @given(operation.as_strategy(), st.integers(0, 2**30))
    def send(case: Any, _more: int) -> None:
        if found.cases >= limit:
            return
        found.cases += 1
        _send(world, route, row, case, found)

    limit = found.cases + cases
    send()


def _send(world: World, route: str, row: access.Access | None, case: Any, found: Found) -> None:
    # By turns, not drawn: hypothesis likes zeros, and each route is to get its share of all kinds.
    turn = found.cases
    if row is not None and row.names and turn % 2:
        own = world.own(row.names, "exporter")
        if own is not None:
            case.path_parameters = dict.fromkeys(case.path_parameters or {}, own)
    prepared = _prepared(case)
    headers = {
        name: value for name, value in prepared.headers.items() if name.lower() != "authorization"
    }
    is_stranger = row is not None and turn % STRANGERS_EVERY == 0
    if is_stranger:
        found.strangers += 1
        bad = BAD_KEYS[turn // STRANGERS_EVERY % len(BAD_KEYS)]
        headers |= {} if bad is None else {"Authorization": bad}
    elif row is not None:
        headers |= world.door.headers(_holder(row, turn // 2))
    answer = world.door.client.request(
        prepared.method, prepared.url, content=prepared.body, headers=headers
    )
    found.statuses[answer.status_code] += 1
    if answer.status_code < 300:
        found.reached[route] += 1
    if is_stranger and answer.status_code not in (401, 404):
        _note(found, route, f"{answer.status_code} without a key in force", answer.text)
    if NO_HEADERS in answer.text:
        return
    try:
        case.validate_response(answer, checks=CHECKS)
    except (AssertionError, BaseExceptionGroup) as error:
        sent = f"{prepared.url}\n{(prepared.body or b'')[:500]!r}"
        words = f"{error} {error.args}\n{sent}\n{answer.text[:800]}\n{_logged(world)}"
        _note(found, route, f"{answer.status_code}", words)


def _logged(world: World) -> str:
    """What the gateway's log says last: the traceback of a bug."""
    return world.door.log.getvalue()[-3000:].decode("utf-8", "replace")


def _note(found: Found, route: str, kind: str, words: str) -> None:
    found.faults.setdefault(f"{route}: {kind}", words[:8000])


def _prepared(case: Any) -> requests.PreparedRequest:
    wanted = ("method", "url", "params", "headers", "data", "json", "cookies", "files")
    given_ = {
        name: value
        for name, value in case.as_transport_kwargs(base_url=BASE).items()
        if name in wanted
    }
    return requests.Request(**given_).prepare()


def _holder(row: access.Access, turn: int) -> str:
    """Whose key is used: by turns of those who may."""
    roles = sorted(row.roles)
    return Role(roles[turn % len(roles)]).value


def _rows() -> dict[str, access.Access]:
    return {re.sub(r":path\}", "}", route): row for route, row in access.table().items()}
