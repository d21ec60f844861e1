"""Requests for information and limits at the doors: who may what, and what each sees."""

import base64
from typing import Any

import pytest

from settlement.clock import new_id
from settlement.compliance.limits import changing
from settlement.compliance.limits.changing import NewLimit
from settlement.store import transaction
from tests.builders.limits import some_hands
from tests.gateway.builders import Door, a_json_invoice
from tests.invoices.builders import NOW

FILE = {
    "kind": "contract", "filename": "contract.pdf", "media_type": "application/pdf",
    "content": base64.b64encode(b"%PDF-1.7\n").decode(),
}  # fmt: skip


def _settlement(door: Door, number: str = "RE-1") -> str:
    invoice = door.post("/v1/invoices", a_json_invoice(number), "exporter").json()["id"]
    door.post(f"/v1/invoices/{invoice}/accept", {}, "importer")
    made = door.post("/v1/settlements", {"invoice_id": invoice}, "importer").json()
    return str(made["data"][0]["id"])


def _ask(door: Door, settlement: str, who: str = "compliance", **changes: Any) -> Any:
    body = {
        "settlement_id": settlement, "asked_of": door.companies.seller,
        "question": "Which contract is it?", "due_date": "2026-11-27",
    }  # fmt: skip
    return door.post("/v1/inquiries", body | changes, who)


def test_a_question_goes_to_the_party_and_its_answer_back(door: Door) -> None:
    settlement = _settlement(door)

    asked = _ask(door, settlement)
    path = f"/v1/inquiries/{asked.json()['id']}"
    held = door.get(f"/v1/settlements/{settlement}").json()
    answered = door.post(
        f"{path}/answer", {"words": "Contract 118.", "attachments": [FILE]}, "exporter"
    )
    file = answered.json()["attachments"][0]
    content = door.get(f"{path}/attachments/{file['id']}", "exporter")
    for who in ("importer", "stranger"):
        assert door.get(f"{path}/attachments/{file['id']}", who).status_code == 404, who
    again = door.post(
        f"{path}/ask-again", {"question": "Signed?", "due_date": "2026-12-01"}, "compliance"
    )
    door.post(f"{path}/answer", {"words": "Yes."}, "exporter")
    accepted = door.post(f"{path}/accept", {}, "compliance")

    assert (asked.status_code, asked.json()["state"]) == (201, "OPEN")
    assert (held["state"], held["reason"]) == (
        "HELD", f"request for information {asked.json()['id']}",
    )  # fmt: skip
    assert (answered.status_code, answered.json()["state"]) == (200, "ANSWERED")
    assert content.content == b"%PDF-1.7\n"
    assert content.headers["content-disposition"].endswith(f'"{file["id"]}.pdf"')
    assert content.headers["x-content-type-options"] == "nosniff"
    assert content.headers["content-disposition"].startswith("attachment")
    assert (again.json()["state"], again.json()["due_date"]) == ("OPEN", "2026-12-01")
    assert accepted.json()["state"] == "ACCEPTED"
    assert [each["move"] for each in accepted.json()["thread"]] == [
        "ask", "answer", "ask_again", "answer", "accept",
    ]  # fmt: skip
    assert door.get(f"/v1/settlements/{settlement}").json()["state"] == "INSTRUCTED"


def test_only_the_asked_company_and_staff_see_an_inquiry(door: Door) -> None:
    asked = _ask(door, _settlement(door)).json()["id"]
    path = f"/v1/inquiries/{asked}"

    for who in ("compliance", "treasury", "overseer", "admin", "approver", "exporter"):
        assert door.get(path, who).status_code == 200, who
        assert [each["id"] for each in door.get("/v1/inquiries", who).json()["data"]] == [asked]
    for who in ("importer", "stranger"):
        assert door.get(path, who).status_code == 404, who
        assert door.get("/v1/inquiries", who).json()["data"] == []
        assert door.get(f"{path}/attachments/ina_{'0' * 32}", who).status_code == 404
        assert door.post(f"{path}/answer", {"words": "Mine."}, who).status_code == 404
    events = door.get("/v1/events?kind=inquiry.open", "exporter").json()["data"]
    assert [each["aggregate_id"] for each in events] == [asked]
    assert door.get("/v1/events?kind=inquiry.open", "stranger").json()["data"] == []


