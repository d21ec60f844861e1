"""The same money is never used twice: by two breaks, by the engine, by an undo, by a return."""

import threading
from pathlib import Path

from gateway.api.breaks import TheRail
from settlement import bank
from settlement.chain.rail_abi import address_word, selector, word
from settlement.errors import Refused
from settlement.reconciliation import breaks, workbench
from settlement.reconciliation.breaks import BreakKind, Finding
from settlement.reconciliation.engine.dialect import take_turn
from settlement.reconciliation.workbench import Deed, Means, Person, Wanted
from settlement.store import transaction
from tests.bank.builders import Movement, a_camt, an_account
from tests.reconciliation.workbench.desks import Desks

USD = 1_000_000


def _found(desk: Desks, kind: BreakKind, subject: str, minor: int, unit: str) -> str:
    """Open a break as the engine does; return its id."""
    finding = Finding(kind, subject, "told", amount_minor=minor, unit=unit)
    with transaction(desk.rail.engine) as session:
        breaks.open_new(session, [finding], desk.rail.now)
    found = desk.get(f"/v1/breaks?kind={kind.value}&is_open=true").json()["data"]
    return next(str(each["id"]) for each in found if each["subject"] == subject)


def _invoice(desk: Desks, invoice: str) -> tuple[object, ...]:
    (row,) = desk.rail.rows(
        "SELECT state, settled_minor, returned_minor FROM invoice WHERE id = :id", id=invoice
    )
    return tuple(row)


def _credit(desk: Desks, folder: Path, amount: str, remittance: str) -> str:
    """Let a bank tell of a credit; return its break."""
    wanted = an_account(owner_id=desk.rail.companies.seller, currency="USD")
    with transaction(desk.rail.engine) as session:
        bank.register(session, wanted, ids=desk.rail.ids, now=desk.rail.now)
    path = folder / "statement.xml"
    movement = Movement(amount, "BK-1", remittance=remittance, currency="USD")
    path.write_bytes(a_camt(movement, currency="USD"))
    bank.import_file(desk.rail.engine, path, actor="t", ids=desk.rail.ids, now=desk.rail.now)
    desk.settle_down(1)
    (told,) = desk.get("/v1/breaks?kind=unattributed_bank_credit").json()["data"]
    return str(told["id"])


def test_a_deposit_used_in_part_is_never_matched_whole(desk: Desks) -> None:
    broken = desk.deposited(100 * USD)
    desk.done(broken, "attribute", invoice=desk.rail.accepted(40_00))
    second = desk.rail.accepted(100_00)
    desk.settle_down(1)
    matched = desk.rail.one("SELECT COUNT(*) FROM recon_match WHERE live")

    after = desk.done(broken, "attribute", invoice=second)

    assert matched == 0 and after["closed_at"] is not None
    assert _invoice(desk, second) == ("PARTLY_PAID", 60_00, 0)


def test_a_deposit_that_came_back_after_a_reorg_is_known_by_its_new_key(desk: Desks) -> None:
    broken = desk.deposited(100 * USD)
    again = "UPDATE recon_record SET origin = origin || :nth WHERE source = 'deposit'"
    desk.rail.write(again, nth=":2")

    desk.done(broken, "attribute", invoice=desk.rail.accepted(100_00))
    used = desk.rail.one("SELECT state FROM recon_record WHERE source = 'deposit'")
    desk.done(broken, "undo")

    assert used == "explained"
    assert desk.rail.one("SELECT state FROM recon_record WHERE source = 'deposit'") == "open"


def test_the_rest_of_a_credit_used_in_part_stays_a_break(desk: Desks, tmp_path: Path) -> None:
    broken = _credit(desk, tmp_path, "100.00", "thanks")
    desk.done(broken, "attribute", invoice=desk.rail.accepted(40_00))
    desk.settle_down(1)
    after = desk.read(broken)

    desk.done(broken, "attribute", invoice=desk.rail.accepted(100_00))

    assert after["closed_at"] is None
    assert not [code for code in desk.books()["balances"] if code.startswith("clearing:")]


def test_two_breaks_of_one_deposit_use_its_money_once(desk: Desks) -> None:
    broken = desk.deposited(100 * USD)
    subject = desk.read(broken)["subject"]
    other = _found(desk, BreakKind.AMOUNT, subject, 100 * USD, "TUSD")
    late = desk.done(other, "propose", act="write_off", amount="50.00")["proposals"][0]["id"]
    desk.done(broken, "attribute", invoice=desk.rail.accepted(60_00))

    over = desk.refused(other, "approve", "carl", proposal=late)
    desk.done(other, "withdraw", proposal=late)
    more = desk.refused(other, "propose", act="write_off", amount="40.01")
    desk.done(other, "propose", act="write_off", amount="40.00")
    desk.done(other, "approve", "carl")

    assert over == more == (409, "Nothing left")
    assert desk.refused(broken, "attribute", invoice=desk.rail.accepted(1_00)) == (
        409,
        "Nothing left",
    )


