"""A second person between instruct and clearing: by amount, never the maker, bound to the terms."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from gateway import approving
from gateway.auth import Caller, Role
from settlement import approvals
from settlement.approvals import Approval
from settlement.settlements import approving as settlements
from settlement.settlements import control
from settlement.settlements.instruct import Instruction, instruct
from settlement.store import reading, transaction
from tests.builders.rail import Rail

LARGE = 300_000_00
HUGE = 6_000_000_00
BEN = Caller("stk_ben", Role.APPROVER, None, "per_ben")
CARLA = Caller("stk_carla", Role.APPROVER, None, "per_carla")


def asked(rail: Rail, key: str) -> Approval:
    with reading(rail.engine) as session:
        (approval,) = settlements.of_settlement(session, key)
    return approval


def say(rail: Rail, approval: Approval, caller: Caller = BEN, verdict: str = "approve") -> Approval:
    with transaction(rail.engine) as session:
        return approving.decide(
            session,
            caller,
            approval.id,
            verdict=verdict,
            seen_hash=approval.what_hash,
            reason="looked at it",
            now=rail.now,
        )


def row(rail: Rail, key: str) -> tuple[str, str | None]:
    with reading(rail.engine) as session:
        found = session.connection().execute(
            text("SELECT state, approved_by FROM settlement WHERE id = :id"), {"id": key}
        )
        state, approved_by = found.one()
        return state, approved_by


def test_a_small_payment_is_approved_by_the_policy(rail: Rail) -> None:
    (key,) = rail.instruct(rail.accepted())

    rail.tick(rail.worker())

    state, approved_by = row(rail, key)
    assert (state != "INSTRUCTED", approved_by) == (True, "policy")


def test_a_large_payment_waits_for_another_person(rail: Rail) -> None:
    (key,) = rail.instruct(rail.accepted(LARGE))

    worker = rail.worker()
    rail.tick(worker)
    waiting = row(rail, key)
    say(rail, asked(rail, key))
    rail.tick(worker)

    assert waiting == ("INSTRUCTED", None)
    assert row(rail, key)[1] == "per_ben"
    assert row(rail, key)[0] != "INSTRUCTED"


def test_a_very_large_one_waits_for_two(rail: Rail) -> None:
    (key,) = rail.instruct(rail.accepted(HUGE))

    say(rail, asked(rail, key))
    after_one = row(rail, key)
    say(rail, asked(rail, key), CARLA)

    assert after_one == ("INSTRUCTED", None)
    assert row(rail, key) == ("INSTRUCTED", "per_ben, per_carla")


def test_the_hand_that_instructed_never_approves_with_another_key_either(rail: Rail) -> None:
    (key,) = rail.instruct(rail.accepted(LARGE))  # By `treasury:test`.
    same = Caller("stk_other", Role.APPROVER, None, "test")

    with pytest.raises(approvals.SamePerson):
        say(rail, asked(rail, key), same)

    assert row(rail, key) == ("INSTRUCTED", None)


def test_what_is_approved_is_what_is_fixed_for_life(rail: Rail) -> None:
    (key,) = rail.instruct(rail.accepted(LARGE))

    seen = asked(rail, key).terms

    assert seen["amount"] == "300000.00 USD"
    assert {"invoice_id", "debtor_wallet", "creditor_wallet", "token", "execution_date"} <= set(
        seen
    )


@pytest.mark.parametrize(
    "edit",
    [
        "amount_minor = amount_minor * 2",
        "creditor_wallet = debtor_wallet || '0'",
        "execution_date = '2027-01-01'",
        "invoice_id = (SELECT MAX(id) FROM invoice)",
    ],
)
def test_what_was_edited_after_it_was_shown_is_not_approved(rail: Rail, edit: str) -> None:
    (key,) = rail.instruct(rail.accepted(LARGE))
    shown = asked(rail, key)
    rail.accepted()
    rail.write(f"UPDATE settlement SET {edit} WHERE id = :id", id=key)

    with pytest.raises(approvals.SeenOutdated):
        say(rail, shown)

    assert row(rail, key) == ("INSTRUCTED", None)
    assert asked(rail, key).decisions == ()


@pytest.mark.parametrize("column", ["amount_minor", "creditor_wallet", "token", "execution_date"])
def test_the_database_keeps_the_terms_once_people_have_approved_them(
    rail: Rail, column: str
) -> None:
    (key,) = rail.instruct(rail.accepted(LARGE))
    say(rail, asked(rail, key))

    with pytest.raises(DBAPIError, match="stay as they were approved"):
        rail.write(f"UPDATE settlement SET {column} = '7' WHERE id = :id", id=key)


@pytest.mark.parametrize("who", ["policy", "per_ben"])
def test_the_database_refuses_an_approval_that_nobody_gave(rail: Rail, who: str) -> None:
    (key,) = rail.instruct(rail.accepted(LARGE))

    with pytest.raises(DBAPIError, match="is approved by"):
        rail.write("UPDATE settlement SET approved_by = :who WHERE id = :id", who=who, id=key)
    with pytest.raises(DBAPIError, match="cleared once it is approved"):
        rail.write("UPDATE settlement SET state = 'CLEARED' WHERE id = :id", id=key)


def test_a_refused_payment_is_cancelled_and_its_invoice_is_open_again(rail: Rail) -> None:
    invoice = rail.accepted(LARGE)
    (key,) = rail.instruct(invoice)

    say(rail, asked(rail, key), verdict="refuse")
    (second,) = rail.instruct(invoice)

    assert row(rail, key)[0] == "CANCELLED"
    assert asked(rail, second).state == "open"


def test_a_cancelled_payment_waits_for_nobody_any_more(rail: Rail) -> None:
    (key,) = rail.instruct(rail.accepted(LARGE))
    with transaction(rail.engine) as session:
        control.cancel(session, [key], reason="wrong", actor="treasury:x", now=rail.now)

    assert asked(rail, key).state == "void"
    with pytest.raises(approvals.ApprovalNotOpen):
        say(rail, asked(rail, key))


def test_a_held_payment_can_be_approved_and_still_stays_held(rail: Rail) -> None:
    (key,) = rail.instruct(rail.accepted(LARGE))
    with transaction(rail.engine) as session:
        control.hold(session, [key], reason="look", actor="treasury:x", now=rail.now)

    say(rail, asked(rail, key))

    assert row(rail, key) == ("HELD", "per_ben")


def test_what_nobody_approves_in_time_is_cancelled(rail: Rail) -> None:
    (key,) = rail.instruct(rail.accepted(LARGE))
    with transaction(rail.engine) as session:
        early = approving.lapse(session, rail.now)
        late = approving.lapse(session, rail.now + timedelta(days=8))

    assert (early, late) == (0, 1)
    assert row(rail, key)[0] == "CANCELLED"
    assert asked(rail, key).state == "lapsed"


def test_a_role_that_makes_no_payments_instructs_nothing(rail: Rail) -> None:
    invoice = rail.accepted()
    with transaction(rail.engine) as session, pytest.raises(approvals.NoApprovalRule):
        instruct(session, [Instruction(invoice)], actor="approver:x", ids=rail.ids, now=rail.now)
