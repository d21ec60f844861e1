"""Participants at the doors: taken on by two people, changed by two, read by whom it concerns."""

from typing import Any

import pytest

from tests.gateway.builders import Door
from tests.gateway.joining import (
    HOLDER,
    OWNER,
    WHY,
    a_document,
    applied,
    approve,
    asked,
    completed,
    one,
    proof,
)


def test_a_company_is_taken_on_by_two_people_and_shown_with_its_file(door: Door) -> None:
    key = applied(door)
    assert len(door.get(one(key, "/file"), "compliance").json()["lacks"]) == 4
    completed(door, key)
    answer = proof(door, key, "compliance")
    assert (answer.status_code, answer.json()["state"]) == (200, "effective"), answer.text

    request = asked(door, key)
    answer = approve(door, request["approval_id"])

    assert answer.status_code == 200, answer.text
    found = door.get(one(key)).json()
    assert (found["state"], found["known_by"]) == ("active", "documents")
    file = door.get(one(key, "/file"), "overseer").json()
    assert file["lacks"] == [] and file["owners"][0]["name"] == "Ottilie Zwingli"
    assert [each["proved_by"] for each in file["wallets"]] == ["signature"]
    assert file["wallets"][0]["usable_from"] is not None
    moves = [each["move"] for each in door.get(one(key, "/events")).json()["data"]]
    assert moves[0] == "apply" and moves[-2:] == ["activation_asked", "activate"]
    listed = door.get("/v1/participants?state=active&search=alpine").json()["data"]
    assert [each["id"] for each in listed] == [key]
    assert door.get("/v1/participants?state=applied").json()["data"] == []


def test_nobody_activates_alone_or_on_another_file_than_was_seen(door: Door) -> None:
    key = applied(door)
    answer = door.post(one(key, "/activate-request"), WHY, "compliance")
    assert answer.status_code == 409 and "dossier-incomplete" in answer.text
    completed(door, key)
    request = asked(door, key)

    assert approve(door, request["approval_id"], "compliance").status_code == 403
    door.post(one(key, "/documents"), a_document("articles"), "compliance")
    answer = approve(door, request["approval_id"], "second-compliance")

    assert answer.status_code == 409 and "seen-outdated" in answer.text
    assert door.get(one(key)).json()["state"] == "applied"


def test_whoever_offered_a_document_is_no_second_person(door: Door) -> None:
    key = applied(door)
    completed(door, key, who="second-compliance")
    request = asked(door, key)

    answer = approve(door, request["approval_id"], "second-compliance")

    assert answer.status_code == 403 and "own-work" in answer.text
    assert door.get(one(key)).json()["state"] == "applied"
    assert approve(door, request["approval_id"]).status_code == 200


def test_a_suspension_is_one_persons_and_its_end_two_peoples(door: Door) -> None:
    key = applied(door)
    completed(door, key)
    approve(door, asked(door, key)["approval_id"])

    answer = door.post(one(key, "/suspend"), WHY, "compliance")
    assert answer.json()["state"] == "suspended"
    answer = door.post(one(key, "/reinstate"), WHY, "admin")
    assert (answer.status_code, answer.json()["move"]) == (202, "reinstate")
    assert door.get(one(key)).json()["state"] == "suspended"
    assert approve(door, answer.json()["approval_id"]).status_code == 200
    assert door.get(one(key)).json()["state"] == "active"
    assert door.post(one(key, "/close"), WHY, "admin").json()["state"] == "closed"
    answer = door.post(one(key, "/suspend"), WHY, "compliance")
    assert answer.status_code == 409 and "illegal-move" in answer.text


def test_a_companys_own_key_proposes_and_never_decides(door: Door) -> None:
    key = door.companies.seller
    for what in ("/activate-request", "/reinstate", "/suspend", "/close"):
        assert door.post(one(key, what), WHY, "exporter").status_code == 403

    answer = proof(door, key, "exporter")

    assert (answer.status_code, answer.json()["state"]) == (202, "pending"), answer.text
    change = answer.json()
    assert approve(door, change["approval_id"]).status_code == 200
    (found,) = door.get(one(key, "/changes?state=approved"), "exporter").json()["data"]
    assert found["usable_from"] == "2026-11-21T09:30:00Z"  # A day after the approval.
    standing = [
        each
        for each in door.get(one(key, "/file"), "exporter").json()["wallets"]
        if each["address"].lower() == HOLDER.address
    ]
    assert standing[0]["usable_from"] == found["usable_from"]
    answer = door.post(one(key, f"/changes/{change['id']}/withdraw"), WHY, "exporter")
    assert answer.json()["state"] == "withdrawn"


@pytest.mark.parametrize(
    ("what", "body", "kind"),
    [
        ("/bank-accounts", {"currency": "EUR", "iban": "DE92 6115 0020 0100 4178 26"},
         "bank_account"),
        ("/name", {"name": "Nordlicht SE"}, "name"),
        ("/address", {"country": "DE", "town": "Kiel"}, "address"),
        ("/aliases", {"aliases": [{"name": "Northlight"}]}, "aliases"),
        ("/owners", {"owners": [OWNER]}, "owners"),
    ],
)  # fmt: skip
def test_every_change_of_an_active_participant_waits_for_a_second_person(
    door: Door, what: str, body: dict[str, Any], kind: str
) -> None:
    key = door.companies.seller

    answer = door.post(one(key, what), {**body, **WHY}, "exporter")

    assert answer.status_code == 202, answer.text
    assert (answer.json()["kind"], answer.json()["state"]) == (kind, "pending")
    again = door.post(one(key, what), {**body, **WHY}, "exporter")
    assert again.status_code == 409 and "change-pending" in again.text
    assert approve(door, answer.json()["approval_id"]).status_code == 200
    (found,) = [
        each for each in door.get(one(key, "/changes")).json()["data"] if each["kind"] == kind
    ]
    cools = kind in ("bank_account", "name")
    assert found["state"] == ("approved" if cools else "effective")
    file = door.get(one(key, "/file")).json()
    assert (file["aliases"] == ["Northlight"]) == (kind == "aliases")
    assert bool(file["owners"]) == (kind == "owners")
    assert (door.get(one(key)).json()["town"] == "Kiel") == (kind == "address")


def test_a_change_whose_approval_is_refused_is_over_at_once(door: Door) -> None:
    key = door.companies.seller
    change = door.post(one(key, "/name"), {"name": "Other", **WHY}, "exporter").json()
    path = f"/v1/approvals/{change['approval_id']}"
    seen = door.get(path, "approver").json()["what_hash"]

    body = {"what_hash": seen, "reason": "not theirs"}
    assert door.post(f"{path}/refuse", body, "approver").status_code == 200

    (found,) = door.get(one(key, "/changes")).json()["data"]
    assert found["state"] == "refused"
    assert door.post(one(key, "/name"), {"name": "Other", **WHY}, "exporter").status_code == 202


def test_another_companys_file_does_not_exist(door: Door) -> None:
    key = door.companies.seller

    for what in ("", "/file", "/changes", "/events"):
        assert door.get(one(key, what), "stranger").status_code == 404
        assert door.get(one(key, what), "exporter").status_code == 200
        assert door.get(one("par_" + "0" * 32, what)).status_code == 404
    assert door.post(one(key, "/name"), {"name": "Mine", **WHY}, "stranger").status_code == 404
    assert len(door.get("/v1/participants", "stranger").json()["data"]) == 1
