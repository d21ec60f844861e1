"""Policies at the doors: drafted by one, tried, put in force by another; decisions explained."""

from typing import Any

from settlement.compliance import policies
from settlement.store import transaction
from tests.gateway.builders import Door, a_json_invoice

OWN = {
    "note": "an own pack",
    "files": {
        "own.yaml": "id: own\nversion: 1\ntitle: t\nstatus: in_force\nsource: s\n"
        "as_of: 2026-11-30\nconfidence: high\nrules:\n  - id: OWN-01\n    title: t\n"
        "    predicate: amount_at_least\n    outcome: HOLD\n"
        "    with: {units: 1, currency: EUR}\n"
    },
}

OTHER = {
    "note": "another pack",
    "files": {
        "other.yaml": OWN["files"]["own.yaml"]  # type: ignore[index]
        .replace("id: own", "id: other")
        .replace("OWN-01", "OTHER-01")
    },
}


def _drafted(door: Door, body: Any = OWN) -> int:
    made = door.post("/v1/policies", body, "compliance")
    assert made.status_code == 201, made.text
    return int(made.json()["version"])


def _decide(door: Door, asked: Any, who: str) -> Any:
    shown = asked.json()
    path = f"/v1/approvals/{shown['approval_id']}/approve"
    return door.post(path, {"what_hash": shown["what_hash"], "reason": "read"}, who)


def test_a_policy_is_drafted_tried_and_published_by_a_second_person(door: Door) -> None:
    version = _drafted(door)
    path = f"/v1/policies/{version}"

    early = door.post(f"{path}/publish", {"reason": "x"}, "compliance")
    tried = door.post(f"{path}/simulate", {}, "compliance")
    asked = door.post(f"{path}/publish", {"reason": "decided"}, "compliance")
    own = _decide(door, asked, "compliance")
    approved = _decide(door, asked, "approver")

    assert (early.status_code, early.json()["errors"][0]["field"]) == (422, "version")
    assert tried.json()["looked_at"] == 0
    assert asked.status_code == 201, asked.text
    assert own.status_code == 403, "nobody decides about what he asked for"
    assert approved.status_code == 200, approved.text
    shown = door.get(path, "overseer").json()
    assert (shown["state"], shown["is_in_force"]) == ("published", True)
    assert {"own", "baseline"} <= {each["id"] for each in shown["packs"]}
    listed = door.get("/v1/policies", "overseer").json()["data"]
    assert [(each["version"], each["is_in_force"]) for each in listed] == [(2, True), (1, False)]
    again = door.post(f"{path}/publish", {"reason": "x"}, "admin")
    assert again.status_code == 409


def _asked(door: Door, version: int, **more: str) -> Any:
    path = f"/v1/policies/{version}"
    assert door.post(f"{path}/simulate", {}, "compliance").status_code == 200
    return door.post(f"{path}/publish", {"reason": "decided", **more}, "compliance")


def test_what_was_asked_for_on_an_older_version_is_not_approved(door: Door) -> None:
    first, second = _drafted(door), _drafted(door, OTHER)
    asked = [_asked(door, version) for version in (first, second)]
    approved = _decide(door, asked[0], "approver")

    stale = _decide(door, asked[1], "approver")

    assert [each.json()["terms"]["made_on"] for each in asked] == [1, 1]
    assert approved.status_code == 200, approved.text
    assert (stale.status_code, stale.json()["type"]) == (409, "/problems/policy-outdated"), (
        stale.text
    )
    assert "anew on the version in force" in stale.text
    for path in (f"/v1/policies/{second}/simulate", f"/v1/policies/{second}/publish"):
        body = {"reason": "x"} if path.endswith("publish") else {}
        assert door.post(path, body, "compliance").json()["type"] == "/problems/policy-outdated"
    packs = door.get(f"/v1/policies/{first}", "overseer").json()
    assert packs["is_in_force"] and "own" in {each["id"] for each in packs["packs"]}


def test_whoever_approves_has_seen_what_is_taken_back(door: Door) -> None:
    first, second = _drafted(door), _drafted(door, OTHER)
    unseen = _asked(door, second)
    waits = _asked(door, first, in_force_from="2099-01-01T00:00:00Z")
    assert _decide(door, waits, "approver").status_code == 200

    refused = _decide(door, unseen, "approver")
    withdrawn = door.post(
        f"/v1/approvals/{unseen.json()['approval_id']}/withdraw", {"reason": "x"}, "compliance"
    )
    anew = _asked(door, second)
    approved = _decide(door, anew, "approver")

    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/policy-takes-back"), (
        refused.text
    )
    assert withdrawn.status_code == 200, withdrawn.text
    assert anew.json()["terms"]["takes_back"] == [first]
    assert approved.status_code == 200, approved.text
    assert door.get(f"/v1/policies/{first}", "overseer").json()["state"] == "draft"


