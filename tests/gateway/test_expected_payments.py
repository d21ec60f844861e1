"""Expected payments over HTTP: said, matched within their bounds, overdue, archived, refused."""

from typing import Any

import pytest

from settlement import bank
from settlement.clock import counted_ids
from settlement.store import transaction
from tests.bank.builders import Movement, a_camt, an_account
from tests.gateway.builders import Door
from tests.invoices.builders import NOW

ROOT = "/v1/reconciliation"


def said(door: Door, **changes: Any) -> dict[str, Any]:
    """The seller expects 95.00 to 100.00 from the 16th to the 20th, for RE-1."""
    plain = {
        "owner_id": door.companies.seller,
        "direction": "credit",
        "currency": "EUR",
        "amount_low": "95.00",
        "amount_high": "100.00",
        "first_day": "2026-11-16",
        "last_day": "2026-11-20",
        "reference": "RE-1",
    }
    return {**plain, **changes}


def expect(door: Door, **changes: Any) -> dict[str, Any]:
    answer = door.post(f"{ROOT}/expected", said(door, **changes), "treasury")
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def expected(door: Door, query: str = "", who: str = "treasury") -> list[dict[str, Any]]:
    answer = door.get(f"{ROOT}/expected{query}", who)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["data"])


def run(door: Door) -> dict[str, Any]:
    answer = door.post(f"{ROOT}/run", {}, "treasury")
    assert answer.status_code == 200, answer.text
    return dict(answer.json()["counts"])


def told(door: Door, *movements: Movement) -> None:
    """The seller's bank tells of movements."""
    wanted = an_account(owner_id=door.companies.seller)
    with transaction(door.engine) as session:
        bank.register(session, wanted, ids=counted_ids(500), now=NOW)
    answer = door.client.post(
        "/v1/bank/statements",
        content=a_camt(*movements),
        headers={
            **door.headers("treasury"),
            "Idempotency-Key": "file",
            "Content-Type": "application/xml",
        },
    )
    assert answer.status_code == 201, answer.text


def breaks(door: Door) -> list[tuple[str, str]]:
    found = door.get("/v1/breaks?is_open=true").json()["data"]
    return sorted((each["kind"], each["subject"]) for each in found)


def test_what_comes_within_the_bounds_reconciles_what_was_expected(door: Door) -> None:
    made = expect(door)
    before = expected(door)
    told(door, Movement("97.50", end_to_end="X-1", remittance="RE-1"))

    run(door)

    (after,) = expected(door, "?status=reconciled")
    assert (made["id"], made["status"], made["record_id"]) == ("exp_1", "unreconciled", None)
    assert before == [made]
    assert (after["amount_reconciled"], after["amount_open"]) == ("97.50", "0.00")
    assert (expected(door, "?status=unreconciled"), breaks(door)) == ([], [])
    (match,) = door.get(f"{ROOT}/matches").json()["data"]
    assert match["rule"] == "expected-reference" and after["record_id"] in match["records"]


def test_a_debit_is_expected_as_well_as_a_credit(door: Door) -> None:
    expect(door, direction="debit", reference=None, end_to_end_id="OUT-1")
    expect(door, direction="credit", reference=None, end_to_end_id="OUT-2")
    told(
        door,
        Movement("-96.00", "A", end_to_end="OUT-1", remittance="-"),
        Movement("-96.00", "B", end_to_end="OUT-2", remittance="-"),
    )

    run(door)

    assert [each["status"] for each in expected(door)] == ["unreconciled", "reconciled"]


def test_parts_that_a_person_matches_reconcile_it_partially(door: Door) -> None:
    made = expect(door)
    told(door, Movement("40.00", end_to_end="X-1", remittance="first part"))
    run(door)
    records = {each["source"]: each["id"] for each in door.get(f"{ROOT}/records").json()["data"]}

    split = door.post(
        f"{ROOT}/records/{records['expected']}/split", {"amounts": ["40.00", "60.00"]}, "treasury"
    )
    body = {"records": [split.json()["records"][0], records["bank"]]}
    matched = door.post(f"{ROOT}/matches", body, "treasury")

    (now,) = expected(door, "?status=partially_reconciled")
    kept = door.post(f"{ROOT}/expected/{made['id']}/archive", {}, "treasury")
    assert (split.status_code, matched.status_code) == (200, 200)
    assert (now["amount_reconciled"], now["amount_open"]) == ("40.00", "55.00")
    assert (kept.status_code, kept.json()["title"]) == (409, "Expectation not open")
    assert kept.json()["errors"][0]["repair"].startswith("undo the match")


