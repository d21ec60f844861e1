"""Limits that change: by two hands, with what is under way counted, seen by whom they concern."""

from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from settlement import approvals, audit
from settlement.approvals import Approval, ApprovalOpen, SamePerson
from settlement.compliance.limits import LimitExceeded, asking, changing
from settlement.compliance.limits import reading as standing
from settlement.compliance.limits.asking import Maker
from settlement.compliance.limits.changing import Hands, LimitNotActive, NewLimit
from settlement.errors import Invalid, NotFound
from settlement.money import MINOR_MAX
from settlement.settlements import control
from settlement.store import reading, transaction
from tests.builders.limits import CENT, a_limit, some_hands, usd_token, used
from tests.builders.rail import Rail

DAY = "2026-11-20"


def _refused(rail: Rail, *invoice_ids: str, **terms: Any) -> None:
    with pytest.raises(LimitExceeded):
        rail.instruct(*invoice_ids, **terms)


def test_a_new_limit_counts_what_is_under_way_and_paid_already(rail: Rail) -> None:
    rail.instruct(rail.accepted(60))
    gone = rail.instruct(rail.accepted(5))
    rail.act(control.cancel, *gone, reason="not due")
    (refused,) = rail.instruct(rail.accepted(7))
    rail.write("UPDATE settlement SET state = 'REJECTED' WHERE id = :id", id=refused)

    limit = a_limit(rail, 100 * CENT, period="rolling", days=2)
    elsewhere = a_limit(rail, 100 * CENT, debtor_id=None, creditor_country="CN")

    assert used(rail, limit) == {DAY: 60 * CENT, "2026-11-21": 60 * CENT}
    assert used(rail, elsewhere) == {}
    _refused(rail, rail.accepted(41))
    rail.instruct(rail.accepted(40))


def test_a_limit_that_is_lowered_takes_no_more_and_one_that_is_raised_keeps_its_count(
    rail: Rail,
) -> None:
    limit = a_limit(rail, 100 * CENT)
    rail.instruct(rail.accepted(80))

    for number, (most, fits, too_much) in enumerate(((50, 0, 1), (90, 10, 11)), start=10):
        with transaction(rail.engine) as session:
            hands = some_hands(number)
            changing.change(session, limit.id, most * CENT, hands, now=rail.now)
        _refused(rail, rail.accepted(too_much))
        if fits:
            rail.instruct(rail.accepted(fits))

    assert used(rail, limit) == {DAY: 90 * CENT}


def test_a_retired_limit_refuses_nothing_and_still_takes_back(rail: Rail) -> None:
    limit = a_limit(rail, 100 * CENT)
    (key,) = rail.instruct(rail.accepted(80))
    with transaction(rail.engine) as session:
        changing.retire(session, limit.id, some_hands(9), now=rail.now)

    rail.instruct(rail.accepted(500))
    rail.act(control.cancel, key, reason="not due")

    assert used(rail, limit) == {}
    with transaction(rail.engine) as session, pytest.raises(LimitNotActive):
        changing.change(session, limit.id, 1, some_hands(10), now=rail.now)


@pytest.mark.parametrize("minor", [0, -1, MINOR_MAX + 1])
def test_a_limit_is_changed_to_no_sum_that_is_none(rail: Rail, minor: int) -> None:
    limit = a_limit(rail, 100 * CENT)

    with transaction(rail.engine) as session, pytest.raises(Invalid):
        changing.change(session, limit.id, minor, some_hands(9), now=rail.now)


def test_every_change_is_kept_with_both_hands_and_one_hand_is_refused_by_the_database(
    rail: Rail,
) -> None:
    limit = a_limit(rail, 100 * CENT)
    alone = Hands("per_maker", "per_maker", "apr_7", "in a hurry")

    with pytest.raises(DBAPIError), transaction(rail.engine) as session:
        changing.change(session, limit.id, 1_000 * CENT, alone, now=rail.now)
    with transaction(rail.engine) as session:
        changing.change(session, limit.id, 200 * CENT, some_hands(8), now=rail.now)
    with reading(rail.engine) as session:
        changes = standing.changes(session, limit.id)

    assert [(each.act, each.before_minor, each.after_minor) for each in changes] == [
        ("add", None, 100 * CENT),
        ("change", 100 * CENT, 200 * CENT),
    ]
    with pytest.raises(DBAPIError):
        rail.write("DELETE FROM payment_limit_change")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " "}, "name"),
        ({"period": "year"}, "period"),
        ({"period": "rolling", "days": 1}, "days"),
        ({"period": "day", "days": 7}, "days"),
        ({"counted_by": "moon"}, "counted_by"),
        ({"max_minor": 0}, "max"),
        ({"max_minor": MINOR_MAX + 1}, "max"),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(
    rail: Rail, changes: dict[str, Any], field: str
) -> None:
    plain = {
        "name": "n", "token": usd_token(rail), "counted_by": "rule", "period": "day",
        "max_minor": 1,
    }  # fmt: skip
    with transaction(rail.engine) as session, pytest.raises(Invalid) as caught:
        changing.require_sound(session, NewLimit(**(plain | changes)))

    assert caught.value.field == field


