"""Sending money back: a return claim, paid over the rail under the creditor's own mandate."""

from settlement.chain import mandate_abi
from settlement.invoices import returns
from settlement.reconciliation import breaks
from settlement.reconciliation.breaks import BreakKind, Finding
from settlement.store import transaction
from tests.reconciliation.workbench.desks import Desks

USD = 1_000_000


def _over(desk: Desks, minor: int) -> tuple[str, str]:
    """Return a paid invoice, and an open break that says that too much was paid for it."""
    (settlement,) = desk.rail.instructed(1, minor)
    desk.rail.settle_all(desk.worker)
    invoice = desk.rail.invoice_of(settlement)
    finding = Finding(
        BreakKind.OVER,
        f"exp_{settlement}",
        "more came than was expected",
        amount_minor=20_00,
        unit="USD",
    )
    with transaction(desk.rail.engine) as session:
        breaks.open_new(session, [finding], desk.rail.now)
    found = desk.get("/v1/breaks?kind=over").json()["data"]
    return invoice.id, str(found[0]["id"])


def test_money_goes_back_over_the_rail_and_the_invoice_is_open_by_as_much(desk: Desks) -> None:
    invoice, broken = _over(desk, 100_00)
    seller, buyer = desk.rail.seller_wallet, desk.rail.buyer_wallet
    before = desk.rail.balance(seller), desk.rail.balance(buyer)

    after = desk.done(broken, "return", invoice=invoice)
    desk.rail.settle_all(desk.worker)

    settlement = after["effects"][0]["settlement_id"]
    assert desk.rail.state(settlement) == "SETTLED"
    moved = desk.rail.balance(seller) - before[0], desk.rail.balance(buyer) - before[1]
    assert moved == (-20 * USD, 20 * USD)
    (row,) = desk.rail.rows(
        "SELECT state, settled_minor, returned_minor FROM invoice WHERE id = :id", id=invoice
    )
    assert tuple(row) == ("PARTLY_PAID", 100_00, 20_00)
    companies = desk.rail.companies
    booked = desk.books()["balances"]
    assert booked[f"receivable:{companies.seller}:USD"] == 20_00
    assert booked[f"payable:{companies.buyer}:USD"] == -20_00
    assert f"receivable:{companies.buyer}:USD" not in booked
    assert "invoice.returned" in desk.rail.told(invoice)


def test_a_return_that_is_not_wholly_paid_counts_for_nothing(desk: Desks) -> None:
    invoice, broken = _over(desk, 100_00)
    settlement = desk.done(broken, "return", invoice=invoice)["effects"][0]["settlement_id"]
    claim = desk.rail.invoice_of(settlement)

    with transaction(desk.rail.engine) as session:
        returns.count_returned(session, [claim.id], desk.rail.now)

    (row,) = desk.rail.rows("SELECT state, returned_minor FROM invoice WHERE id = :id", id=invoice)
    assert tuple(row) == ("PAID", 0)
    assert "invoice.returned" not in desk.rail.told(invoice)


def test_no_more_goes_back_than_came_in_and_was_not_sent_back(desk: Desks) -> None:
    invoice, broken = _over(desk, 100_00)

    over = desk.refused(broken, "return", invoice=invoice, amount="100.01")
    desk.done(broken, "return", invoice=invoice, amount="90.00")
    desk.done(broken, "reopen")
    twice = desk.refused(broken, "return", invoice=invoice, amount="10.01")
    unpaid = desk.rail.accepted(10_00)
    nothing = desk.refused(broken, "return", invoice=unpaid, amount="1.00")

    assert over == twice == nothing == (409, "Return too large")


def test_a_return_is_undone_until_it_is_under_way(desk: Desks) -> None:
    invoice, broken = _over(desk, 100_00)
    before = desk.books()
    desk.done(broken, "return", invoice=invoice)

    desk.done(broken, "undo")
    after = desk.books()
    desk.done(broken, "return", invoice=invoice)
    desk.rail.run_until(
        desk.worker,
        lambda: set(desk.rail.states().values()) == {"SETTLED", "CANCELLED"},
    )
    late = desk.refused(broken, "undo")

    assert (after["balances"], after["breaks"]) == (before["balances"], before["breaks"])
    claim = [each for each in after["invoices"] if each[0] != invoice]
    assert [each[1:] for each in claim] == [("CANCELLED", 0, 0, 0)]
    assert late == (409, "Nothing to undo")


def test_without_the_creditors_mandate_nothing_goes_back(desk: Desks) -> None:
    invoice, broken = _over(desk, 100_00)
    seller = desk.rail.sandbox.wallets[0]
    step = mandate_abi.revocation(
        chain_id=desk.rail.sandbox.deployment.chain_id,
        rail=desk.rail.sandbox.deployment.rail,
        token=desk.rail.token(),
        debtor=seller.address,
    )
    desk.rail.on_chain(seller, step.to, step.data)
    desk.settle_down()

    settlement = desk.done(broken, "return", invoice=invoice)["effects"][0]["settlement_id"]
    desk.settle_down()

    assert desk.rail.state(settlement) in ("HELD", "REJECTED")


def test_a_deposit_is_attributed_before_anything_of_it_goes_back(desk: Desks) -> None:
    broken = desk.deposited(10 * USD)

    answer = desk.act(broken, "return")

    assert (answer.status_code, answer.json()["title"]) == (409, "Act makes no sense")
    assert "attribute it to an invoice first" in answer.json()["errors"][0]["repair"]
