"""Money that a person has dealt with in part is matched by nobody at its full amount."""

from pathlib import Path

import pytest

from settlement import bank
from settlement.store import transaction
from tests.bank.builders import Movement, a_camt, an_account
from tests.reconciliation.workbench.desks import Desks

DOLLAR = 1_000_000


def _matches(desk: Desks) -> list[str]:
    found = desk.get("/v1/reconciliation/matches?live=true").json()["data"]
    return [str(each["rule"]) for each in found]


def _record(desk: Desks, source: str) -> tuple[int, str]:
    (found,) = desk.get(f"/v1/reconciliation/records?source={source}").json()["data"]
    return int(found["id"]), str(found["state"])


def _run(desk: Desks) -> None:
    assert desk.post("/v1/reconciliation/run", {}).status_code == 200


@pytest.fixture
def credited(desk: Desks, tmp_path: Path) -> str:
    """A credit of 100.00 at the seller's bank that names N-2; returns its break."""
    wanted = an_account(owner_id=desk.rail.companies.seller, currency="USD")
    with transaction(desk.rail.engine) as session:
        bank.register(session, wanted, ids=desk.rail.ids, now=desk.rail.now)
    path = tmp_path / "statement.xml"
    movement = Movement("100.00", "BK-1", remittance="N-2", currency="USD")
    path.write_bytes(a_camt(movement, currency="USD"))
    bank.import_file(desk.rail.engine, path, actor="t", ids=desk.rail.ids, now=desk.rail.now)
    desk.settle_down(1)
    (told,) = desk.get("/v1/breaks?kind=unattributed_bank_credit").json()["data"]
    return str(told["id"])


def test_a_deposit_used_in_part_waits_for_a_person_until_that_is_undone(desk: Desks) -> None:
    broken = desk.deposited(100 * DOLLAR)
    desk.done(broken, "attribute", invoice=desk.rail.accepted(40_00, number="N-1"))
    desk.rail.accepted(100_00, number="N-2")

    _run(desk)
    between = _matches(desk), _record(desk, "deposit")[1]
    desk.done(broken, "undo")
    _run(desk)

    assert between == ([], "explained")
    assert _matches(desk) == ["invoice-deposit"]


def test_a_record_used_in_part_is_neither_split_nor_matched_by_hand(
    desk: Desks, credited: str
) -> None:
    desk.done(credited, "attribute", invoice=desk.rail.accepted(40_00, number="N-1"))
    desk.rail.accepted(100_00, number="N-2")
    _run(desk)
    entry = _record(desk, "bank")[0]
    claim = desk.rail.one(
        "SELECT r.id FROM recon_record r JOIN invoice i ON i.id = r.invoice_id"
        " WHERE i.number = 'N-2' AND r.state = 'open'"
    )

    split = desk.post(f"/v1/reconciliation/records/{entry}/split", {"amounts": ["60.00", "40.00"]})
    by_hand = desk.post("/v1/reconciliation/matches", {"records": [entry, claim]})

    assert {split.json()["title"], by_hand.json()["title"]} == {"Record not open"}
    assert _matches(desk) == []


def test_a_record_that_is_split_is_not_attributed_before_it_is_joined(
    desk: Desks, credited: str
) -> None:
    entry = _record(desk, "bank")[0]
    path = f"/v1/reconciliation/records/{entry}"
    assert desk.post(f"{path}/split", {"amounts": ["60.00", "40.00"]}).status_code == 200
    invoice = desk.rail.accepted(40_00, number="N-1")

    refused = desk.refused(credited, "attribute", invoice=invoice)
    assert desk.post(f"{path}/join", {}).status_code == 200
    desk.done(credited, "attribute", invoice=invoice)

    assert refused == (409, "Not this money")
    assert desk.rail.one("SELECT state FROM recon_record WHERE id = :id", id=entry) == "explained"
