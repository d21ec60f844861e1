"""What the doors refuse: each with its status, its place and its repair, and nothing half done."""

import time
from typing import Any

import orjson
import pytest
from sqlalchemy import text

from gateway.commands import BODY_MAX
from settlement import store
from tests.gateway.builders import Door, a_json_invoice
from tests.invoices.builders import an_lei


@pytest.fixture
def accepted(door: Door) -> str:
    """An accepted invoice of 1,190.00 EUR."""
    invoice: str = door.post("/v1/invoices", a_json_invoice(), "exporter").json()["id"]
    door.post(f"/v1/invoices/{invoice}/accept", {}, "importer")
    return invoice


def _rows(door: Door) -> tuple[int, ...]:
    tables = ("document", "invoice", "settlement", "outbox", "journal_entry")
    with store.reading(door.engine) as session:
        return tuple(
            session.connection().execute(text(f"SELECT COUNT(*) FROM {table}")).scalar_one()
            for table in tables
        )


def _is_problem(answer: Any) -> dict[str, Any]:
    assert answer.headers["Content-Type"] == "application/problem+json", answer.text
    problem: dict[str, Any] = answer.json()
    assert problem["status"] == answer.status_code
    assert problem["request_id"] == answer.headers["X-Request-Id"]
    assert problem["detail"] and problem["title"] and problem["type"].startswith("/problems/")
    return problem


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/v1/screening/check?name=", "name"),
        ("/v1/statements/rail:fees:TEUR?day=2026-13-01", "day"),
        ("/v1/invoices?limit=0", "limit"),
        ("/v1/reconciliation/matches?live=perhaps", "live"),
    ],
)
def test_a_parameter_s_refusal_says_what_to_send(door: Door, path: str, field: str) -> None:
    problem = _is_problem(door.get(path, "compliance"))

    (fault,) = problem["errors"]
    assert (problem["status"], fault["field"]) == (422, field)
    assert fault["repair"]


@pytest.mark.parametrize(
    "amount",
    [
        "1e3",
        "NaN",
        "Infinity",
        "-1",
        "+1",
        "0",
        "0.00",
        "1.001",
        "1,00",
        " 1",
        "1 ",
        "01",
        ".5",
        "1.",
        "",
        "9223372036854775808",
        "1" * 39,
        "\u0661",
        "0x10",
        "1_000",
    ],
)
def test_an_amount_is_a_plain_decimal_string_above_zero(
    door: Door, accepted: str, amount: str
) -> None:
    before = _rows(door)

    body = {"invoice_id": accepted, "amount": amount}
    problem = _is_problem(door.post("/v1/settlements", body, "importer"))

    assert problem["status"] == 422
    assert problem["errors"][0]["field"] == "amount" and problem["errors"][0]["repair"]
    assert _rows(door) == before


@pytest.mark.parametrize("amount", ["100", "1e400", "1.5", "NaN", "true", "null", "[]", "{}"])
def test_an_amount_that_is_no_json_string_is_refused(
    door: Door, accepted: str, amount: str
) -> None:
    before = _rows(door)
    raw = f'{{"invoice_id": "{accepted}", "amount": {amount}}}'.encode()

    answer = door.post("/v1/settlements", raw, "importer")

    if amount == "null":
        assert answer.status_code == 201  # The same as leaving it out.
        return
    assert _is_problem(answer)["status"] in (400, 422)
    assert _rows(door) == before


@pytest.mark.parametrize("value", ["1190", "1190.0e0", "NaN", "1e400", "-Infinity"])
def test_an_invoices_amount_that_is_no_string_is_refused(door: Door, value: str) -> None:
    raw = orjson.dumps(a_json_invoice()).replace(
        b'"payable":"1190.00"', b'"payable":' + value.encode()
    )
    before = _rows(door)

    problem = _is_problem(door.post("/v1/invoices", raw, "exporter"))

    assert problem["status"] == 422 and problem["errors"][0]["repair"]
    assert _rows(door) == before


