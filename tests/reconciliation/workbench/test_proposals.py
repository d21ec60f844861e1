"""Write-offs and adjustments need a second person: at the door, and in the database itself."""

import pytest
from sqlalchemy.exc import IntegrityError

from gateway.api.breaks import TheRail
from settlement.clock import to_micros
from settlement.reconciliation import workbench
from settlement.reconciliation.kinds import ABOUT, BreakKind
from settlement.reconciliation.workbench import Correction, Deed, Means, Person
from settlement.reconciliation.workbench.errors import SameHand
from settlement.reconciliation.workbench.rules import ALLOWED
from settlement.store import transaction
from tests.reconciliation.workbench.desks import Desks

USD = 1_000_000


@pytest.fixture
def broken(desk: Desks) -> str:
    """The break of a deposit of 200 dollars that no invoice explains."""
    return desk.deposited(200 * USD)


def test_a_write_off_is_booked_when_another_person_approves_it(desk: Desks, broken: str) -> None:
    before = desk.books()["balances"]
    proposed = desk.done(broken, "propose", act="write_off")
    pending = desk.books()["balances"]

    after = desk.done(broken, "approve", "carl")

    (proposal,) = after["proposals"]
    assert (proposal["state"], proposal["needed"], proposal["approvals"]) == ("approved", 1, 1)
    assert proposed["closed_at"] is None and pending == before
    assert after["closed_at"] is not None and after["effects"][0]["entry"].startswith("je_")
    seller = desk.rail.companies.seller
    booked = desk.books()["balances"]
    assert booked[f"write_off:{seller}:TUSD"] == -200 * USD
    assert f"suspense:{seller}:TUSD" not in booked


def test_who_proposes_never_approves(desk: Desks, broken: str) -> None:
    desk.done(broken, "propose", act="write_off")

    own = desk.act(broken, "approve", "anna")
    other_treasury = desk.act(broken, "approve", "ben")
    overseer = desk.act(broken, "approve", "olga")
    sheet = {"line": 2, "break_id": broken, "version": 2, "action": "approve", "reason": "me"}
    by_sheet = desk.post("/v1/breaks/bulk", {"rows": [sheet]}, "anna").json()["data"][0]

    assert {each.status_code for each in (own, other_treasury, overseer)} == {403}
    assert (by_sheet["outcome"], by_sheet["message"]) == (
        "refused",
        "role treasury may not approve a break",
    )
    assert desk.read(broken)["proposals"][0]["state"] == "open"


def test_the_database_itself_keeps_proposer_and_decider_apart(desk: Desks, broken: str) -> None:
    proposal = desk.done(broken, "propose", act="write_off")["proposals"][0]
    who, key = proposal["proposed_by"], proposal["id"]
    insert = (
        "INSERT INTO break_decision (proposal_id, proposed_by, decided_by, verdict, reason, at)"
        " VALUES (:key, :by, :who, 'approve', 'x', 0)"
    )

    for by in (who, "somebody"):  # As himself, and behind another name.
        with pytest.raises(IntegrityError):
            desk.rail.write(insert, key=key, by=by, who=who)
    with pytest.raises(IntegrityError):
        desk.rail.write(
            "UPDATE break_proposal SET state = 'approved', decided_by = :who WHERE id = :key",
            key=key,
            who=who,
        )


def test_an_approval_counts_for_what_was_proposed_alone(desk: Desks, broken: str) -> None:
    proposal = desk.done(broken, "propose", act="write_off", amount="50.00")["proposals"][0]
    desk.done(broken, "comment")
    invoice = desk.rail.accepted(10_00)
    desk.done(broken, "attribute", invoice=invoice)

    refused = desk.refused(broken, "approve", "carl", proposal=proposal["id"])
    anew = desk.done(broken, "propose", act="write_off", amount="50.00")
    after = desk.done(broken, "approve", "carl")

    assert refused == (409, "Proposal outdated")
    assert [each["state"] for each in anew["proposals"]] == ["withdrawn", "open"]
    assert sum(each["live"] for each in after["effects"]) == 2


def test_above_a_limit_two_approvers_are_needed_and_above_the_next_nobody(desk: Desks) -> None:
    broken = desk.deposited(20_000 * USD)

    over = desk.refused(broken, "propose", act="write_off", amount="10000.01")
    desk.done(broken, "propose", act="write_off", amount="1000.01")
    first = desk.done(broken, "approve", "carl")
    twice = desk.act(broken, "approve", "carl")
    second = desk.done(broken, "approve", "dora")

    assert over == (403, "Over the limit")
    assert first["proposals"][0]["state"] == "open" and first["effects"] == []
    assert (twice.status_code, twice.json()["title"]) == (403, "Same hand")
    assert second["proposals"][0]["state"] == "approved" and len(second["effects"]) == 1


def test_one_refusal_ends_a_proposal_and_its_proposer_withdraws_it(
    desk: Desks, broken: str
) -> None:
    desk.done(broken, "propose", act="write_off")
    open_already = desk.refused(broken, "propose", act="write_off")
    refused = desk.done(broken, "refuse", "carl")
    desk.done(broken, "propose", act="write_off")
    not_his = desk.act(broken, "withdraw", "ben")
    withdrawn = desk.done(broken, "withdraw", "anna")

    assert open_already == (409, "Proposal open")
    assert refused["proposals"][0]["state"] == "refused"
    assert (not_his.status_code, not_his.json()["title"]) == (403, "Same hand")
    assert [each["state"] for each in withdrawn["proposals"]] == ["refused", "withdrawn"]
    assert desk.refused(broken, "approve", "carl") == (404, "Not found")