@pytest.mark.parametrize(("last", "kinds"), [("2026-11-20", []), ("2026-11-19", ["exp_1"])])
def test_its_absence_is_a_break_after_its_last_day_and_not_before(
    door: Door, last: str, kinds: list[str]
) -> None:
    expect(door, last_day=last)

    run(door)

    assert breaks(door) == [("missing_at_bank", subject) for subject in kinds]


def test_archived_it_is_expected_no_more_and_its_break_closes(door: Door) -> None:
    made = expect(door, last_day="2026-11-19")
    path = f"{ROOT}/expected/{made['id']}/archive"
    run(door)
    was = breaks(door)

    archived = door.post(path, {}, "treasury").json()
    (record,) = door.get(f"{ROOT}/records").json()["data"]
    told(door, Movement("97.50", end_to_end="X-1", remittance="RE-1"))
    counts = run(door)

    again = door.post(path, {}, "treasury")
    assert was == [("missing_at_bank", "exp_1")]
    assert record["state"] == "withdrawn"
    assert archived["status"] == "archived" and archived["archived_by"].startswith("treasury:")
    assert counts["matched"] == 0
    assert [kind for kind, _subject in breaks(door)] == ["unattributed_bank_credit"]
    assert [each["id"] for each in expected(door, "?status=archived")] == [made["id"]]
    assert again.status_code == 409


def test_the_largest_that_is_taken_is_looked_for(door: Door) -> None:
    expect(door, amount_high="4000000000000.00")
    expect(door, currency="JPY", amount_low="1", amount_high="4000000000000")

    assert run(door)["added"] == 2
    assert [each["record_id"] is None for each in expected(door)] == [False, False]


def test_archived_before_any_run_it_never_becomes_a_record(door: Door) -> None:
    made = expect(door)
    door.post(f"{ROOT}/expected/{made['id']}/archive", {}, "treasury")

    assert run(door)["added"] == 0


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amount_low": "100.01"}, "amount_high"),
        ({"amount_low": "1e2"}, "amount_low"),
        ({"amount_low": "0.00"}, "amount_low"),
        ({"amount_high": "95.001"}, "amount_high"),
        ({"amount_high": "4000000000000.01"}, "amount_high"),
        ({"currency": "JPY", "amount_low": "1", "amount_high": "4000000000001"}, "amount_high"),
        ({"first_day": "2026-11-21"}, "last_day"),
        ({"first_day": "2026-02-30"}, "first_day"),
        ({"first_day": "0001-01-01"}, "first_day"),
        ({"reference": None}, "reference"),
        ({"reference": " ", "end_to_end_id": "NOTPROVIDED"}, "reference"),
        ({"counterparty": "two\nlines"}, "counterparty"),
        ({"currency": "XXL"}, "currency"),
        ({"owner_id": "par_nobody"}, "owner_id"),
        ({"direction": "sideways"}, "direction"),
        ({"amount_low": 95}, "amount_low"),
        ({"more": "1"}, "more"),
    ],
)
def test_what_cannot_be_expected_is_refused_with_what_to_do(
    door: Door, changes: dict[str, Any], field: str
) -> None:
    answer = door.post(f"{ROOT}/expected", said(door, **changes), "treasury")

    (fault,) = answer.json()["errors"]
    assert (answer.status_code, fault["field"]) == (422, field)
    assert fault.get("repair") or fault["message"]
    assert expected(door) == []


def test_staff_reads_the_treasury_alone_says_and_others_see_nothing(door: Door) -> None:
    expect(door)
    expect(door, owner_id=door.companies.buyer)

    assert [each["id"] for each in expected(door, who="overseer")] == ["exp_2", "exp_1"]
    assert [each["id"] for each in expected(door, f"?owner={door.companies.buyer}")] == ["exp_2"]
    page = door.get(f"{ROOT}/expected?limit=1").json()
    assert page["has_more"] and [each["id"] for each in page["data"]] == ["exp_2"]
    assert [each["id"] for each in expected(door, "?starting_after=exp_2")] == ["exp_1"]
    assert door.get(f"{ROOT}/expected", "exporter").status_code == 403
    for who in ("overseer", "approver", "exporter"):
        assert door.post(f"{ROOT}/expected", said(door), who).status_code == 403
        assert door.post(f"{ROOT}/expected/exp_1/archive", {}, who).status_code == 403
    for unknown in ("exp_9", "9", "exp_", "exp_1x", "exp_\u0661"):
        gone = door.post(f"{ROOT}/expected/{unknown}/archive", {}, "treasury")
        assert gone.status_code == 404, unknown
