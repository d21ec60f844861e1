"""Persons behind participants whose fields must stay: they are declared, or a list names them."""

from typing import Any

import pytest
from sqlalchemy import text

from settlement.compliance import screening
from settlement.store import reading, transaction
from tests.gateway.builders import Door
from tests.gateway.joining import OWNER, WHY, one
from tests.invoices.builders import NOW

OTHER = {**OWNER, "name": "Emil Brunner"}


def declared(door: Door, owner: dict[str, Any]) -> dict[str, Any]:
    """A declaration of the seller's that waits for its approval."""
    answer = door.post(
        one(door.companies.seller, "/owners"), {"owners": [owner], **WHY}, "exporter"
    )
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


def person_of(door: Door, name: str) -> str:
    with reading(door.engine) as session:
        found = session.execute(
            text("SELECT id FROM natural_person WHERE name = :name"), {"name": name}
        )
        return str(found.scalar_one())


def erase(door: Door, person: str) -> Any:
    return door.post(one(door.companies.seller, f"/persons/{person}/erase"), WHY, "compliance")


def said(door: Door, change: dict[str, Any], verdict: str) -> Any:
    seen = door.get(f"/v1/approvals/{change['approval_id']}", "approver").json()
    body = {"what_hash": seen["what_hash"], "reason": "seen"}
    return door.post(f"/v1/approvals/{change['approval_id']}/{verdict}", body, "approver")


def screened(door: Door) -> list[dict[str, Any]]:
    """The hits on the seller's owners, after it was compared once more."""
    gateway, seller = door.app.state.gateway, door.companies.seller
    with transaction(door.engine) as session:
        screening.ensure(session, [seller], ids=gateway.ids, now=NOW)
    found = door.get(f"/v1/screening/hits?participant_id={seller}", "compliance").json()["data"]
    return [each for each in found if each["subject_kind"] == "owner"]


def listed(door: Door) -> str:
    """An owner that counts, with an open hit."""
    door.post("/v1/lists/own", f"{OWNER['name']}\n".encode(), "compliance")
    assert said(door, declared(door, OWNER), "approve").status_code == 200
    assert [each["state"] for each in screened(door)] == ["open"]
    return person_of(door, OWNER["name"])


def confirmed(door: Door) -> str:
    """An owner that counts, whom a person has confirmed to be a listed one."""
    person = listed(door)
    (hit,) = screened(door)
    answer = door.post(f"/v1/screening/hits/{hit['id']}/confirm", WHY, "compliance")
    assert answer.json()["state"] == "confirmed", answer.text
    return person


def test_a_person_in_a_declaration_that_waits_is_not_erased_until_it_is_decided(
    door: Door,
) -> None:
    change = declared(door, OWNER)
    person = person_of(door, OWNER["name"])

    waiting = erase(door, person)
    refused = said(door, change, "refuse")
    after = erase(door, person)

    assert waiting.status_code == 409, waiting.text
    (fault,) = waiting.json()["errors"]
    assert fault["field"] == "person_id" and change["id"] in fault["repair"]
    assert (refused.status_code, after.status_code) == (200, 200)


def test_a_declaration_whose_person_was_erased_is_not_approved(door: Door) -> None:
    change = declared(door, OWNER)
    person = person_of(door, OWNER["name"])
    with transaction(door.engine) as session:  # As an older release let it happen.
        session.execute(
            text("UPDATE natural_person SET name = '[erased]', erased_at = 1 WHERE id = :id"),
            {"id": person},
        )

    approved = said(door, change, "approve")
    refused = said(door, change, "refuse")

    assert (approved.status_code, approved.json()["title"]) == (409, "Person erased already")
    assert refused.json()["state"] == "refused"
    with reading(door.engine) as session:
        live = session.execute(
            text("SELECT count(*) FROM participant_owner WHERE person_id = :id AND live"),
            {"id": person},
        )
        assert live.scalar_one() == 0


@pytest.mark.parametrize("state", ["open", "confirmed"])
def test_a_person_whom_a_hit_names_is_not_erased(door: Door, state: str) -> None:
    person = listed(door) if state == "open" else confirmed(door)
    door.post(one(door.companies.seller, "/close"), WHY, "compliance")

    answer = erase(door, person)

    assert answer.status_code == 409
    assert f"is {state}" in answer.json()["errors"][0]["message"]
    assert person_of(door, OWNER["name"]) == person


def test_whoever_was_confirmed_stays_known_when_somebody_else_owns_the_company(
    door: Door,
) -> None:
    person = confirmed(door)
    assert said(door, declared(door, OTHER), "approve").status_code == 200
    assert [each["state"] for each in screened(door)] == ["lapsed"]

    assert erase(door, person).status_code == 409
    assert person_of(door, OWNER["name"]) == person


def test_a_person_whose_hit_lapsed_unconfirmed_is_erased(door: Door) -> None:
    person = listed(door)
    said(door, declared(door, OTHER), "approve")
    assert [each["state"] for each in screened(door)] == ["lapsed"]

    assert erase(door, person).status_code == 200


def test_whoever_owned_what_is_closed_is_erased(door: Door) -> None:
    assert said(door, declared(door, OWNER), "approve").status_code == 200
    person = person_of(door, OWNER["name"])

    before = erase(door, person)
    door.post(one(door.companies.seller, "/close"), WHY, "compliance")
    after = erase(door, person)

    assert (before.status_code, after.status_code) == (409, 200), after.text
