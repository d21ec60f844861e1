"""Lists and hits at the doors: who may what, what is refused, what two people clear."""

from typing import Any

from settlement.compliance import screening
from settlement.store import transaction
from tests.compliance.list_files import files
from tests.gateway.builders import Door
from tests.invoices.builders import NOW

NEAR, EXACT = "Nordlicht Pumpe Trading GmbH", "Nordlicht Pumpen GmbH"


def _load(door: Door, content: str, name: str = "own", who: str = "compliance") -> Any:
    return door.post(f"/v1/lists/{name}", content.encode(), who)


def _hit(door: Door, content: str) -> Any:
    """The hit on a company's own name that a list of this content leaves."""
    loaded = _load(door, content)
    assert loaded.status_code == 201, loaded.text
    gateway = door.app.state.gateway
    with transaction(door.engine) as session:
        screening.ensure(session, [door.companies.seller], ids=gateway.ids, now=NOW)
    found = door.get("/v1/screening/hits?state=open", "compliance").json()["data"]
    return next(each for each in found if each["subject_kind"] == "name")


def test_a_list_is_loaded_shown_and_told_apart_from_the_last(door: Door) -> None:
    first = _load(door, files.SDN_CSV + files.ALT_CSV, "ofac")
    again = _load(door, files.SDN_CSV + files.ALT_CSV, "ofac")
    second = _load(door, files.OFAC_CSV, "ofac")

    assert (first.status_code, first.json()["added"], first.json()["is_new"]) == (201, 3, True)
    assert (again.json()["is_new"], again.json()["id"]) == (False, first.json()["id"])
    assert (second.json()["changed"], second.json()["added"]) == (2, 0)
    (shown,) = door.get("/v1/lists", "overseer").json()["data"]
    assert (shown["name"], shown["format"], shown["parties"]) == ("ofac", "ofac-csv", 3)
    diff = door.get("/v1/lists/ofac/diff", "overseer").json()
    assert [each["entry_key"] for each in diff["changed"]] == ["101", "102"]
    before = door.get(f"/v1/lists/ofac/diff?version={first.json()['id']}", "overseer").json()
    assert before["counts"] == {"added": 3, "changed": 0, "removed": 0}


def test_a_file_that_is_not_whole_is_refused_with_its_line_and_what_to_do(door: Door) -> None:
    _load(door, files.FTM)

    odd = (
        files.FTM + '{"id":"x-9","schema":"Person","properties":{"topics":["sanction"],"name":%s}}'
    )
    for content in (files.FTM + '{"id": "x', files.UN_XML[:-200], "<html/>", "", odd % 5,
                    odd % '{"a":"b"}', odd % '["A\\u0000B"]'):  # fmt: skip
        refused = _load(door, content)

        assert refused.status_code == 422, content
        assert refused.json()["errors"][0]["field"] == "file"
    assert door.get("/v1/lists", "compliance").json()["data"][0]["parties"] == 2
    assert _load(door, "A Name\n", "No_List!").status_code in (404, 422)


def test_a_file_in_another_format_is_taken_only_where_that_is_said(door: Door) -> None:
    _load(door, files.OFAC_CSV)

    refused = _load(door, "Too many requests\n")
    again = _load(door, "Too many requests\n", "own/smaller")
    less = _load(door, files.EU_XML, "own/other-format")
    taken = _load(door, files.EU_XML, "own/other-format/smaller")

    for answer, kind in ((refused, "list-format-differs"), (again, "list-format-differs"),
                         (less, "list-shrinks")):  # fmt: skip
        assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (409, kind)
        assert answer.json()["errors"][0]["field"] == "file"
    assert "/other-format" in refused.json()["errors"][0]["repair"]
    assert (taken.status_code, taken.json()["format"]) == (201, "eu-xml")


def test_a_name_is_checked_with_the_parts_of_its_score(door: Door) -> None:
    _load(door, files.FTM)

    path = "/v1/screening/check?name=%D0%9C%D0%B0%D0%BA%D1%81%D0%B8%D0%BC+Orlovski&kind=person"
    (found,) = door.get(f"{path}&country=RU&birth_date=1970-09-21", "compliance").json()["data"]

    assert (found["entry_key"], found["score"]) == ("x-1", 100)
    assert found["parts"]["evidence"] == {"country": 3, "birth": 5}
    assert door.get(f"{path}&birth_date=1970-02-31", "compliance").status_code == 422
    assert door.get("/v1/screening/check?name=", "compliance").status_code == 422