@pytest.mark.parametrize("who", ["treasury", "approver", "overseer", "admin", "exporter"])
def test_only_compliance_asks_and_accepts(door: Door, who: str) -> None:
    settlement = _settlement(door)
    asked = _ask(door, settlement).json()["id"]

    assert _ask(door, settlement, who).status_code == 403
    for act, body in (("accept", {}), ("cancel", {"reason": "no"})):
        assert door.post(f"/v1/inquiries/{asked}/{act}", body, who).status_code == 403


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"asked_of": "par_nobody"}, 422),
        ({"due_date": "2026-11-19"}, 422),
        ({"due_date": "soon"}, 422),
        ({"question": ""}, 422),
        ({"settlement_id": "stl_" + "0" * 32}, 404),
        ({"state": "ACCEPTED"}, 422),
    ],
)
def test_a_question_that_makes_no_sense_is_refused_at_the_door(
    door: Door, changes: dict[str, Any], status: int
) -> None:
    answer = _ask(door, _settlement(door), **changes)

    assert answer.status_code == status, answer.text


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"content": "not base64!"}, "/attachments/0/content"),
        ({"media_type": "text/html"}, "/attachments/0"),
        ({"kind": "song"}, "/attachments/0"),
        ({"filename": "contract\u202efdp.exe"}, "/attachments/0"),  # Read backwards from there.
    ],
)
def test_a_file_that_is_not_taken_names_its_place(
    door: Door, change: dict[str, str], field: str
) -> None:
    asked = _ask(door, _settlement(door)).json()["id"]
    body = {"words": "Here.", "attachments": [FILE | change]}

    answer = door.post(f"/v1/inquiries/{asked}/answer", body, "exporter")

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field
    assert door.get(f"/v1/inquiries/{asked}").json()["state"] == "OPEN"


def test_a_limit_is_shown_to_staff_and_to_whom_it_counts(door: Door) -> None:
    with transaction(door.engine) as session:
        wanted = NewLimit("each debtor's day", f"0x{0xA1:040x}", "debtor", "day", 2_000 * 10**6)
        limit = changing.add(session, new_id("lim"), wanted, some_hands(), now=NOW)
    _settlement(door)
    refused = _settlement_refused(door)

    staff = door.get("/v1/limits").json()["data"]
    own = door.get("/v1/limits", "importer").json()["data"]
    detail = door.get(f"/v1/limits/{limit.id}", "overseer").json()

    assert refused.status_code == 409
    assert refused.json()["type"] == "/problems/limit-exceeded"
    assert refused.json()["detail"] == f"limit {limit.id} (each debtor's day) is exceeded"
    bucket = {"bucket": door.companies.buyer, "used": "1190.000000", "left": "810.000000"}
    assert staff[0]["used"] == own[0]["used"] == [bucket]
    assert door.get("/v1/limits", "stranger").json()["data"][0]["used"] == []
    assert detail["changes"][0]["approved_by"] == "per_checker"
    assert door.get(f"/v1/limits/{limit.id}", "importer").json()["changes"] == []
    assert door.get("/v1/limits/lim_nothing").status_code == 404


def _settlement_refused(door: Door) -> Any:
    invoice = door.post("/v1/invoices", a_json_invoice("RE-2"), "exporter").json()["id"]
    door.post(f"/v1/invoices/{invoice}/accept", {}, "importer")
    return door.post("/v1/settlements", {"invoice_id": invoice}, "importer")


def test_a_change_of_a_limit_is_asked_for_at_the_door_and_changes_nothing_yet(door: Door) -> None:
    body = {
        "name": "each debtor's day", "asset": "TEUR", "max": "1000.00", "period": "rolling",
        "days": 7, "counted_by": "debtor", "reason": "decided", "debtor_country": "AE",
    }  # fmt: skip

    asked = door.post("/v1/limits", body, "compliance")

    assert asked.status_code == 201, asked.text
    assert asked.json()["state"] == "open"
    assert asked.json()["terms"]["max_minor"] == 1_000_000_000
    assert door.get("/v1/limits").json()["data"] == []
    for who in ("importer", "approver", "overseer"):
        assert door.post("/v1/limits", body, who).status_code == 403
    for change, status in (
        ({"asset": "NONE"}, 404), ({"max": "0"}, 422), ({"days": 1}, 422),
        ({"debtor_country": "ae"}, 422), ({"reason": ""}, 422), ({"debtor_id": "par_x"}, 404),
        ({"period": "day"}, 422),
    ):  # fmt: skip
        answer = door.post("/v1/limits", body | change, "compliance")
        assert answer.status_code == status, (change, answer.text)
    for act, more in (("change", {"max": "1"}), ("retire", {})):
        path = f"/v1/limits/{asked.json()['limit_id']}/{act}"
        assert door.post(path, {"reason": "r", **more}, "treasury").status_code == 404


def test_an_approved_limit_holds_from_then_on_and_one_pair_of_hands_is_refused(door: Door) -> None:
    body = {
        "name": "a day", "asset": "TEUR", "max": "1190.00", "period": "day",
        "counted_by": "rule", "reason": "decided",
    }  # fmt: skip
    asked = door.post("/v1/limits", body, "compliance").json()
    path = f"/v1/approvals/{asked['approval_id']}/approve"
    seen = {"what_hash": asked["what_hash"]}

    own = door.post(path, seen, "compliance")
    approved = door.post(path, seen, "approver")
    _settlement(door)
    refused = _settlement_refused(door)

    assert (own.status_code, approved.status_code) == (403, 200), (own.text, approved.text)
    assert refused.json()["type"] == "/problems/limit-exceeded"
    (shown,) = door.get("/v1/limits").json()["data"]
    assert (shown["id"], shown["used"][0]["left"]) == (asked["limit_id"], "0.000000")
    lowered = door.post(
        f"/v1/limits/{shown['id']}/change", {"max": "1.00", "reason": "less"}, "treasury"
    )
    assert lowered.json()["terms"]["before_minor"] == 1_190_000_000
