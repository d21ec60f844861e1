"""U+0000 anywhere in a request: refused with a reason on both databases, and nothing is stopped."""

from typing import Any

import pytest

from tests.gateway.builders import Door
from tests.gateway.joining import APPLICATION, WHY, a_document, applied, one

NUL = "a\0b"
BODIES: dict[str, dict[str, Any]] = {
    "/suspend": {"reason": NUL},
    "/activate-request": {"reason": NUL},
    "/name": {"name": NUL, **WHY},
    "/documents": a_document("articles", issuer=NUL),
    "/wallets/challenge": {"address": "0x" + "1" * 40, "kind": "custodial", "provider": NUL},
    "/wallets/proof": {"challenge_id": NUL, "method": "eip191", "signature": "0x11", **WHY},
    "/aliases": {"aliases": [{"name": NUL}], **WHY},
}


@pytest.mark.parametrize("what", sorted(BODIES))
def test_in_a_body_it_is_refused(door: Door, what: str) -> None:
    answer = door.post(one(door.companies.seller, what), BODIES[what], "compliance")

    assert answer.status_code in (400, 422), answer.text
    assert "U+0000" in answer.text


def test_in_a_path_or_a_query_it_leads_nowhere_and_the_gateway_goes_on(door: Door) -> None:
    for path, status in (
        ("/v1/participants/a%00b", 404),
        ("/v1/participants?search=%00", 422),
        ("/v1/invoices?number=%00", 422),
        ("/v1/trace/a%00b", 404),
    ):
        answer = door.get(path)
        assert answer.status_code == status, (path, answer.text)
    key = applied(door)
    answer = door.post(one(key, "/documents/a%00b/withdraw"), WHY, "compliance")
    assert answer.status_code == 404, answer.text

    assert door.post("/v1/participants", {**APPLICATION, "lei": NUL}, "admin").status_code == 400
    assert door.post(one(key, "/close"), WHY, "compliance").status_code == 200


def test_a_backslash_and_digits_are_only_that(door: Door) -> None:
    answer = door.post(
        one(door.companies.seller, "/suspend"), {"reason": r"path \u0000 of a file"}, "compliance"
    )

    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("reason", ["\x1b[31mred", "a\u202eb", ""])
def test_a_reason_hides_nothing_from_who_reads_it(door: Door, reason: str) -> None:
    answer = door.post(one(door.companies.seller, "/suspend"), {"reason": reason}, "compliance")

    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"].endswith("reason")
