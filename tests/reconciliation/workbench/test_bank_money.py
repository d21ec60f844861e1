"""Bank entries that nobody has explained: attributed, matched by hand, written off, undone."""

from pathlib import Path

import pytest

from settlement import bank
from settlement.store import transaction
from settlement.tables import ExpectedPayment
from tests.bank.builders import Movement, a_camt, an_account
from tests.reconciliation.workbench.desks import Desks

USD = "USD"


@pytest.fixture
def account(desk: Desks) -> str:
    """An account of the seller at a bank."""
    wanted = an_account(owner_id=desk.rail.companies.seller, currency=USD)
    with transaction(desk.rail.engine) as session:
        return bank.register(session, wanted, ids=desk.rail.ids, now=desk.rail.now)


def _told(desk: Desks, folder: Path, *amounts: str) -> list[str]:
    """Let the bank tell of movements that nothing explains; return their breaks."""
    movements = [
        Movement(amount, f"BK-{n}", f"E2E-{n}", remittance="thanks", currency=USD)
        for n, amount in enumerate(amounts, start=1)
    ]
    path = folder / "statement.xml"
    path.write_bytes(a_camt(*movements, currency=USD))
    bank.import_file(desk.rail.engine, path, actor="t", ids=desk.rail.ids, now=desk.rail.now)
    desk.settle_down(1)
    found = desk.get("/v1/breaks?is_open=true").json()["data"]
    return [each["id"] for each in found if each["subject"].startswith("bank:")]


def test_a_bank_credit_pays_an_invoice_and_the_undo_takes_it_back(
    desk: Desks, account: str, tmp_path: Path
) -> None:
    (broken,) = _told(desk, tmp_path, "70.00")
    invoice = desk.rail.accepted(100_00)
    before = desk.books()

    paid = desk.done(broken, "attribute", invoice=invoice)
    desk.settle_down(1)
    between = desk.books()["balances"]
    desk.done(broken, "undo")

    assert paid["effects"][0]["claim"] == "70.00" and paid["closed_at"] is not None
    assert f"clearing:{account}:{USD}" not in between
    assert between[f"nostro:{account}:{USD}"] == 70_00
    assert between[f"receivable:{desk.rail.companies.seller}:{USD}"] == 30_00
    after = desk.books()
    assert (after["balances"], after["breaks"]) == (before["balances"], before["breaks"])
    assert after["invoices"] == before["invoices"]


def test_a_bank_debit_is_written_off_as_a_fee_by_two_people(
    desk: Desks, account: str, tmp_path: Path
) -> None:
    (broken,) = _told(desk, tmp_path, "-2.50")
    wrong = desk.refused(broken, "attribute", invoice="N-1")
    desk.done(broken, "propose", act="write_off", against="fees")

    desk.done(broken, "approve", "carl")

    booked = desk.books()["balances"]
    assert wrong == (409, "Act makes no sense")
    assert booked[f"fees:{desk.rail.companies.seller}:{USD}"] == 2_50
    assert f"clearing:{account}:{USD}" not in booked


def test_a_fee_that_a_bank_has_kept_is_a_cost_when_it_is_written_off(
    desk: Desks, account: str, tmp_path: Path
) -> None:
    seller = desk.rail.companies.seller
    with transaction(desk.rail.engine) as session:
        session.add(_awaited(seller, 100_00))
    path = tmp_path / "statement.xml"
    less = Movement("97.50", "BK-1", "E2E-1", charges="2.50", currency=USD)
    path.write_bytes(a_camt(less, currency=USD))
    bank.import_file(desk.rail.engine, path, actor="t", ids=desk.rail.ids, now=desk.rail.now)
    desk.settle_down(1)
    (broken,) = desk.get("/v1/breaks?is_open=true&kind=fee").json()["data"]

    desk.done(broken["id"], "propose", act="write_off")
    desk.done(broken["id"], "approve", "carl")

    booked = desk.books()["balances"]
    assert broken["amount"] == "-2.50"
    assert booked[f"fees:{seller}:{USD}"] == 2_50
    assert booked[f"clearing:{account}:{USD}"] == -100_00


def _awaited(owner: str, minor: int) -> ExpectedPayment:
    return ExpectedPayment(
        owner_id=owner,
        direction="credit",
        currency=USD,
        low_minor=minor,
        high_minor=minor,
        first_day="2026-11-19",
        last_day="2026-11-21",
        end_to_end_id="E2E-1",
        created_by="t",
        created_at=0,
    )


def test_records_are_matched_by_hand_and_apart_again(
    desk: Desks, account: str, tmp_path: Path
) -> None:
    desk.rail.accepted(70_00, number="N-70")
    (broken, *_others) = _told(desk, tmp_path, "71.00", "-1.00")
    records = desk.rail.rows("SELECT id, origin, amount_micro, state FROM recon_record")
    debit = next(row.origin for row in records if row.amount_micro == -1_000_000)
    broken = next(
        each["id"]
        for each in desk.get("/v1/breaks?is_open=true").json()["data"]
        if each["amount"] == "71.00"
    )

    unknown = desk.refused(broken, "match", records=["bank:999"])
    too_large = desk.refused(broken, "match", records=["9" * 25])
    alone = desk.refused(broken, "match", records=[desk.read(broken)["subject"]])
    matched = desk.done(broken, "match", records=[debit])
    twice = desk.act(broken, "reopen"), desk.act(broken, "match", records=[debit])
    apart = desk.done(broken, "unmatch")

    assert unknown == too_large == alone == (422, "Invalid")
    assert matched["closed_at"] is not None and matched["effects"][0]["match_id"]
    assert twice[0].status_code == 200
    assert (twice[1].status_code, twice[1].json()["title"]) == (409, "Record not open")
    assert apart["closed_at"] is None and apart["effects"][0]["live"] is False
    assert desk.rail.one("SELECT COUNT(*) FROM recon_match WHERE live") == 0


def test_money_that_backs_a_token_pays_no_invoice(desk: Desks, tmp_path: Path) -> None:
    wanted = an_account(
        owner_id=desk.rail.companies.seller,
        currency=USD,
        role="reserve",
        reserve_of=desk.rail.token(),
    )
    with transaction(desk.rail.engine) as session:
        bank.register(session, wanted, ids=desk.rail.ids, now=desk.rail.now)
    invoice = desk.rail.accepted(70_00)
    (broken,) = _told(desk, tmp_path, "70.00")

    assert desk.refused(broken, "attribute", invoice=invoice) == (409, "Not this money")
