"""The words of a problem: what was found, in the words of JSON, and pages that explain a kind."""

from __future__ import annotations

import re

import pytest

from gateway import problems
from gateway.statuses import STATUSES
from settlement.errors import RailError
from tests.gateway.builders import Door

MEMBERS = {"type", "title", "status", "detail", "instance", "request_id", "errors", "field"}


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({}, "nothing"),
        ({"invoice_ids": None}, "null"),
        ({"invoice_ids": {}}, "an object"),
        ({"invoice_ids": []}, "an array"),
        ({"invoice_ids": True}, "true"),
        ({"invoice_ids": "x"}, "'x'"),
    ],
)
def test_what_was_found_is_said_in_the_words_of_json(
    door: Door, body: dict[str, object], found: str
) -> None:
    (fault,) = door.post("/v1/invoices/accept", body, "importer").json()["errors"]

    assert (fault["field"], fault["found"]) == ("invoice_ids", found)


def test_an_object_is_asked_for_by_that_word(door: Door) -> None:
    answer = door.post("/v1/settlements", {"settlements": ["x"]}, "importer").json()

    assert {each["message"] for each in answer["errors"]} == {"Input should be an object"}


@pytest.mark.parametrize("kind", STATUSES, ids=lambda kind: kind.__name__)
def test_a_page_about_a_problem_names_members_that_problems_have(kind: type[RailError]) -> None:
    page = problems.page(problems.slug(kind))

    assert page is not None and page["meaning"]
    assert set(re.findall(r"`(\w+)`", page["meaning"])) <= MEMBERS
