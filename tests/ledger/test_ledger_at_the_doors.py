"""Periods, monitors and account statements over HTTP, and who may use them."""

from typing import Any

import pytest

from gateway.api import account_statements, books, monitors, periods
from settlement import ledger
from settlement.store import reading, transaction
from tests.gateway.builders import Door, a_json_invoice
from tests.invoices.builders import NOW

OCTOBER = "2026-10-01_2026-10-31"


@pytest.fixture
def busy(door: Door) -> Door:
    """A gateway with an accepted invoice of 1 November."""
    invoice = door.post("/v1/invoices", a_json_invoice(), "exporter").json()["id"]
    door.post(f"/v1/invoices/{invoice}/accept", {}, "importer")
    return door


def owed(door: Door) -> str:
    return f"receivable:{door.companies.seller}:EUR"


def closed(door: Door, name: str = "2026-10", checker: str = "approver") -> Any:
    asked = door.post("/v1/periods/close", {"period": name}, "treasury").json()
    seen = {"period": name, "trial_sha256": asked["trial_sha256"]}
    return door.post("/v1/periods/approve", seen, checker)


def test_one_closes_and_another_approves(door: Door) -> None:
    asked = door.post("/v1/periods/close", {"period": "2026-10"}, "treasury")
    periods.Period.model_validate(asked.json(), strict=True)
    assert (asked.status_code, asked.json()["state"]) == (200, "open")

    seen = {"period": "2026-10", "trial_sha256": asked.json()["trial_sha256"]}
    same = door.post("/v1/periods/approve", seen, "treasury")
    approved = door.post("/v1/periods/approve", seen, "approver")

    assert (same.status_code, same.json()["title"]) == (403, "Second person missing")
    assert approved.json()["state"] == "closed"
    assert approved.json()["approved_by"] != approved.json()["closed_by"]
    page = door.get("/v1/periods").json()
    periods.PeriodList.model_validate(page, strict=True)
    assert (page["open_since"], page["data"]) == ("2026-11-01", [approved.json()])
    assert door.get("/v1/periods/2026-10").json() == approved.json()
    assert door.get("/v1/periods/2026-09").status_code == 404


def test_what_may_not_be_closed_is_refused_with_the_field_and_what_to_do(door: Door) -> None:
    running = door.post("/v1/periods/close", {"period": "2026-11"}, "treasury")
    nonsense = door.post("/v1/periods/close", {"period": "soon"}, "treasury")
    other = door.post("/v1/periods/close", {"period": "2026-10"}, "treasury")
    moved = {"period": "2026-10", "trial_sha256": "0" * 64}
    unseen = door.post("/v1/periods/approve", moved, "approver")

    assert other.status_code == 200
    for answer, status in ((running, 409), (nonsense, 422), (unseen, 409)):
        assert answer.status_code == status
        fault = answer.json()["errors"][0]
        assert fault["field"] and fault["repair"]


def test_an_invoice_of_a_closed_month_is_accepted_into_the_open_one(door: Door) -> None:
    assert closed(door).status_code == 200
    invoice = a_json_invoice(issue_date="2026-10-10")

    issued = door.post("/v1/invoices", invoice, "exporter").json()["id"]
    accepted = door.post(f"/v1/invoices/{issued}/accept", {}, "importer")

    assert accepted.status_code == 200
    (entry,) = door.get("/v1/journal").json()["data"]
    assert entry["value_date"] == "2026-11-01"
    assert entry["reason"] == "value date 2026-10-10 lies in a closed period"


def test_a_statement_names_its_basis_and_adds_up(busy: Door) -> None:
    query = f"/v1/account-statement?code={owed(busy)}&first=2026-11-01&last=2026-11-30"
    answer = busy.get(query).json()

    account_statements.AccountStatement.model_validate(answer, strict=True)
    assert answer["basis"] == "value"
    assert [answer[name] for name in ("opening", "movements", "closing")] == [
        "0.00", "1190.00", "1190.00",
    ]  # fmt: skip
    assert [line["balance"] for line in answer["data"]] == ["1190.00"]
    booked = busy.get(query.replace("2026-11-30", "2026-11-19") + "&basis=booking").json()
    assert (booked["basis"], booked["closing"], booked["data"]) == ("booking", "0.00", [])
    by_block = busy.get(f"/v1/account-statement?code={owed(busy)}&first=0&last=9&basis=block")
    assert by_block.json()["line_count"] == 0