def test_a_write_off_is_undone_only_by_two_people_and_leaves_everything_as_it_was(
    desk: Desks, broken: str
) -> None:
    before = desk.books()
    desk.done(broken, "propose", act="write_off")
    effect = desk.done(broken, "approve", "carl")["effects"][0]["id"]

    alone = desk.refused(broken, "undo")
    desk.done(broken, "propose", act="undo", effect=effect)
    after = desk.done(broken, "approve", "dora")

    assert alone == (409, "Nothing to undo")
    assert desk.books() == before
    assert after["closed_at"] is None and after["effects"][0]["live"] is False


def test_the_rest_of_a_claim_is_written_off_and_the_invoice_is_paid(
    desk: Desks, broken: str
) -> None:
    invoice = desk.rail.accepted(202_50)
    desk.done(broken, "attribute", invoice=invoice, amount="100.00")
    before = desk.books()
    desk.done(broken, "propose", act="write_off", invoice=invoice, amount="102.50")

    after = desk.done(broken, "approve", "carl")

    (row,) = desk.rail.rows("SELECT state, settled_minor FROM invoice")
    assert (row.state, row.settled_minor) == ("PAID", 202_50)
    booked = desk.books()["balances"]
    seller, buyer = desk.rail.companies.seller, desk.rail.companies.buyer
    assert booked[f"write_off:{seller}:USD"] == 102_50
    assert booked[f"write_off:{buyer}:USD"] == -102_50
    assert f"receivable:{seller}:USD" not in booked
    written_off = after["effects"][-1]["id"]
    desk.done(broken, "propose", act="undo", effect=written_off)
    desk.done(broken, "approve", "carl")
    assert desk.books() == before


def test_an_adjustment_moves_money_between_accounts_that_are_no_mirrors(
    desk: Desks, broken: str
) -> None:
    seller = desk.rail.companies.seller
    suspense, loss = f"suspense:{seller}:TUSD", f"adjustment:{seller}:TUSD"
    mirror = f"wallet:{desk.rail.seller_wallet}:TUSD"
    accounts = {"debit": suspense, "credit": loss, "amount": "200.00"}

    wrong = desk.refused(broken, "propose", act="adjust", **{**accounts, "credit": mirror})
    units = desk.refused(
        broken, "propose", act="adjust", **{**accounts, "credit": f"fees:{seller}:EUR"}
    )
    unknown = desk.refused(
        broken, "propose", act="adjust", **{**accounts, "credit": "fees:nobody:TUSD"}
    )
    desk.done(broken, "propose", act="adjust", **accounts)
    after = desk.done(broken, "approve", "carl")

    assert wrong == units == unknown == (422, "Invalid")
    assert after["closed_at"] is not None
    assert desk.books()["balances"][loss] == -200 * USD


def test_what_heals_by_itself_is_no_business_of_a_hand(desk: Desks) -> None:
    (settlement,) = desk.rail.instructed()
    at = to_micros(desk.rail.now)
    for number, (kind, subject) in enumerate(
        (("missing_on_chain", settlement), ("tie_out", "wallet:x:TUSD"), ("amount", settlement))
    ):
        about = ABOUT[BreakKind(kind)]
        desk.rail.write(
            "INSERT INTO settlement_break (id, kind, subject, reason, detail, facts, severity,"
            " proposed, comment_count, reopened_count, version, opened_at, due_at)"
            " VALUES (:id, :kind, :subject, 'x', '{}', '', :severity, 'review', 0, 0, 1, :at, :at)",
            id=f"brk_{number}",
            kind=kind,
            subject=subject,
            severity=about.severity.value,
            at=at,
        )

        for act, body in (
            ("close", {}),
            ("match", {"records": ["1"]}),
            ("propose", {"act": "write_off"}),
            ("attribute", {"invoice": "N-1"}),
        ):
            answer = desk.act(f"brk_{number}", act, **body)
            problem = answer.json()
            assert (answer.status_code, problem["title"]) == (409, "Act makes no sense")
            assert problem["errors"][0]["repair"], "it says what to do instead"


def test_every_kind_has_its_row_in_both_tables() -> None:
    assert set(ABOUT) == set(ALLOWED) == set(BreakKind)


def test_one_person_in_two_roles_does_not_approve_himself(desk: Desks, broken: str) -> None:
    means = Means(desk.rail.ids, TheRail())
    twice = {role: Person("eve", role) for role in ("treasury", "approver")}
    proposed = Deed(broken, twice["treasury"], "because", desk.rail.now)
    approved = Deed(broken, twice["approver"], "because", desk.rail.now)
    with transaction(desk.rail.engine) as session:
        workbench.propose(session, proposed, Correction("write_off"), means)

    with pytest.raises(SameHand), transaction(desk.rail.engine) as session:
        workbench.approve(session, approved, None, means)

    assert desk.read(broken)["proposals"][0]["approvals"] == 0
