"""Settlements at the doors: instructing, stopping, never more than is owed (I16)."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import text

from gateway.api.settlement_shapes import SettlementDetail, SettlementList
from settlement import store
from tests.gateway.builders import Door, a_json_invoice

PARALLEL = 50


@pytest.fixture
def accepted(door: Door) -> str:
    """An accepted invoice of 1,190.00 EUR."""
    invoice: str = door.post("/v1/invoices", a_json_invoice(), "exporter").json()["id"]
    door.post(f"/v1/invoices/{invoice}/accept", {}, "importer")
    return invoice


def test_an_instruction_without_an_amount_pays_all_that_is_open(door: Door, accepted: str) -> None:
    door.post("/v1/settlements", {"invoice_id": accepted, "amount": "190.00"}, "importer")

    made = door.post("/v1/settlements", {"invoice_id": accepted}, "importer").json()["data"][0]

    assert (made["amount"], made["token_amount"]) == ("1000.00", "1000.000000")
    assert (made["state"], made["iso_20022_status"]) == ("INSTRUCTED", "RCVD")
    invoice = door.get(f"/v1/invoices/{accepted}").json()
    assert (invoice["open_amount"], invoice["in_flight_amount"]) == ("0.00", "1190.00")


def test_fifty_at_once_never_take_more_than_is_owed(door: Door, accepted: str) -> None:
    start = Barrier(PARALLEL)

    def instruct(_: int) -> int:
        start.wait()
        body = {"invoice_id": accepted, "amount": "100.00"}
        status: int = door.post("/v1/settlements", body, "importer").status_code
        return status

    with ThreadPoolExecutor(PARALLEL) as pool:
        statuses = list(pool.map(instruct, range(PARALLEL)))

    invoice = door.get(f"/v1/invoices/{accepted}").json()
    assert sorted(statuses) == [201] * 11 + [409] * 39
    assert (invoice["open_amount"], invoice["in_flight_amount"]) == ("90.00", "1100.00")
    with store.reading(door.engine) as session:
        sequences = session.connection().execute(
            text("SELECT sequence FROM settlement ORDER BY sequence")
        )
        assert len(set(sequences.scalars())) == 11


def test_many_instructions_are_taken_or_none(door: Door, accepted: str) -> None:
    part = {"invoice_id": accepted, "amount": "600.00", "execution_date": "2027-01-01"}

    both = door.post("/v1/settlements", {"settlements": [part, part]}, "importer")
    one = door.post("/v1/settlements", {"settlements": [part]}, "importer")

    assert both.status_code == 409
    assert one.json()["data"][0]["execution_date"] == "2027-01-01"
    assert len(door.get("/v1/settlements").json()["data"]) == 1


def test_what_is_not_accepted_cannot_be_instructed(door: Door) -> None:
    invoice = door.post("/v1/invoices", a_json_invoice(), "exporter").json()["id"]

    answer = door.post("/v1/settlements", {"invoice_id": invoice}, "importer")

    assert (answer.status_code, answer.json()["title"]) == (409, "Invoice not payable")


def test_a_settlement_is_held_released_and_cancelled(door: Door, accepted: str) -> None:
    made = door.post("/v1/settlements", {"invoice_id": accepted}, "importer").json()["data"][0]
    path = f"/v1/settlements/{made['id']}"

    held = door.post(f"{path}/hold", {"reason": "goods are inspected"}, "importer").json()
    not_theirs = door.post(f"{path}/release", {}, "importer")
    released = door.post(f"{path}/release", {}, "treasury").json()
    cancelled = door.post(f"{path}/cancel", {"reason": "paid by cheque"}, "importer").json()
    detail = door.get(path, "importer").json()

    SettlementDetail.model_validate(detail, strict=True)
    assert not_theirs.status_code == 403
    states = [held["state"], released["state"], cancelled["state"]]
    assert states == ["HELD", "INSTRUCTED", "CANCELLED"]
    moves = [event["move"] for event in detail["events"]]
    assert moves == ["instruct", "hold", "release", "cancel"]
    assert door.get(f"/v1/invoices/{accepted}").json()["open_amount"] == "1190.00"


def test_the_creditor_does_not_stop_a_settlement(door: Door, accepted: str) -> None:
    made = door.post("/v1/settlements", {"invoice_id": accepted}, "importer").json()["data"][0]

    answer = door.post(f"/v1/settlements/{made['id']}/cancel", {"reason": "x"}, "seller-importer")

    assert answer.status_code == 403


def test_only_what_was_rejected_is_retried(door: Door, accepted: str) -> None:
    made = door.post("/v1/settlements", {"invoice_id": accepted}, "importer").json()["data"][0]

    answer = door.post(f"/v1/settlements/{made['id']}/retry", {}, "treasury")

    assert (answer.status_code, answer.json()["title"]) == (409, "Illegal move")


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 2),
        ("state=INSTRUCTED", 2),
        ("state=SETTLED", 0),
        ("token_symbol=TEUR", 2),
        ("token_symbol=TUSD", 0),
        ("executed_from=2026-12-01", 1),
        ("executed_to=2026-11-30", 1),
        ("limit=1", 1),
    ],
)
def test_settlements_are_found_by_what_is_known_of_them(
    door: Door, accepted: str, query: str, count: int
) -> None:
    later = {"invoice_id": accepted, "amount": "1.00", "execution_date": "2026-12-24"}
    door.post("/v1/settlements", later, "importer")
    door.post("/v1/settlements", {"invoice_id": accepted, "amount": "2.00"}, "importer")

    page = door.get(f"/v1/settlements?{query}").json()

    SettlementList.model_validate(page, strict=True)
    assert len(page["data"]) == count
    assert page["has_more"] == (query == "limit=1")
