"""Accounts, mappings, files and lists over HTTP: who may, what is answered, what is refused."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.bank.builders import IBAN, OTHER_IBAN, Movement, a_camt
from tests.gateway.builders import Door, a_door

MAPPING = {
    "columns": {"booking_date": "Date", "amount": "Amount", "remittance": ["Text"]},
    "delimiter": ",",
}


@pytest.fixture
def door(engine: Engine) -> Iterator[Door]:
    with tempfile.TemporaryDirectory() as home, a_door(engine, Path(home)) as opened:
        yield opened


def an_account(door: Door, **changes: Any) -> str:
    body = {
        "owner_id": door.companies.seller, "name": "Receivables", "iban": IBAN,
        "servicer_bic": "COBADEFFXXX", "currency": "EUR", "role": "payout", **changes,
    }  # fmt: skip
    answer = door.post("/v1/bank/accounts", body, "treasury")
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def test_a_statement_comes_in_once_and_is_listed(door: Door) -> None:
    account = an_account(door)
    content = a_camt(Movement("250.01"), Movement("-40.00", reference="BK-2"))

    first = door.post("/v1/bank/statements", content, "treasury")
    again = door.post("/v1/bank/statements", content, "treasury")
    named = door.post(f"/v1/bank/accounts/{account}/statements", content, "treasury")

    assert (first.status_code, again.status_code, named.status_code) == (201, 200, 200)
    assert again.json() == named.json() == {**first.json(), "is_new": False}
    assert first.json()["entries"] == 2
    (statement,) = door.get("/v1/bank/statements").json()["data"]
    assert (statement["opening"], statement["closing"]) == ("1000.00", "1210.01")
    credit, debit = door.get("/v1/bank/entries", params={"statement_id": statement["id"]}).json()[
        "data"
    ]
    assert (credit["amount"], debit["amount"]) == ("250.01", "-40.00")
    page = door.get("/v1/bank/entries", params={"limit": 1, "starting_after": credit["id"]}).json()
    assert [row["id"] for row in page["data"]] == [debit["id"]]
    assert door.get("/v1/bank/gaps").json()["data"] == []


def test_what_is_refused_names_field_and_repair_and_stores_nothing(door: Door) -> None:
    an_account(door)

    wrong = door.post("/v1/bank/statements", a_camt(Movement(), closing="7.00"), "treasury")
    unknown = door.post("/v1/bank/statements", a_camt(Movement(), iban=OTHER_IBAN), "treasury")
    twin = door.post(
        "/v1/bank/accounts",
        {"owner_id": door.companies.buyer, "name": "x", "iban": IBAN,
         "servicer_bic": "COBADEFF", "currency": "EUR", "role": "payout"},
        "treasury",
    )  # fmt: skip

    assert wrong.status_code == 422 and wrong.json()["type"] == "/problems/statement-contradicts"
    (fault,) = wrong.json()["errors"]
    assert fault["field"] == "/Document/BkToCstmrStmt/Stmt[1]/Bal" and fault["repair"]
    assert unknown.json()["type"] == "/problems/unknown-bank-account"
    assert twin.status_code == 409
    assert door.get("/v1/bank/entries").json()["data"] == []


def test_a_mapping_is_saved_and_used(door: Door) -> None:
    account = an_account(door)
    content = b"Date,Amount,Text\n2026-11-20,12.50,Invoice RE-1\n"
    path = f"/v1/bank/accounts/{account}"

    missing = door.post(f"{path}/statements", content, "treasury")
    saved = door.post(f"{path}/mapping", MAPPING, "treasury")
    first = door.post(f"{path}/statements", content, "treasury")

    assert missing.json()["type"] == "/problems/no-bank-mapping"
    assert saved.status_code == 200
    assert door.get(f"{path}/mapping").json() == saved.json()
    assert first.status_code == 201
    (entry,) = door.get("/v1/bank/entries").json()["data"]
    assert (entry["amount"], entry["remittance"]) == ("12.50", "Invoice RE-1")


def test_staff_reads_and_the_treasury_alone_writes(door: Door) -> None:
    content = a_camt(Movement())
    for who in ("exporter", "importer"):
        assert door.get("/v1/bank/entries", who).status_code == 403
        assert door.post("/v1/bank/statements", content, who).status_code == 403
    for who in ("overseer", "admin"):
        assert door.get("/v1/bank/entries", who).status_code == 200
        assert door.post("/v1/bank/statements", content, who).status_code == 403
