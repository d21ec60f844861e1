"""Methods of HTTP: what a path has is said where it is asked otherwise, and HEAD is a GET."""

from __future__ import annotations

import pytest

from tests.gateway.builders import Door

ALLOWED = [
    ("DELETE", "/v1/invoices", "GET, HEAD, POST"),
    ("OPTIONS", "/v1/invoices/inv_1", "GET, HEAD"),
    ("PUT", "/v1/settlements/stl_1/hold", "POST"),
    ("POST", "/healthz", "GET, HEAD"),
    ("DELETE", "/console/sign-in", "GET, HEAD, POST"),
]


@pytest.mark.parametrize(("method", "path", "allowed"), ALLOWED)
def test_a_method_that_a_path_has_not_is_answered_with_those_that_it_has(
    door: Door, method: str, path: str, allowed: str
) -> None:
    answer = door.client.request(method, path)

    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
    assert answer.json()["errors"][0]["repair"] == f"use one of {allowed}"


@pytest.mark.parametrize("path", ["/healthz", "/docs", "/v1/invoices", "/v1/invoices/inv_none"])
def test_head_is_answered_as_get_without_its_body(door: Door, path: str) -> None:
    headers = door.headers("overseer")
    shown = door.client.get(path, headers=headers)

    answer = door.client.head(path, headers=headers)

    assert (answer.status_code, answer.content) == (shown.status_code, b"")
    for name in ("content-type", "x-content-type-options"):
        assert answer.headers[name] == shown.headers[name]


def test_head_needs_the_key_that_get_needs(door: Door) -> None:
    assert door.client.head("/v1/invoices").status_code == 401
