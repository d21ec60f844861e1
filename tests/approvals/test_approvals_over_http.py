"""Approvals at the doors: what waits for me, all there is to be seen, and my word on it."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine

from gateway import auth
from gateway.api.approvals import ApprovalAnswer, ApprovalList, ApprovedTogether
from gateway.auth import Role
from settlement import audit, store
from settlement.audit import AuditFilter
from tests.gateway.builders import NOW, Door, a_door, a_json_invoice
from tests.gateway.people import a_person


@pytest.fixture
def door(engine: Engine, tmp_path: Path) -> Iterator[Door]:
    with a_door(engine, tmp_path / "home") as opened:
        yield opened


def instructed(
    door: Door, number: str = "RE-1", amount: str = "300000.00", who: str = "treasury"
) -> Any:
    """A settlement of an accepted invoice, and the open request about it."""
    invoice = door.post("/v1/invoices", a_json_invoice(number, amount), "exporter").json()["id"]
    door.post(f"/v1/invoices/{invoice}/accept", {}, "importer")
    answer = door.post("/v1/settlements", {"invoice_id": invoice}, who)
    settlement = answer.json()["data"][0]
    found = door.get(f"/v1/approvals?subject={settlement['id']}", "approver").json()["data"]
    return settlement, found[0] if found else None


def word(approval: Any, **more: str) -> dict[str, str]:
    return {"what_hash": approval["what_hash"], "reason": "agrees with the contract", **more}


def say(door: Door, approval: Any, what: str = "approve", who: str = "approver") -> Any:
    return door.post(f"/v1/approvals/{approval['id']}/{what}", word(approval), who)


def test_a_large_settlement_is_pending_until_another_person_approves_it(door: Door) -> None:
    settlement, approval = instructed(door)

    answer = say(door, approval)

    after = door.get(f"/v1/settlements/{settlement['id']}").json()
    assert (settlement["iso_20022_status"], settlement["approved_by"]) == ("PDNG", None)
    assert answer.status_code == 200
    ApprovalAnswer.model_validate(answer.json())
    assert answer.json()["state"] == "approved"
    assert (after["iso_20022_status"], after["approved_by"]) == ("RCVD", door.keys["approver"][:16])
    assert [each["state"] for each in after["approvals"]] == ["approved"]


def test_a_small_settlement_needs_nobody(door: Door) -> None:
    settlement, approval = instructed(door, amount="1190.00")

    assert (settlement["iso_20022_status"], settlement["approved_by"]) == ("RCVD", "policy")
    assert approval is None


def test_everything_there_is_to_be_seen_is_shown_with_its_hash(door: Door) -> None:
    settlement, listed = instructed(door)

    approval = door.get(f"/v1/approvals/{listed['id']}", "approver").json()

    ApprovalAnswer.model_validate(approval)
    assert approval["terms"]["invoice_id"] == settlement["invoice_id"]
    assert approval["terms"]["amount"] == "300000.00 EUR"
    assert (approval["amount"], approval["unit"]) == ("300000.00", "EUR")
    assert len(approval["what_hash"]) == 64


def test_what_waits_for_me_ends_with_my_word(door: Door) -> None:
    _, approval = instructed(door, amount="6000000.00")

    before = door.get("/v1/approvals?mine=true", "approver").json()
    say(door, approval)
    after = door.get("/v1/approvals?mine=true", "approver").json()
    second = door.get("/v1/approvals?mine=true", "second-approver").json()

    ApprovalList.model_validate(before)
    assert [len(each["data"]) for each in (before, after, second)] == [1, 0, 1]


def test_one_person_with_two_keys_is_one_pair_of_eyes(door: Door, tmp_path: Path) -> None:
    pepper = auth.open_pepper(tmp_path / "home")
    person = a_person(door)
    with store.transaction(door.engine) as session:
        for who, role in (("anna-makes", Role.TREASURY), ("anna-checks", Role.APPROVER)):
            door.keys[who] = auth.issue_key(
                session, pepper, role=role, participant_id=None, now=NOW, person_id=person
            )
    _, approval = instructed(door, who="anna-makes")

    answer = say(door, approval, who="anna-checks")
    refused = say(door, approval, "refuse", who="anna-checks")
    other = say(door, approval)

    assert approval["maker"] == person
    assert (answer.status_code, answer.json()["title"]) == (403, "Same person")
    assert refused.status_code == 403
    assert other.json()["state"] == "approved"
    with store.reading(door.engine) as session:
        tries = [
            each.outcome
            for each in audit.every(session, AuditFilter(hand=person))
            if each.problem == "same-person"
        ]
    assert tries == ["403", "403"]


@pytest.mark.parametrize("who", ["treasury", "importer", "exporter", "overseer", "admin"])
def test_other_roles_approve_nothing(door: Door, who: str) -> None:
    _, approval = instructed(door)

    assert say(door, approval, who=who).status_code == 403


def test_compliance_decides_about_its_kinds_alone(door: Door) -> None:
    _, approval = instructed(door)

    answer = say(door, approval, who="compliance")

    assert (answer.status_code, answer.json()["title"]) == (403, "Not an approver")


def test_another_hash_than_what_was_shown_is_refused(door: Door) -> None:
    _, approval = instructed(door)

    answer = door.post(
        f"/v1/approvals/{approval['id']}/approve", {"what_hash": "0" * 64}, "approver"
    )

    assert (answer.status_code, answer.json()["title"]) == (409, "Seen outdated")
    assert answer.json()["errors"][0]["field"] == "what_hash"


def test_a_refused_settlement_is_cancelled_with_the_reason(door: Door) -> None:
    settlement, approval = instructed(door)

    answer = say(door, approval, "refuse")

    after = door.get(f"/v1/settlements/{settlement['id']}").json()
    assert (answer.json()["state"], answer.json()["approvals"]) == ("refused", 0)
    assert after["state"] == "CANCELLED"
    assert "agrees with the contract" in after["reason"]


def test_only_the_maker_withdraws(door: Door) -> None:
    settlement, approval = instructed(door)
    body = {"reason": "the wrong invoice"}

    other = door.post(f"/v1/approvals/{approval['id']}/withdraw", body, "second-treasury")
    company = door.post(f"/v1/approvals/{approval['id']}/withdraw", body, "exporter")
    assert company.status_code == 404, "a company learns of no request but its own"
    own = door.post(f"/v1/approvals/{approval['id']}/withdraw", body, "treasury")

    assert other.status_code == 403
    assert own.json()["state"] == "withdrawn"
    assert door.get(f"/v1/settlements/{settlement['id']}").json()["state"] == "CANCELLED"


def test_a_company_sees_its_own_requests_alone(door: Door) -> None:
    _, own = instructed(door, who="importer")
    _, other = instructed(door, "RE-2")

    listed = door.get("/v1/approvals", "importer").json()["data"]

    assert [each["id"] for each in listed] == [own["id"]]
    assert door.get(f"/v1/approvals/{other['id']}", "importer").status_code == 404


def test_many_are_approved_together_with_their_totals(door: Door) -> None:
    found = [instructed(door, f"RE-{number}")[1] for number in range(3)]
    seen = [{"id": each["id"], "what_hash": each["what_hash"]} for each in found]

    wrong = door.post(
        "/v1/approvals/approve", {"approvals": seen, "totals": {"EUR": "1.00"}}, "approver"
    )
    right = door.post(
        "/v1/approvals/approve", {"approvals": seen, "totals": {"EUR": "900000.00"}}, "approver"
    )

    assert (wrong.status_code, wrong.json()["title"]) == (409, "Totals differ")
    ApprovedTogether.model_validate(right.json())
    assert right.json()["totals"] == {"EUR": "900000.00"}
    assert {each["state"] for each in right.json()["data"]} == {"approved"}


def test_one_that_cannot_be_approved_keeps_all_from_it(door: Door) -> None:
    found = [instructed(door, f"RE-{number}")[1] for number in range(2)]
    seen = [{"id": each["id"], "what_hash": each["what_hash"]} for each in found]
    seen[1]["what_hash"] = "0" * 64

    answer = door.post("/v1/approvals/approve", {"approvals": seen}, "approver")

    assert answer.status_code == 409
    states = door.get("/v1/approvals", "approver").json()["data"]
    assert {each["state"] for each in states} == {"open"}


def test_two_approvers_at_once_are_two_approvals_and_one_effect(door: Door) -> None:
    settlement, approval = instructed(door, amount="6000000.00")
    start = threading.Barrier(4)
    answers: list[int] = []

    def approve(who: str) -> None:
        start.wait()
        answers.append(say(door, approval, who=who).status_code)

    whos = ("approver", "second-approver", "approver", "second-approver")
    threads = [threading.Thread(target=approve, args=(who,)) for who in whos]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    after = door.get(f"/v1/approvals/{approval['id']}", "approver").json()
    assert sorted(answers)[:2] == [200, 200]
    assert all(status in (403, 409) for status in sorted(answers)[2:])
    assert (after["state"], after["approvals"]) == ("approved", 2)
    assert door.get(f"/v1/settlements/{settlement['id']}").json()["approved_by"].count("stk_") == 2


def test_an_approval_is_in_the_trail_with_before_and_after(door: Door) -> None:
    settlement, approval = instructed(door)
    say(door, approval)

    with store.reading(door.engine) as session:
        newest = audit.page(session, AuditFilter(subject=approval["id"]), limit=1)[0]

    assert newest.act == "POST /v1/approvals/{approval_id}/approve"
    changes = orjson.loads(newest.changes or "{}")
    assert changes[settlement["id"]]["approval"] == ["open", "approved"]
