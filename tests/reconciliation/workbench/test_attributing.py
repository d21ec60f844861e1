"""Attributing deposits to invoices, at the door: what it books, what it refuses, and its undo."""

from tests.reconciliation.workbench.desks import Desks

USD = 1_000_000
"""A dollar of TUSD."""


def test_a_deposit_pays_the_invoice_that_it_is_attributed_to(desk: Desks) -> None:
    invoice = desk.rail.accepted(100_00)
    broken = desk.deposited(100 * USD)

    after = desk.done(broken, "attribute", invoice=invoice)

    (effect,) = after["effects"]
    assert (effect["act"], effect["claim"], effect["amount"]) == (
        "attribute",
        "100.00",
        "100.000000",
    )
    assert after["closed_by"].startswith("treasury:")
    assert [each["move"] for each in after["history"]] == ["open", "attribute"]
    (row,) = desk.rail.rows("SELECT state, settled_minor FROM invoice")
    assert (row.state, row.settled_minor) == ("PAID", 100_00)
    balances = desk.books()["balances"]
    assert not any(code.startswith(("suspense:", "receivable:", "payable:")) for code in balances)
    told = [row.kind for row in desk.rail.rows("SELECT kind FROM outbox ORDER BY seq")]
    assert told[-1] == "invoice.paid"
    desk.settle_down(1)
    assert desk.read(broken)["closed_at"] is not None


def test_an_undone_attribution_leaves_everything_as_it_was(desk: Desks) -> None:
    invoice = desk.rail.accepted(100_00)
    broken = desk.deposited(60 * USD)
    before = desk.books()

    desk.done(broken, "attribute", invoice=invoice)
    between = desk.books()
    after = desk.done(broken, "undo")

    assert between["invoices"][0][1:4] == ("PARTLY_PAID", 0, 60_00)
    assert desk.books() == before
    assert [each["move"] for each in after["history"]] == ["open", "attribute", "undo"]
    assert after["effects"][0]["undone_by"].startswith("treasury:")
    reversals = desk.rail.rows("SELECT reason FROM journal_entry WHERE kind = 'reversal'")
    assert [row.reason for row in reversals] == ["undone: because"]
    again = desk.done(broken, "attribute", invoice=invoice)
    assert [each["live"] for each in again["effects"]] == [False, True]


def test_never_more_is_attributed_than_is_open(desk: Desks) -> None:
    invoice = desk.rail.accepted(50_00)
    broken = desk.deposited(100 * USD)

    over = desk.refused(broken, "attribute", invoice=invoice, amount="50.01")
    part = desk.done(broken, "attribute", invoice=invoice)
    rest = desk.refused(broken, "attribute", invoice=invoice)

    assert over == rest == (409, "Nothing left")
    assert part["closed_at"] is None and part["effects"][0]["amount"] == "50.000000"


def test_a_settlement_in_flight_leaves_nothing_to_attribute(desk: Desks) -> None:
    invoice = desk.rail.accepted(50_00)
    broken = desk.deposited(50 * USD)
    desk.rail.instruct(invoice)

    assert desk.refused(broken, "attribute", invoice=invoice) == (409, "Nothing left")


def test_a_deposit_that_may_still_go_away_is_not_attributed(desk: Desks) -> None:
    invoice = desk.rail.accepted(50_00)
    desk.deposit(50 * USD)
    desk.rail.controls.mine(3)
    for _ in range(3):
        desk.rail.tick(desk.worker)
    broken = desk.get("/v1/breaks?is_open=true").json()["data"][0]["id"]

    assert desk.refused(broken, "attribute", invoice=invoice) == (409, "Not this money")


def test_money_pays_only_what_is_owed_to_its_owner_in_its_currency(desk: Desks) -> None:
    broken = desk.deposited(50 * USD)
    euro = desk.rail.accepted(50_00, currency="EUR")

    assert desk.refused(broken, "attribute", invoice=euro) == (409, "Not this money")
    assert desk.refused(broken, "attribute", invoice="inv_" + "0" * 32) == (404, "Not found")
    issued = desk.rail.issued(50_00)
    assert desk.refused(broken, "attribute", invoice=issued) == (409, "Invoice overpaid")


def test_a_split_deposit_pays_several_invoices_part_by_part(desk: Desks) -> None:
    first, second = desk.rail.accepted(30_00), desk.rail.accepted(70_00)
    broken = desk.deposited(100 * USD)
    wrong = desk.refused(broken, "split", parts=["30.00", "60.00"])
    desk.done(broken, "split", parts=["30.00", "70.00"])

    whole = desk.refused(broken, "attribute", invoice=first)
    desk.done(broken, "attribute", invoice=first, part=1)
    twice = desk.refused(broken, "attribute", invoice=first, part=1)
    after = desk.done(broken, "attribute", invoice=second, part=2)

    assert wrong == (409, "Nothing left")
    assert whole == twice == (422, "Invalid")
    assert after["closed_at"] is not None
    states = [row.state for row in desk.rail.rows("SELECT state FROM invoice")]
    assert states == ["PAID", "PAID"]


def test_a_split_is_undone_while_nothing_was_done_about_its_parts(desk: Desks) -> None:
    broken = desk.deposited(100 * USD)
    desk.done(broken, "split", parts=["30.00", "70.00"])

    after = desk.done(broken, "undo")

    assert after["parts"] == []
    assert desk.act(broken, "undo").json()["title"] == "Nothing to undo"
