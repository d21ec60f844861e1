"""Proofs of wallets and the fields of persons at the doors."""

from typing import Any

import pytest
from sqlalchemy import text

from settlement.participants import challenges
from settlement.store import reading
from tests.gateway.builders import Door
from tests.gateway.joining import (
    APPLICATION,
    HOLDER,
    OWNER,
    WHY,
    a_document,
    applied,
    approve,
    asked,
    completed,
    one,
)
from tests.invoices.builders import an_lei


@pytest.mark.parametrize(
    ("body", "status", "slug"),
    [
        ({"challenge_id": "wch_none"}, 404, "not-found"),
        ({"signature": "0x" + "11" * 65}, 422, "wallet-not-proved"),
        ({"method": "eip712"}, 422, "wallet-not-proved"),
        ({"method": "eip1271"}, 503, "chain-unreachable"),
        ({"method": "eip0"}, 422, "body-invalid"),
        ({"signature": "0x1"}, 422, "body-invalid"),
    ],
)
def test_a_proof_that_is_none_changes_nothing(
    door: Door, body: dict[str, Any], status: int, slug: str
) -> None:
    key = door.companies.seller
    wanted = {"address": HOLDER.address, "kind": "self_hosted"}
    asked_for = door.post(one(key, "/wallets/challenge"), wanted, "exporter").json()
    signature = HOLDER.sign(challenges.personal_payload(asked_for["message"]))
    good = {"challenge_id": asked_for["id"], "method": "eip191",
            "signature": "0x" + signature.hex(), **WHY}  # fmt: skip

    answer = door.post(one(key, "/wallets/proof"), {**good, **body}, "exporter")

    assert (answer.status_code, slug in answer.text) == (status, True), answer.text
    assert door.get(one(key, "/changes")).json()["data"] == []
    assert door.post(one(key, "/wallets/proof"), good, "exporter").status_code == 202
    answer = door.post(one(key, "/wallets/proof"), good, "exporter")
    assert answer.status_code == 409 and "challenge-over" in answer.text


def test_a_wallet_of_somebody_else_is_refused_without_saying_whose_it_is(door: Door) -> None:
    with reading(door.engine) as session:
        owner, address = session.execute(
            text("SELECT participant_id, address FROM wallet WHERE participant_id <> :stranger"),
            {"stranger": door.companies.stranger},
        ).first()  # type: ignore[misc]
    wanted = {"address": address, "kind": "self_hosted"}

    answer = door.post(one(door.companies.stranger, "/wallets/challenge"), wanted, "stranger")

    assert (answer.status_code, answer.json()["title"]) == (409, "Wallet refused")
    assert "a wallet of another participant" in answer.text
    assert owner not in answer.text


def test_no_field_of_a_person_is_anywhere_but_in_its_one_table(door: Door) -> None:
    key = applied(door)
    completed(door, key)
    passport = a_document("identity_document", number="X9988776", expires_on="2030-01-01",
                          holder_name="Ottilie Zwingli", holder_country="CH")  # fmt: skip
    assert door.post(one(key, "/documents"), passport, "compliance").status_code == 201
    wrong = {**OWNER, "birth_date": "2969-08-01"}
    refused = door.post(one(key, "/owners"), {"owners": [wrong], **WHY}, "compliance")
    approve(door, asked(door, key)["approval_id"])

    assert refused.status_code == 422 and "2969-08-01" not in refused.text
    with reading(door.engine) as session:
        tables = [
            row[0]
            for row in session.execute(
                text("SELECT name FROM sqlite_master WHERE type = 'table'")
                if door.engine.dialect.name == "sqlite"
                else text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            )
        ]
        holding = {
            table
            for table in tables
            for row in session.execute(text(f"SELECT * FROM {table}"))
            if any(word in str(tuple(row)) for word in ("Zwingli", "X9988776", "1969-08-01"))
        }
    assert holding == {"natural_person"}
    log = door.log.getvalue().decode()
    assert not any(word in log for word in ("Zwingli", "X9988776", "1969-08-01"))


def test_a_persons_fields_are_erased_over_the_api(door: Door) -> None:
    key = applied(door)
    completed(door, key)
    for who, shown in (("treasury", None), ("approver", None), ("compliance", "1969-08-01")):
        (person,) = door.get(one(key, "/file"), who).json()["persons"]
        assert (person["name"], person["birth_date"]) == ("Ottilie Zwingli", shown)
    path = one(key, f"/persons/{person['id']}/erase")

    assert door.post(path, WHY, "exporter").status_code == 403
    assert door.post(path, WHY, "compliance").status_code == 409
    door.post(one(key, "/close"), WHY, "compliance")
    answer = door.post(path, WHY, "compliance")

    assert answer.status_code == 200, answer.text
    (person,) = door.get(one(key, "/file"), "compliance").json()["persons"]
    assert (person["name"], person["birth_date"]) == ("[erased]", None)


def test_what_is_needed_can_be_read_and_the_field_that_is_wrong_is_named(door: Door) -> None:
    needs = door.get("/v1/participant-requirements", "exporter").json()
    assert "registry_extract" in needs["required"]["legal_entity"]

    for changes, field in (
        ({"lei": an_lei("5299alpine")[:-1] + "0"}, "lei"),
        ({"vat_id": None}, "vat_id"),
        ({"lei": None}, "lei"),
    ):
        answer = door.post("/v1/participants", {**APPLICATION, **changes}, "admin")
        assert answer.status_code == 422, answer.text
        assert answer.json()["errors"][0]["field"] == field
    applied(door)
    answer = door.post("/v1/participants", APPLICATION, "admin")
    assert answer.status_code == 409 and "participant-exists" in answer.text
    assert door.post("/v1/participants", APPLICATION, "treasury").status_code == 403