def test_a_hit_is_assigned_commented_and_cleared_by_one_person_where_it_is_not_close(
    door: Door,
) -> None:
    hit = _hit(door, f"{NEAR}\n")
    path = f"/v1/screening/hits/{hit['id']}"

    assert 80 <= hit["score"] < 95
    assert door.post(f"{path}/assign", {"to": "A. Officer"}, "compliance").status_code == 200
    assert door.post(f"{path}/comment", {"comment": "asked"}, "compliance").status_code == 200
    assert door.post(f"{path}/clear", {"reason": " "}, "compliance").status_code == 422
    cleared = door.post(f"{path}/clear", {"reason": "another company"}, "compliance")
    again = door.post(f"{path}/clear", {"reason": "once more"}, "compliance")

    assert (cleared.status_code, cleared.json()["state"]) == (200, "cleared")
    assert cleared.json()["approval_id"] is None
    assert [each["move"] for each in cleared.json()["history"]] == [
        "found", "assigned", "commented", "cleared",
    ]  # fmt: skip
    assert again.status_code == 409


def test_a_close_hit_is_cleared_once_another_person_agrees(door: Door) -> None:
    hit = _hit(door, f"{EXACT}\n")
    path = f"/v1/screening/hits/{hit['id']}"

    asked = door.post(f"{path}/clear", {"reason": "another register number"}, "compliance")
    approval = door.get(f"/v1/approvals/{asked.json()['approval_id']}", "approver").json()
    own = door.post(
        f"/v1/approvals/{approval['id']}/approve", {"what_hash": approval["what_hash"]},
        "compliance",
    )  # fmt: skip
    waiting = door.get(path, "compliance").json()["state"]
    agreed = door.post(
        f"/v1/approvals/{approval['id']}/approve", {"what_hash": approval["what_hash"]}, "approver"
    )

    assert (asked.status_code, asked.json()["state"], waiting) == (200, "open", "open")
    assert own.status_code == 403
    assert agreed.status_code == 200, agreed.text
    assert door.get(path, "compliance").json()["state"] == "cleared"


def test_a_confirmed_hit_is_cleared_by_two_whatever_it_scores(door: Door) -> None:
    hit = _hit(door, f"{NEAR}\n")
    path = f"/v1/screening/hits/{hit['id']}"

    confirmed = door.post(f"{path}/confirm", {"reason": "same number"}, "compliance").json()
    asked = door.post(f"{path}/clear", {"reason": "a mistake"}, "compliance").json()

    assert confirmed["state"] == "confirmed"
    assert (asked["state"], asked["approval_id"] is None) == ("confirmed", False)


def test_nobody_but_compliance_changes_anything_and_no_company_sees_any_of_it(door: Door) -> None:
    hit = _hit(door, f"{EXACT}\n")
    path = f"/v1/screening/hits/{hit['id']}"

    for who in ("exporter", "importer", "treasury", "approver"):
        assert door.get(path, who).status_code == 403
        assert door.get("/v1/lists", who).status_code == 403
    for who in ("exporter", "treasury", "approver", "overseer", "admin"):
        assert door.post(f"{path}/clear", {"reason": "mine"}, who).status_code == 403
        assert _load(door, "A Name\n", who=who).status_code == 403
    assert door.get("/v1/screening/hits/hit_" + "0" * 32, "compliance").status_code == 404
    assert door.get("/v1/lists/nolist/diff", "compliance").status_code == 404


def test_a_round_is_begun_where_a_list_is_in_force(door: Door) -> None:
    none = door.post("/v1/screening/rounds", {}, "compliance").json()
    _load(door, "A Name\n")
    begun = door.post("/v1/screening/rounds", {}, "compliance").json()

    assert (none["state"], none["id"]) == ("none", None)
    assert begun["state"] == "running"
