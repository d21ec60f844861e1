"""Two people at one break at once: one wins, the other is told; nothing is booked twice."""

import threading
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine

from gateway.api.breaks import TheRail
from settlement.errors import Refused
from settlement.reconciliation import workbench
from settlement.reconciliation.workbench import Deed, Means, Person, Wanted
from settlement.store import transaction
from tests.reconciliation.workbench.desks import Desks

USD = 1_000_000
BEN = Person("treasury:ben", "treasury")
ANNA = Person("treasury:anna", "treasury")


def _at_once(engine: Engine, acts: list[Callable[[Any], object]]) -> list[str]:
    """Do each in a thread and connection of its own, all from one moment; say how each ended."""
    gate = threading.Barrier(len(acts))
    ends = [""] * len(acts)

    def run(place: int) -> None:
        gate.wait()
        try:
            with transaction(engine) as session:
                acts[place](session)
            ends[place] = "done"
        except Refused as refusal:
            ends[place] = type(refusal).__name__

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return sorted(ends)


def _attributing(
    desk: Desks, person: Person, broken: str, invoice: str, version: int | None
) -> Callable[[Any], object]:
    means = Means(desk.rail.ids, TheRail())
    deed = Deed(broken, person, "because", desk.rail.now, version)
    return lambda session: workbench.attribute(session, deed, Wanted(invoice), means)


def test_of_two_who_attribute_one_deposit_one_wins(desk: Desks) -> None:
    first, second = desk.rail.accepted(100_00), desk.rail.accepted(100_00)
    broken = desk.deposited(100 * USD)
    version = desk.read(broken)["version"]

    ends = _at_once(
        desk.rail.engine,
        [
            _attributing(desk, ANNA, broken, first, version),
            _attributing(desk, BEN, broken, second, version),
        ],
    )

    assert ends == ["BreakChanged", "done"]
    states = sorted(row.state for row in desk.rail.rows("SELECT state FROM invoice"))
    assert states == ["ACCEPTED", "PAID"]
    assert desk.rail.one("SELECT COUNT(*) FROM journal_entry WHERE kind = 'attribution'") == 1


def test_who_names_no_version_is_bounded_by_what_is_left_all_the_same(desk: Desks) -> None:
    invoices = [desk.rail.accepted(60_00) for _ in range(4)]
    broken = desk.deposited(100 * USD)

    ends = _at_once(
        desk.rail.engine,
        [_attributing(desk, ANNA, broken, invoice, None) for invoice in invoices],
    )

    assert ends.count("done") == 2
    assert set(ends) <= {"done", "NothingLeft", "BreakIsClosed"}
    assert desk.rail.one("SELECT SUM(settled_minor) FROM invoice") == 100_00
    assert desk.rail.one("SELECT SUM(amount_minor) FROM break_effect WHERE live") == 100 * USD


def test_two_deposits_never_pay_one_invoice_twice(desk: Desks) -> None:
    invoice = desk.rail.accepted(100_00)
    desk.deposit(100 * USD)
    desk.deposit(100 * USD)
    desk.settle_down()
    page = desk.get("/v1/breaks?kind=unattributed_deposit").json()["data"]
    one, other = (each["id"] for each in page)

    ends = _at_once(
        desk.rail.engine,
        [
            _attributing(desk, ANNA, one, invoice, None),
            _attributing(desk, BEN, other, invoice, None),
        ],
    )

    assert ends.count("done") == 1
    assert desk.rail.one("SELECT settled_minor FROM invoice") == 100_00


def test_two_approvers_at_once_book_a_write_off_once(desk: Desks) -> None:
    broken = desk.deposited(10 * USD)
    desk.done(broken, "propose", act="write_off")
    means = Means(desk.rail.ids, TheRail())

    def approving(name: str) -> Callable[[Any], object]:
        deed = Deed(broken, Person(f"approver:{name}", "approver"), "fine", desk.rail.now)
        return lambda session: workbench.approve(session, deed, None, means)

    ends = _at_once(desk.rail.engine, [approving("carl"), approving("dora")])

    assert ends == ["NotFound", "done"]
    assert desk.rail.one("SELECT COUNT(*) FROM journal_entry WHERE kind = 'write_off'") == 1


def test_a_repeated_command_answers_the_same_and_does_nothing_more(desk: Desks) -> None:
    invoice = desk.rail.accepted(100_00)
    broken = desk.deposited(100 * USD)
    body = {"version": 1, "invoice": invoice, "reason": "because"}
    path = f"/v1/breaks/{broken}/attribute"

    first = desk.post(path, body, key="once")
    again = desk.post(path, body, key="once")
    late = desk.post(path, body, key="another")

    assert first.content == again.content and again.headers["Idempotency-Replayed"] == "true"
    assert (late.status_code, late.json()["title"]) == (409, "Break changed")
