"""The OpenAPI document: complete for every operation, and true of what the gateway answers."""

from collections.abc import Iterator
from typing import Any

import pytest

from gateway import access, problems
from gateway.app import COMMANDS, QUERIES
from gateway.problems import Problem
from tests.gateway.builders import Door, a_json_invoice

METHODS = ("get", "post")


@pytest.fixture
def schema(door: Door) -> dict[str, Any]:
    document: dict[str, Any] = door.client.get("/openapi.json").json()
    return document


def _operations(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def _has_example(content: dict[str, Any]) -> bool:
    return all("example" in each or each.get("examples") for each in content.values())


def test_it_is_openapi_3_1_with_operations_for_every_route(schema: dict[str, Any]) -> None:
    names = {name for name, _ in _operations(schema)}

    assert schema["openapi"].startswith("3.1")
    for route in (*COMMANDS, *QUERIES):
        assert route.name.replace(":path}", "}") in names


def test_groups_come_in_the_order_of_a_payment(schema: dict[str, Any]) -> None:
    groups = [group["name"] for group in schema["tags"]]

    assert groups[:2] == ["invoices", "settlements"]
    used = {tag for _, operation in _operations(schema) for tag in operation["tags"]}
    assert set(groups) == used and len(groups) == len(used)


def test_every_operation_has_examples_of_what_goes_in_and_comes_out(schema: dict[str, Any]) -> None:
    for name, operation in _operations(schema):
        body = operation.get("requestBody")
        assert body is None or _has_example(body["content"]), name
        good = [each for status, each in operation["responses"].items() if status < "300"]
        assert good and all(_has_example(each["content"]) for each in good), name
        assert operation["summary"] and operation["operationId"] and operation["tags"], name


def test_every_error_of_every_operation_is_a_problem(schema: dict[str, Any]) -> None:
    for name, operation in _operations(schema):
        bad = {status: each for status, each in operation["responses"].items() if status >= "400"}
        assert {"500", "503"} <= set(bad), name
        if name.partition(" ")[2].startswith("/v1/"):
            assert {"401", "403", "422"} <= set(bad), name
        for status, each in bad.items():
            assert set(each["content"]) == {problems.MEDIA_TYPE}, (name, status)
            example = each["content"][problems.MEDIA_TYPE]["example"]
            assert Problem.model_validate(example).status == int(status)


def test_every_reference_leads_somewhere(schema: dict[str, Any]) -> None:
    found: set[str] = set()

    def walk(part: Any) -> None:
        if isinstance(part, dict):
            if isinstance(part.get("$ref"), str):
                found.add(part["$ref"])
            for value in part.values():
                walk(value)
        elif isinstance(part, list):
            for value in part:
                walk(value)

    walk(schema)
    known = {f"#/components/schemas/{name}" for name in schema["components"]["schemas"]}

    assert "#/components/schemas/JsonInvoice" in found
    assert found <= known
    assert not any(name.endswith(("-Input", "-Output")) for name in known)


def test_every_example_of_an_answer_fits_its_schema() -> None:
    for route in (*COMMANDS, *QUERIES):
        if route.answer is not None:
            route.answer.model_validate(route.example, strict=True)


def test_the_example_invoice_is_one_that_the_gateway_takes(door: Door) -> None:
    body = next(route for route in COMMANDS if route.path == "/v1/invoices").body
    example = body.examples["invoice"]
    ours = a_json_invoice()
    fitting = {**example, "seller": ours["seller"], "buyer": ours["buyer"]}

    answer = door.post("/v1/invoices", fitting, "exporter")

    assert answer.status_code == 201, answer.text


def test_each_route_is_in_the_table_of_roles_and_nothing_else(schema: dict[str, Any]) -> None:
    documented = {name for name, _ in _operations(schema) if " /v1/" in name}

    assert {name.replace(":path}", "}") for name in access.table()} == documented