def test_a_limit_of_an_unknown_token_or_party_is_not_found(rail: Rail) -> None:
    with pytest.raises(NotFound):
        a_limit(rail, 1, token="0x" + "0" * 40)
    with pytest.raises(NotFound):
        a_limit(rail, 1, debtor_id="par_nobody")


def test_a_company_sees_what_counts_it_alone(rail: Rail) -> None:
    own = a_limit(rail, 100 * CENT)
    each = a_limit(rail, 200 * CENT, debtor_id=None, counted_by="debtor")
    together = a_limit(rail, 300 * CENT, debtor_id=None)
    buyers = a_limit(rail, 400 * CENT, counted_by="debtor")
    one = a_limit(rail, 500 * CENT, period="payment")
    anyone = a_limit(rail, 600 * CENT, period="payment", debtor_id=None)
    rail.instruct(rail.accepted(60))

    with reading(rail.engine) as session:
        seen = {
            party: {row.limit.id: row.used for row in standing.listed(session, rail.now.date(),
                                                                      party=party)}
            for party in (None, rail.companies.buyer, rail.companies.stranger)
        }  # fmt: skip
        with pytest.raises(NotFound):
            standing.found(session, own.id, rail.now.date(), party=rail.companies.stranger)

    theirs = {own.id, each.id, buyers.id, one.id, anyone.id}
    assert set(seen[None]) == theirs | {together.id}
    assert set(seen[rail.companies.buyer]) == theirs
    assert [use.used_minor for use in seen[rail.companies.buyer][each.id]] == [60 * CENT]
    assert seen[rail.companies.stranger] == {each.id: (), anyone.id: ()}


def _decided(rail: Rail, asked: Approval, verdict: str, checker: str = "per_checker") -> Approval:
    with transaction(rail.engine) as session:
        decided = approvals.decide(
            session, asked.id, verdict=verdict, seen_hash=asked.what_hash, checker=checker,
            role="approver", reason="seen", now=rail.now,
        )  # fmt: skip
        if decided.state == "approved":
            asking.apply(session, decided, rail.now)
    return decided


def test_a_limit_is_in_force_once_another_person_has_approved_it(rail: Rail) -> None:
    maker = Maker("per_maker", "compliance", "the board's decision")
    wanted = NewLimit("day", usd_token(rail), "rule", "day", 100 * CENT)
    with transaction(rail.engine) as session:
        asked = asking.ask_add(session, wanted, maker, ids=rail.ids, now=rail.now)
    rail.instruct(rail.accepted(150))

    with pytest.raises(SamePerson):
        _decided(rail, asked, "approve", checker="per_maker")
    _decided(rail, asked, "approve")

    _refused(rail, rail.accepted(1))
    with transaction(rail.engine) as session:
        more = asking.ask_change(
            session, asked.subject, 200 * CENT, maker, ids=rail.ids, now=rail.now
        )
        with pytest.raises(ApprovalOpen):
            asking.ask_retire(session, asked.subject, maker, ids=rail.ids, now=rail.now)
        seen = asking.seen_now(session, more)
    assert seen == more.terms
    _decided(rail, more, "approve")
    rail.instruct(rail.accepted(50))
    _refused(rail, rail.accepted(1))
    with transaction(rail.engine) as session:
        end = asking.ask_retire(session, asked.subject, maker, ids=rail.ids, now=rail.now)
    _decided(rail, end, "refuse")
    _refused(rail, rail.accepted(1))
    with transaction(rail.engine) as session:
        end = asking.ask_retire(session, asked.subject, maker, ids=rail.ids, now=rail.now)
    _decided(rail, end, "approve")
    rail.instruct(rail.accepted(1))
    with reading(rail.engine) as session:
        assert [each.act for each in standing.changes(session, asked.subject)] == [
            "add", "change", "retire",
        ]  # fmt: skip
        assert asking.seen_now(session, end) is None


def test_what_is_to_be_approved_is_shown_as_it_is_now_and_what_it_changed_is_told(
    rail: Rail,
) -> None:
    limit = a_limit(rail, 100 * CENT)
    maker = Maker("per_maker", "compliance", "the board's decision")
    with transaction(rail.engine) as session:
        asked = asking.ask_change(session, limit.id, 300 * CENT, maker, ids=rail.ids, now=rail.now)
    with transaction(rail.engine) as session:
        changing.change(session, limit.id, 200 * CENT, some_hands(9), now=rail.now)
        seen = asking.seen_now(session, asked)

    assert seen == {**asked.terms, "before_minor": 200 * CENT, "version": 2}
    with transaction(rail.engine) as session:
        decided = approvals.decide(
            session, asked.id, verdict="approve", seen_hash=asked.what_hash, checker="per_checker",
            role="approver", reason="seen", now=rail.now,
        )  # fmt: skip
        asking.apply(session, decided, rail.now)
        told = audit.take_changes(session)
    assert told is not None
    assert told[limit.id]["max_minor"][1] == 300 * CENT