def test_an_attribution_is_not_undone_under_a_return_of_its_money(desk: Desks) -> None:
    invoice = desk.rail.accepted(100_00)
    broken = desk.deposited(100 * USD)
    desk.done(broken, "attribute", invoice=invoice)
    over = _found(desk, BreakKind.OVER, "exp_1", 30_00, "USD")
    desk.done(over, "return", invoice=invoice)

    under_way = desk.refused(broken, "undo")
    desk.rail.settle_all(desk.worker)
    returned = desk.refused(broken, "undo")

    assert under_way == returned == (409, "Nothing to take back")
    assert _invoice(desk, invoice) == ("PARTLY_PAID", 100_00, 30_00)


def test_a_return_claim_is_paid_over_the_rail_alone(desk: Desks) -> None:
    invoice = desk.rail.accepted(100_00)
    desk.done(desk.deposited(100 * USD), "attribute", invoice=invoice)
    back = selector("transfer(address,uint256)") + address_word(desk.rail.buyer_wallet)
    call = bytes.fromhex((back + word(30 * USD)).removeprefix("0x"))
    desk.rail.on_chain(desk.rail.sandbox.wallets[0], desk.rail.token(), call)
    desk.settle_down()
    (deposit,) = desk.get("/v1/breaks?kind=unattributed_deposit&is_open=true").json()["data"]
    over = _found(desk, BreakKind.OVER, "exp_1", 30_00, "USD")
    settlement = desk.done(over, "return", invoice=invoice)["effects"][0]["settlement_id"]
    means = Means(desk.rail.ids, TheRail())
    with transaction(desk.rail.engine) as session:
        means.rail.cancel(session, settlement, reason="x", actor="t", now=desk.rail.now)
    claim = desk.rail.one("SELECT id FROM invoice WHERE type_code = '383'")

    refused = desk.refused(deposit["id"], "attribute", invoice=claim)

    assert refused == (409, "Not this money")


def test_a_claim_let_go_leaves_the_money_of_the_break_to_be_dealt_with(
    desk: Desks, tmp_path: Path
) -> None:
    broken = _credit(desk, tmp_path, "100.00", "thanks")
    invoice = desk.rail.accepted(100_50)
    desk.done(broken, "propose", act="write_off", invoice=invoice, amount="0.50")
    between = desk.done(broken, "approve", "carl")

    after = desk.done(broken, "attribute", invoice=invoice)

    assert between["closed_at"] is None and after["closed_at"] is not None
    assert _invoice(desk, invoice) == ("PAID", 100_50, 0)
    assert not [code for code in desk.books()["balances"] if code.startswith("clearing:")]


def test_a_return_says_how_much_where_the_break_does_not(desk: Desks) -> None:
    invoice = desk.rail.accepted(100_00)
    desk.done(desk.deposited(100 * USD), "attribute", invoice=invoice)
    over = _found(desk, BreakKind.OVER, "exp_1", 30_00, "EUR")

    assert desk.refused(over, "return", invoice=invoice) == (422, "Invalid")


def test_what_was_written_off_of_a_claim_never_goes_back(desk: Desks) -> None:
    invoice = desk.rail.accepted(100_00)
    desk.done(desk.deposited(60 * USD), "attribute", invoice=invoice)
    short = _found(desk, BreakKind.SHORT, "exp_1", -40_00, "USD")
    desk.done(short, "propose", act="write_off", invoice=invoice)
    desk.done(short, "approve", "carl")
    over = _found(desk, BreakKind.OVER, "exp_2", 100_00, "USD")

    more = desk.refused(over, "return", invoice=invoice, amount="60.01")
    desk.done(over, "return", invoice=invoice, amount="60.00")

    assert _invoice(desk, invoice)[:2] == ("PAID", 100_00)
    assert more == (409, "Return too large")


def test_small_write_offs_of_one_break_count_together_for_the_limits(desk: Desks) -> None:
    broken = desk.deposited(20_000 * USD)
    desk.done(broken, "propose", act="write_off", amount="1000.00")
    desk.done(broken, "approve", "carl")

    second = desk.done(broken, "propose", act="write_off", amount="0.01")
    desk.done(broken, "withdraw")
    over = desk.refused(broken, "propose", act="write_off", amount="9000.01")

    assert [each["needed"] for each in second["proposals"]] == [1, 2]
    assert over == (403, "Over the limit")


def test_a_person_and_the_engine_take_turns(desk: Desks) -> None:
    broken = desk.deposited(100 * USD)
    invoice = desk.rail.accepted(100_00)
    subject = desk.read(broken)["subject"]
    ends: list[str] = []

    def attribute() -> None:
        deed = Deed(broken, Person("treasury:anna", "treasury"), "because", desk.rail.now)
        means = Means(desk.rail.ids, TheRail())
        try:
            with transaction(desk.rail.engine) as session:
                workbench.attribute(session, deed, Wanted(invoice), means)
            ends.append("done")
        except Refused as refusal:
            ends.append(type(refusal).__name__)

    person = threading.Thread(target=attribute)
    with transaction(desk.rail.engine) as session:
        take_turn(session)
        person.start()
        person.join(2)
        waits = person.is_alive()
        deposit = breaks.OpenBreak(broken, BreakKind.UNATTRIBUTED_DEPOSIT, subject)
        breaks.close(session, [deposit], "matched", desk.rail.now)
    person.join(30)

    assert waits and ends == ["BreakIsClosed"]
    assert _invoice(desk, invoice) == ("ACCEPTED", 0, 0)