def test_the_lines_of_a_statement_come_in_pages(busy: Door) -> None:
    for number in range(2, 5):
        made = busy.post("/v1/invoices", a_json_invoice(f"RE-{number}"), "exporter").json()["id"]
        busy.post(f"/v1/invoices/{made}/accept", {}, "importer")
    query = f"/v1/account-statement?code={owed(busy)}&first=2026-11-01&last=2026-11-30&limit=3"

    first, second = busy.get(query).json(), busy.get(f"{query}&offset=3").json()

    assert (first["has_more"], second["has_more"]) == (True, False)
    assert first["closing"] == second["closing"] == second["data"][-1]["balance"] == "4760.00"
    assert len(first["data"] + second["data"]) == first["line_count"] == 4


def test_a_company_sees_the_statements_of_its_own_accounts_alone(busy: Door) -> None:
    query = f"/v1/account-statement?code={owed(busy)}&first=2026-11-01&last=2026-11-30"

    assert busy.get(query, "exporter").status_code == 200
    assert busy.get(query, "importer").status_code == 404
    assert busy.get(query, "stranger").status_code == 404


@pytest.mark.parametrize(
    "bounds", ["first=1&last=2", "first=2026-11-31&last=2026-12-01", "first=20261101&last=20261102",
               "first=2026-11-02&last=2026-11-01", "first=-1&last=2&basis=block",
               "first=2026-11-01&last=2026-11-02&basis=block"],
)  # fmt: skip
def test_bounds_that_are_none_are_refused(busy: Door, bounds: str) -> None:
    answer = busy.get(f"/v1/account-statement?code={owed(busy)}&{bounds}")

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"]


def test_accounts_say_by_what_they_count(busy: Door) -> None:
    now = busy.get("/v1/accounts").json()
    before = busy.get("/v1/accounts?on=2026-10-31").json()

    books.AccountList.model_validate(before, strict=True)
    assert (now["basis"], before["basis"]) == ("now", "value 2026-10-31")
    assert busy.get("/v1/accounts?at_block=3").json()["basis"] == "block 3"
    assert {each["posted"] for each in before["data"]} == {"0.00"}
    unknown = busy.get("/v1/accounts?kind=purse")
    assert unknown.status_code == 422
    assert "receivable" in unknown.json()["errors"][0]["repair"]


def test_a_monitor_shows_what_is_outside_its_bounds(busy: Door) -> None:
    body = {"name": "claims", "pattern": "receivable:*", "upper_minor": "100000"}
    made = busy.post("/v1/monitors", body, "treasury")
    monitors.BalanceMonitor.model_validate(made.json(), strict=True)
    with transaction(busy.engine) as session:
        assert len(ledger.monitors.check(session, NOW)) == 1

    (listed,) = busy.get("/v1/monitors").json()["data"]

    assert made.status_code == 201
    assert [(each["account"], each["side"], each["balance"]) for each in listed["outside"]] == [
        (owed(busy), "above", "1190.00")
    ]
    events = busy.get(f"/v1/events?aggregate_id={listed['id']}").json()["data"]
    assert [each["kind"] for each in events] == ["monitor.above"]
    retired = busy.post(f"/v1/monitors/{listed['id']}/retire", {}, "treasury").json()
    assert retired["retired_at"]
    assert busy.post(f"/v1/monitors/{listed['id']}/retire", {}, "treasury").status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"name": "x", "pattern": "receivable:*"},
        {"name": "x", "pattern": "purse:*", "upper_minor": "1"},
        {"name": "x", "pattern": "receivable:*", "upper_minor": "1.5"},
        {"name": "x", "pattern": "receivable:*", "upper_minor": 1},
        {"name": "x", "pattern": "receivable:*", "upper_minor": "1", "lower_minor": "2"},
        {"name": "", "pattern": "receivable:*", "upper_minor": "1"},
    ],
)
def test_a_monitor_without_sense_is_refused(door: Door, body: dict[str, object]) -> None:
    assert door.post("/v1/monitors", body, "treasury").status_code == 422
    assert door.get("/v1/monitors").json()["data"] == []


def test_a_bank_account_s_books_belong_to_its_owner(door: Door) -> None:
    with transaction(door.engine) as session:
        session.connection().exec_driver_sql(
            "INSERT INTO bank_account (id, owner_id, name, iban, servicer_bic, currency, role,"
            f" payout_days, created_at) VALUES ('bka_1', '{door.companies.seller}', 'x', 'DE1',"
            " 'X', 'EUR', 'payout', 0, 0)"
        )
        moved = ledger.entries.bank_movement(
            1, bank_account_id="bka_1", currency="EUR", minor=5, value_date="2026-11-19"
        )
        ledger.post(session, [moved], NOW)

    with reading(door.engine) as session:
        assert ledger.codes_of(session, owner=door.companies.seller) == [
            "clearing:bka_1:EUR",
            "nostro:bka_1:EUR",
        ]
