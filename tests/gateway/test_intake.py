"""Documents at the door: every format in one endpoint, batches with an answer per item."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

import gateway.demo
from gateway import auth
from gateway.api.invoice_shapes import BatchAnswer, Invoice, InvoiceDetail, InvoiceList
from gateway.auth import Role
from gateway.demo.companies import COMPANIES
from settlement import store
from settlement.clock import new_id
from settlement.documents.rules_engine import RulesEngine
from settlement.participants import NewParticipant, register
from tests.gateway.builders import Door, a_door, a_json_invoice
from tests.invoices.builders import NOW

DOCUMENTS = Path(gateway.demo.__file__).parent / "documents"
FORMATS = {
    "ubl-02-aluminium-billets.xml": "application/xml",
    "cii-02-sensors.xml": "application/xml",
    "facturx-01-winding-head.pdf": "application/pdf",
    "json-05-controllers.json": "application/json",
}


@pytest.fixture(scope="module")
def rules() -> Iterator[RulesEngine]:
    with RulesEngine() as engine:
        yield engine


@pytest.fixture
def door(engine: Engine, tmp_path: Path, rules: RulesEngine) -> Iterator[Door]:
    """A gateway that knows the demo's companies, with an exporter's key for each by LEI."""
    with a_door(engine, tmp_path, rules=rules) as opened:
        companies = [
            NewParticipant(
                lei=each.lei,
                name=each.name,
                country=each.country,
                town=each.city,
                wallets=(f"0x{place + 0xD0:040x}",),
            )
            for place, each in enumerate(COMPANIES)
        ]
        pepper = auth.open_pepper(tmp_path)
        with store.transaction(engine) as session:
            for company, key in zip(
                companies, register(session, companies, ids=new_id, now=NOW), strict=True
            ):
                opened.keys[company.lei] = auth.issue_key(
                    session, pepper, role=Role.EXPORTER, participant_id=key, now=NOW
                )
        yield opened


def _seller(content: bytes, door: Door) -> str:
    """Whose document it is: the key with which it is taken."""
    for company in COMPANIES:
        if door.post("/v1/invoices", content, company.lei).status_code == 201:
            return company.lei
    raise AssertionError("no company may issue the document")


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_is_found_out_and_its_bytes_are_kept(door: Door, name: str) -> None:
    content = (DOCUMENTS / name).read_bytes()

    seller = _seller(content, door)
    (invoice,) = door.get("/v1/invoices", seller).json()["data"]
    document = door.get(f"/v1/invoices/{invoice['id']}/document", seller)

    Invoice.model_validate(invoice, strict=True)
    assert document.content == content
    assert document.headers["Content-Type"].startswith(FORMATS[name])
    assert document.headers["ETag"] == f'"{invoice["document_sha256"]}"'
    ending = name.rpartition(".")[2]
    assert document.headers["Content-Disposition"].endswith(f'"{invoice["id"]}.{ending}"')


def test_the_media_type_that_is_claimed_decides_nothing(door: Door) -> None:
    answer = door.post("/v1/invoices", a_json_invoice(), "exporter", **{"Content-Type": "text/x"})

    assert answer.status_code == 201


def test_a_broken_xml_document_is_refused_by_the_official_rules(door: Door) -> None:
    content = (DOCUMENTS / "ubl-02-aluminium-billets.xml").read_bytes()
    broken = content.replace(
        b'cbc:PayableAmount currencyID="USD">', b'cbc:PayableAmount currencyID="USD">9'
    )

    answer = door.post("/v1/invoices", broken, "exporter")

    assert answer.status_code == 422
    assert "BR-CO-16" in {fault["rule_id"] for fault in answer.json()["errors"]}


def test_a_batch_answers_each_document_by_itself(door: Door) -> None:
    batch = [a_json_invoice("A"), a_json_invoice("B", currency="NOK"), a_json_invoice("A")]
    batch.append({**a_json_invoice("C"), "totals": {}})

    answer = door.post("/v1/invoices/batch", batch, "exporter")

    shown = answer.json()
    BatchAnswer.model_validate(shown, strict=True)
    assert answer.status_code == 200
    assert [item["status"] for item in shown["items"]] == [201, 422, 409, 422]
    assert (shown["issued"], shown["refused"]) == (1, 3)
    first = shown["items"][0]["invoice"]["id"]
    assert shown["items"][2]["problem"]["existing_id"] == first
    assert len(door.get("/v1/invoices", "exporter").json()["data"]) == 1


def test_a_batch_takes_documents_of_any_format(door: Door) -> None:
    seller = COMPANIES[0].lei
    contents = [
        content
        for content in (path.read_bytes() for path in sorted(DOCUMENTS.glob("*.*ml")))
        if f">{seller}<".encode() in content
    ][:3]
    contents.append(b"<broken")
    body = {"documents": [{"content": base64.b64encode(each).decode()} for each in contents]}

    shown = door.post("/v1/invoices/batch", body, seller).json()

    assert len(shown["items"]) == len(contents)
    assert shown["items"][-1]["problem"]["title"] == "Document unreadable"


@pytest.mark.parametrize(
    "body", [[], [1], {"documents": []}, {"documents": [{"content": "§"}]}, {}, [{}] * 1001]
)
def test_a_batch_that_is_none_is_refused(door: Door, body: Any) -> None:
    answer = door.post("/v1/invoices/batch", body, "exporter")

    if body == [1]:
        assert answer.json()["items"][0]["status"] == 415
    else:
        assert answer.status_code == 422


@pytest.mark.parametrize("count", [0, 1001])
def test_a_batch_of_too_few_or_many_says_how_many_it_takes(door: Door, count: int) -> None:
    problem = door.post("/v1/invoices/batch", [{}] * count, "exporter").json()

    (fault,) = problem["errors"]
    assert (fault["field"], fault["found"]) == ("body", str(count))
    assert fault["repair"] == "send 1 to 1000 documents in a batch"


def test_a_thousand_documents_go_in_at_once(door: Door) -> None:
    batch = [a_json_invoice(f"N{number}") for number in range(1000)]

    shown = door.post("/v1/invoices/batch", batch, "exporter").json()

    assert shown["issued"] == 1000


def test_an_invoice_goes_through_its_life_at_the_doors(door: Door) -> None:
    invoice = door.post("/v1/invoices", a_json_invoice(), "exporter").json()["id"]
    path = f"/v1/invoices/{invoice}"

    queried = door.post(f"{path}/query", {"reason": "which delivery?"}, "importer").json()
    accepted = door.post(f"{path}/accept", b"", "importer").json()
    cancelled = door.post(f"{path}/cancel", {"reason": "too late"}, "exporter")
    detail = door.get(path, "exporter").json()

    InvoiceDetail.model_validate(detail, strict=True)
    assert (queried["state"], queried["reason"]) == ("QUERIED", "which delivery?")
    assert (accepted["state"], accepted["version"]) == ("ACCEPTED", 3)
    assert (cancelled.status_code, cancelled.json()["title"]) == (409, "Illegal move")
    assert [event["move"] for event in detail["events"]] == ["issue", "query", "accept"]
    assert detail["events"][0]["actor"] == f"exporter:{door.keys['exporter'][:16]}"


def test_many_are_accepted_at_once_or_none(door: Door) -> None:
    made = door.post("/v1/invoices/batch", [a_json_invoice(n) for n in "AB"], "exporter").json()
    ids = [item["invoice"]["id"] for item in made["items"]]

    refused = door.post("/v1/invoices/accept", {"invoice_ids": [*ids, "inv_x"]}, "importer")
    accepted = door.post("/v1/invoices/accept", {"invoice_ids": ids}, "importer")

    assert refused.status_code == 404
    assert [each["state"] for each in accepted.json()["data"]] == ["ACCEPTED"] * 2


def test_lists_are_walked_with_cursors_while_new_ones_arrive(door: Door) -> None:
    for number in range(7):
        door.post("/v1/invoices", a_json_invoice(f"W{number}"), "exporter")
    numbers: list[str] = []
    query = "limit=3"

    while True:
        page = door.get(f"/v1/invoices?{query}").json()
        InvoiceList.model_validate(page, strict=True)
        numbers += [each["number"] for each in page["data"]]
        door.post("/v1/invoices", a_json_invoice(f"new-{len(numbers)}"), "exporter")
        if not page["has_more"]:
            break
        query = f"limit=3&starting_after={page['data'][-1]['id']}"

    newer = door.get(f"/v1/invoices?limit=3&ending_before={page['data'][-1]['id']}").json()
    assert numbers == [f"W{number}" for number in reversed(range(7))]
    assert [each["number"] for each in newer["data"]] == ["W3", "W2", "W1"]
    assert newer["has_more"]