def test_a_fault_in_a_draft_names_file_and_line(door: Door) -> None:
    files = {"own.yaml": OWN["files"]["own.yaml"].replace("HOLD", "MAYBE")}  # type: ignore[index]

    refused = door.post("/v1/policies", {**OWN, "files": files}, "compliance")

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "own.yaml:12"
    for body in ({**OWN, "files": {"../x.yaml": ""}}, {"note": "", "files": {}}):
        assert door.post("/v1/policies", body, "compliance").status_code == 422


def test_files_that_are_a_trap_or_take_out_what_is_always_on_are_refused(door: Door) -> None:
    head = OWN["files"]["own.yaml"].split("rules:")[0]  # type: ignore[index]
    refused = {
        "own.yaml": {"own.yaml": head + "rules: &a\n  - *a\n"},
        "baseline.yaml": {"baseline.yaml": None},
        "un.yaml": {"un.yaml": None},
        "baseline.yaml:": {"goods_dual_use.csv": None},
    }

    answers = {
        where: door.post("/v1/policies", {"note": "n", "files": files}, "compliance")
        for where, files in refused.items()
    }

    for where, answer in answers.items():
        assert answer.status_code == 422, answer.text
        assert answer.json()["errors"][0]["field"].startswith(where)


def test_a_diff_shows_the_lines_that_changed(door: Door) -> None:
    version = _drafted(door)

    found = door.get(f"/v1/policies/{version}/diff", "compliance").json()

    assert found["against"] == 1
    assert "+  - id: OWN-01" in found["lines"]
    assert door.get("/v1/policies/nine", "compliance").status_code == 404


def test_a_company_declares_its_trade_and_sees_only_its_own_word(door: Door) -> None:
    invoice = door.post("/v1/invoices", a_json_invoice("RE-1"), "exporter").json()["id"]
    path = f"/v1/invoices/{invoice}/trade-facts"

    made = door.post(path, {"contract_number": "FT-1", "hs_codes": ["841370"]}, "importer")
    wrong = door.post(path, {"hs_codes": ["pump"]}, "importer")

    assert (made.status_code, made.json()["contract_number"]) == (201, "FT-1")
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "hs_codes")
    assert len(door.get(path, "importer").json()["data"]) == 1
    assert door.get(path, "exporter").json()["data"] == []
    assert len(door.get(path, "compliance").json()["data"]) == 1
    assert door.get(path, "stranger").status_code == 404
    assert door.post(path, {}, "treasury").status_code == 403


def test_registers_are_loaded_and_listed(door: Door) -> None:
    made = door.post("/v1/registers/mining_operators", b"MO-1\nMO-2\n", "compliance")
    wrong = door.post("/v1/registers/Bad-Name", b"MO-1\n", "compliance")

    assert (made.status_code, made.json()["entries"]) == (201, 2)
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "file")
    assert [each["name"] for each in door.get("/v1/registers").json()["data"]] == [
        "mining_operators"
    ]


def test_a_register_is_emptied_only_by_who_says_so(door: Door) -> None:
    path = "/v1/registers/regime_participants"
    door.post(path, b"A\nB\n", "compliance")

    refused = door.post(path, b"", "compliance")
    kept = door.get("/v1/registers").json()["data"][0]["entries"]
    accepted = door.post(f"{path}/smaller", b"# none\n", "compliance")

    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/register-shrinks")
    assert refused.json()["errors"][0]["field"] == "file"
    assert kept == 2
    assert (accepted.status_code, accepted.json()["entries"]) == (201, 0)


def test_flags_and_reasons_are_told_to_staff_alone(door: Door) -> None:
    with transaction(door.engine) as session:
        policies.install(session, door.app.state.gateway.clock())
    invoice = door.post("/v1/invoices", a_json_invoice("RE-1"), "exporter").json()["id"]
    door.post(f"/v1/invoices/{invoice}/accept", {}, "importer")
    made = door.post("/v1/settlements", {"invoice_id": invoice}, "importer").json()["data"][0]
    path = f"/v1/settlements/{made['id']}/clearance"

    assert door.get(path, "compliance").status_code == 404, "nothing is decided yet"
    assert door.get(path, "importer").status_code == 403
    assert door.get("/v1/policy-flags", "compliance").json()["data"] == []
    assert door.get("/v1/policy-flags", "exporter").status_code == 403
