"""After a day at the desk the independent checker finds nothing wrong; a planted bug, it does."""

import pytest

from settlement.verify.judging import violations
from tests.builders.memory_node import MemoryNode
from tests.reconciliation.workbench.desks import Desks

USD = 1_000_000


def _violated(desk: Desks) -> list[tuple[str, list[str]]]:
    url = desk.rail.engine.url.render_as_string(hide_password=False)
    found = violations(url, MemoryNode(desk.rail.chain), quiescent=True)
    return [(each.name, each.offenders) for each in found]


@pytest.fixture
def day(desk: Desks) -> str:
    """A day with payments, an attribution, one undone, a write-off and a return. One invoice."""
    settled = desk.rail.instructed(2, 100_00)
    desk.rail.settle_all(desk.worker)
    partly, whole = desk.rail.accepted(150_00), desk.rail.accepted(30_00)
    (settlement,) = desk.rail.instruct(partly, claim_minor=50_00)
    first = desk.deposited(100 * USD)
    desk.done(first, "attribute", invoice=whole)
    desk.done(first, "undo")
    desk.done(first, "attribute", invoice=partly, amount="95.00")
    desk.done(first, "propose", act="write_off", invoice=partly, amount="5.00")
    desk.done(first, "approve", "carl")
    desk.done(first, "propose", act="write_off", amount="1.00")
    desk.done(first, "approve", "carl")
    second = desk.deposited(30 * USD)
    desk.done(second, "attribute", invoice=whole)
    paid = desk.rail.invoice_of(settled[0]).id
    from settlement.reconciliation import breaks
    from settlement.reconciliation.breaks import BreakKind, Finding
    from settlement.store import transaction

    over = Finding(BreakKind.OVER, "exp_1", "too much", amount_minor=10_00, unit="USD")
    with transaction(desk.rail.engine) as session:
        breaks.open_new(session, [over], desk.rail.now)
    broken = desk.get("/v1/breaks?kind=over").json()["data"][0]["id"]
    desk.done(broken, "return", invoice=paid)
    desk.rail.settle_all(desk.worker)
    desk.settle_down(14)
    assert desk.rail.state(settlement) == "SETTLED"
    return str(partly)


def test_the_checker_finds_nothing_wrong_after_a_day_at_the_desk(desk: Desks, day: str) -> None:
    assert _violated(desk) == []


def test_an_undo_that_forgets_the_invoice_is_found(desk: Desks, day: str) -> None:
    desk.rail.write(
        "UPDATE break_effect SET live = false, undone_at = 1, undone_by = 'x', undone_reason = 'x'"
        " WHERE invoice_id = :id AND act = 'attribute' AND live",
        id=day,
    )

    violated = _violated(desk)

    assert "I16" in [name for name, _ in violated]


def test_an_invoice_that_is_called_paid_by_nobody_is_found(desk: Desks, day: str) -> None:
    desk.rail.write(
        "UPDATE invoice SET settled_minor = settled_minor - 1, state = 'PARTLY_PAID'"
        " WHERE id = :id",
        id=day,
    )

    assert {name for name, _ in _violated(desk)} == {"I16", "MOVES"}
