"""Statements and advice at the doors: whose they are, their media types, what is refused."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from sqlalchemy import Engine, text
from starlette.testclient import TestClient

from gateway.app import create_app
from settlement.config import Settings
from settlement.documents.iso20022.schema import faults
from settlement.store import reading
from tests.gateway.builders import the_keys
from tests.verify.conftest import Patient

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass
class Counter:
    """A gateway on the healthy world, and the things in it."""

    client: TestClient
    keys: dict[str, str]
    seller_account: str
    payment: str
    day: str

    def get(self, path: str, who: str = "treasury", **parameters: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.keys[who]}"}
        return self.client.get(path, headers=headers, params=parameters)


@pytest.fixture
def counter(booked: Engine, patient: Patient, tmp_path: Path) -> Iterator[Counter]:
    now = patient.world.now()
    keys = the_keys(booked, tmp_path, patient.world.companies, now)
    with reading(booked) as session:
        account = session.connection().execute(
            text(
                "SELECT code FROM account WHERE kind = 'wallet' AND unit = 'TUSD' AND owner = :id"
            ),
            {"id": patient.world.companies.seller},
        )
        code = account.scalar_one()
    app = create_app(booked, Settings(home=tmp_path), clock=lambda: now, log_stream=io.BytesIO())
    with TestClient(app, raise_server_exceptions=False) as client:
        payment = patient.world.settlements["first"]
        yield Counter(client, keys, code, payment, now.date().isoformat())


@pytest.mark.parametrize(
    ("form", "media_type", "begins"),
    [
        ("camt053", "application/xml", b"<?xml"),
        ("csv", "text/csv; charset=utf-8", b'"entry"'),
        ("xlsx", XLSX, b"PK"),
        ("pdf", "application/pdf", b"%PDF"),
    ],
)
def test_a_statement_comes_as_a_file_of_the_kind_asked_for(
    counter: Counter, form: str, media_type: str, begins: bytes
) -> None:
    path = f"/v1/statements/{counter.seller_account}"

    answer = counter.get(path, "exporter", day=counter.day, format=form)

    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == media_type
    assert answer.content.startswith(begins)
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert "attachment" in answer.headers["content-disposition"]


@pytest.mark.parametrize("form", ["pdf", "remt001", "camt054", "pacs008", "pacs002", "pain002"])
def test_both_sides_and_the_staff_get_an_advice_and_nobody_else(
    counter: Counter, form: str
) -> None:
    path = f"/v1/settlements/{counter.payment}/advice"

    codes = {
        who: counter.get(path, who, format=form).status_code
        for who in ("exporter", "importer", "treasury", "overseer", "stranger")
    }

    assert codes.pop("stranger") == 404
    assert set(codes.values()) == {200}


def test_a_company_gets_no_statement_of_anothers_account(counter: Counter) -> None:
    path = f"/v1/statements/{counter.seller_account}"

    codes = {
        who: counter.get(path, who).status_code for who in ("exporter", "importer", "stranger")
    }

    assert codes == {"exporter": 200, "importer": 404, "stranger": 404}


def test_a_company_is_notified_of_its_own_side_whatever_it_asks_for(counter: Counter) -> None:
    path = f"/v1/settlements/{counter.payment}/advice"

    told = {
        who: counter.get(path, who, format="camt054", side="debtor").content
        for who in ("exporter", "importer", "treasury")
    }

    assert {who: _side(content) for who, content in told.items()} == {
        "exporter": "CRDT",
        "importer": "DBIT",
        "treasury": "DBIT",
    }


def test_a_message_behind_its_header_names_itself(counter: Counter) -> None:
    path = f"/v1/settlements/{counter.payment}/advice"

    answer = counter.get(path, format="pacs008", with_header="true")

    header, document = etree.fromstring(answer.content)
    assert faults(etree.tostring(header), "head.001.001.02") == []
    assert faults(etree.tostring(document), "pacs.008.001.08") == []
    assert header.findtext("{*}BizMsgIdr") == document.findtext(".//{*}GrpHdr/{*}MsgId")
    assert header.findtext("{*}MsgDefIdr") == "pacs.008.001.08"


def test_what_is_no_account_day_or_page_is_refused_with_what_to_do(counter: Counter) -> None:
    own = f"/v1/statements/{counter.seller_account}"

    refused = [
        (counter.get("/v1/statements/wallet:nobody:TUSD"), 404),
        (counter.get(own, day="2999-01-01"), 422),
        (counter.get(own, day="20-1-1"), 422),
        (counter.get(own, day=counter.day, page=2, page_size=100), 422),
        (counter.get(own, format="doc"), 422),
        (counter.get("/v1/settlements/stl_unknown/advice"), 404),
    ]

    for answer, status in refused:
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["errors"], answer.text


def _side(content: bytes) -> str | None:
    return etree.fromstring(content).findtext(".//{*}Ntry/{*}CdtDbtInd")