DEEP = b'{"a":' * 5000 + b"1" + b"}" * 5000
DEEP_ESCAPED = b'{"b":"\\u0041","a":' + b"[" * 1000 + b"]" * 1000 + b"}"
BODIES = {
    "nothing": b"",
    "no json": b"{",
    "a twin key": b'{"reason":"x","reason":"y"}',
    "a twin key with escapes": b'{"reason":"x","re\\u0061son":"y"}',
    "a list": b"[]",
    "a string": b'"x"',
    "wrong encoding": '{"reason":"ä"}'.encode("latin-1"),
    "utf-16": '{"reason":"x"}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"reason":"x"}',
    "a lone surrogate": b'{"reason":"\\ud800"}',
    "nested deeply": DEEP,
    "nested deeply, with escapes": DEEP_ESCAPED,
    "an unknown field": b'{"reason":"x","state":"ACCEPTED"}',
    "a number": b'{"reason":1}',
    "nul": b'{"reason":"a\\u0000b"}',
    "an escape sequence": b'{"reason":"\\u001b[31mred"}',
    "hidden direction": '{"reason":"a\u202eb"}'.encode(),
    "too long": orjson.dumps({"reason": "x" * 501}),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_is_none_is_refused_in_bounded_time(door: Door, name: str) -> None:
    invoice = door.post("/v1/invoices", a_json_invoice(), "exporter").json()["id"]
    before = _rows(door)
    began = time.monotonic()

    problem = _is_problem(door.post(f"/v1/invoices/{invoice}/reject", BODIES[name], "importer"))

    assert problem["status"] in (400, 422), name
    assert time.monotonic() - began < 5
    assert _rows(door) == before


@pytest.mark.parametrize("name", sorted(set(BODIES) - {"nothing"}))
def test_a_document_that_is_none_is_refused(door: Door, name: str) -> None:
    before = _rows(door)

    problem = _is_problem(door.post("/v1/invoices", BODIES[name], "exporter"))

    assert problem["status"] in (415, 422), name
    assert problem["errors"][0]["rule_id"]
    assert _rows(door) == before


def test_every_broken_rule_is_named_at_once_with_place_finding_and_repair(door: Door) -> None:
    broken = a_json_invoice(currency="XXX", due_date="2026-13-01")
    broken["totals"]["payable"] = "1190.01"
    del broken["buyer"]["name"]

    problem = _is_problem(door.post("/v1/invoices", broken, "exporter"))

    assert len(problem["errors"]) >= 1
    for fault in problem["errors"]:
        assert set(fault) == {"field", "rule_id", "found", "message", "repair"}


def test_the_arithmetic_is_checked_by_the_standards_rule(door: Door) -> None:
    broken = a_json_invoice()
    broken["totals"]["tax_inclusive"] = "1190.01"

    problem = _is_problem(door.post("/v1/invoices", broken, "exporter"))

    assert "BR-CO-15" in {fault["rule_id"] for fault in problem["errors"]}


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        ({"currency": "NOK"}, "Currency not listed"),
        ({"seller": {"name": "X", "lei": an_lei("9999x"), "address": {"country": "DE"}}}, None),
    ],
)
def test_an_unknown_currency_or_party_is_refused(
    door: Door, changes: dict[str, Any], title: str | None
) -> None:
    problem = _is_problem(door.post("/v1/invoices", a_json_invoice(**changes), "exporter"))

    assert problem["status"] == 422
    assert title is None or problem["title"] == title


def test_a_body_over_the_limit_is_refused_whether_it_says_so_or_not(door: Door) -> None:
    headers = {**door.headers("exporter"), "Idempotency-Key": "big"}

    def in_parts():
        for _ in range(12):
            yield b" " * (BODY_MAX // 10)

    said = door.client.post("/v1/invoices", content=b" " * (BODY_MAX + 1), headers=headers)
    unsaid = door.client.post("/v1/invoices", content=in_parts(), headers=headers)

    for answer in (said, unsaid):
        assert _is_problem(answer)["status"] == 413


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=101",
        "limit=x",
        "state=GONE",
        "starting_after=inv_1",
        "starting_after=%27%20OR%201%3D1",
        "currency=eur",
        "issued_from=yesterday",
        "starting_after=inv_00000000000000000000000000000000&ending_before="
        "inv_00000000000000000000000000000000",
    ],
)
def test_a_list_is_asked_for_properly_or_not_at_all(door: Door, query: str) -> None:
    problem = _is_problem(door.get(f"/v1/invoices?{query}"))

    assert problem["status"] == 422 and problem["errors"][0]["field"]


def test_a_parameter_that_nobody_knows_is_refused(door: Door, accepted: str) -> None:
    misspelt = _is_problem(door.get("/v1/invoices?stat=PAID&limit=1"))
    tried = _is_problem(door.post("/v1/settlements?dry_run=", {"invoice_id": accepted}, "importer"))

    for problem, name in ((misspelt, "stat"), (tried, "dry_run")):
        assert problem["status"] == 422 and problem["errors"][0]["field"] == name
    assert "limit" in misspelt["errors"][0]["repair"]
    assert door.get("/v1/settlements").json()["data"] == []


def test_what_a_caller_must_not_set_is_refused(door: Door, accepted: str) -> None:
    for extra in ({"state": "SETTLED"}, {"approved_by": "me"}, {"debtor_id": "par_x"}):
        answer = door.post("/v1/settlements", {"invoice_id": accepted, **extra}, "importer")
        assert _is_problem(answer)["status"] == 422


def test_unknown_paths_and_methods_are_problems_too(door: Door) -> None:
    assert _is_problem(door.client.get("/v1/nowhere"))["status"] == 404
    assert _is_problem(door.client.delete("/v1/invoices"))["status"] == 405
    assert _is_problem(door.get("/v1/invoices/inv_none"))["status"] == 404


@pytest.mark.parametrize("who", ["X-Forwarded-For", "X-HTTP-Method-Override", "X-Original-URL"])
def test_headers_that_pretend_are_ignored(door: Door, who: str) -> None:
    headers = {**door.headers("overseer"), who: "/v1/invoices"}

    answer = door.client.get("/v1/tokens", headers=headers)

    assert answer.status_code == 200 and len(answer.json()["data"]) == 5
