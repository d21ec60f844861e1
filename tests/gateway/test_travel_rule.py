"""Travel-rule data at the doors: who sees what, who tells that they were sent, who erases."""

from typing import Any

from settlement.clock import new_id
from settlement.compliance.travel_rule import attach, keeper_of
from settlement.store import transaction
from tests.gateway.builders import Door, a_json_invoice
from tests.invoices.builders import NOW


def _attached(door: Door) -> str:
    invoice = door.post("/v1/invoices", a_json_invoice(), "exporter").json()["id"]
    door.post(f"/v1/invoices/{invoice}/accept", {}, "importer")
    made = door.post("/v1/settlements", {"invoice_id": invoice}, "importer").json()
    key = str(made["data"][0]["id"])
    keeper = keeper_of(door.app.state.gateway.settings.home)
    with transaction(door.engine) as session:
        assert attach(session, keeper, {key: "clr_1"}, ids=new_id, now=NOW) == 1
    return f"/v1/settlements/{key}/travel-rule"


def _names(answer: Any) -> set[str]:
    words = str(answer.json()["payload"])
    return {name for name in ("Nordlicht", "Al Noor") if name in words}


def test_each_role_sees_its_part_and_a_stranger_nothing(door: Door) -> None:
    path = _attached(door)

    seen = {who: _names(door.get(path, who)) for who in (
        "compliance", "overseer", "importer", "exporter", "treasury", "approver", "admin",
    )}  # fmt: skip

    both = {"Nordlicht", "Al Noor"}
    assert seen == {
        "compliance": both, "overseer": both, "importer": {"Al Noor"}, "exporter": {"Nordlicht"},
        "treasury": set(), "approver": set(), "admin": set(),
    }  # fmt: skip
    assert door.get(path, "stranger").status_code == 404
    assert door.get(f"/v1/settlements/stl_{'0' * 32}/travel-rule", "overseer").status_code == 404


def test_compliance_tells_what_happened_and_erases_whoever_is_closed(door: Door) -> None:
    path = _attached(door)
    body = {"participant_id": door.companies.buyer}

    for who in ("overseer", "treasury", "importer", "admin"):
        assert door.post(path, {"state": "sent"}, who).status_code == 403
        assert door.post("/v1/travel-rule/erase", body, who).status_code == 403
    early = door.post(path, {"state": "received"}, "compliance")
    sent = door.post(path, {"state": "sent"}, "compliance")
    still_open = door.post("/v1/travel-rule/erase", body, "compliance")
    with transaction(door.engine) as session:
        session.connection().exec_driver_sql("UPDATE participant SET state = 'closed'")
    erased = door.post("/v1/travel-rule/erase", body, "compliance")

    assert (early.status_code, early.json()["title"]) == (409, "Not in turn")
    assert (sent.status_code, sent.json()["state"]) == (200, "sent")
    assert _names(sent) == set(), "what is kept for a repetition names nobody"
    assert (still_open.status_code, still_open.json()["title"]) == (409, "Not closed")
    assert erased.status_code == 200
    assert door.get(path, "compliance").json()["payload"]["originator"] == "[erased]"
    assert door.post(path, {"state": "lost"}, "compliance").status_code == 422
