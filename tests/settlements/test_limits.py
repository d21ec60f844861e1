"""Limits: reserved at instruct, given back once, exact however many ask at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from settlement.chain import mandate_abi
from settlement.compliance import limits
from settlement.compliance.limits import LimitExceeded
from settlement.money import MINOR_MAX
from settlement.settlements import control, review
from settlement.settlements.review import Decision
from settlement.store import transaction
from tests.builders.limits import CENT, a_limit, used
from tests.builders.rail import Rail

DAY = "2026-11-20"


def _refused(rail: Rail, *invoice_ids: str, **terms: Any) -> str:
    with pytest.raises(LimitExceeded) as caught:
        rail.instruct(*invoice_ids, **terms)
    return str(caught.value)


def test_what_fits_is_taken_to_the_last_unit_and_not_one_more(rail: Rail) -> None:
    limit = a_limit(rail, 100_000 * CENT)
    first, last, over = rail.accepted(60_000), rail.accepted(40_000), rail.accepted(1)

    rail.instruct(first)
    rail.instruct(last)
    message = _refused(rail, over)

    assert used(rail, limit) == {DAY: 100_000 * CENT}
    assert message == f"limit {limit.id} (the buyer's day) is exceeded"
    assert rail.invoice(over).in_flight_minor == 0


def test_a_refusal_says_nothing_of_what_is_used_or_left(rail: Rail) -> None:
    a_limit(rail, 100_000 * CENT)
    rail.instruct(rail.accepted(60_000))

    message = _refused(rail, rail.accepted(70_000))

    assert not any(figure in message for figure in ("40", "60", "30", "1000", "left"))


def test_a_batch_is_taken_whole_or_not_at_all(rail: Rail) -> None:
    limit = a_limit(rail, 100_000 * CENT)
    batch = [rail.accepted(30_000) for _ in range(4)]

    _refused(rail, *batch)

    assert used(rail, limit) == {}
    assert rail.states() == {}
    assert rail.one("SELECT COUNT(*) FROM limit_use") == 0
    rail.instruct(*batch[:3])
    assert used(rail, limit) == {DAY: 90_000 * CENT}


def test_a_batch_whose_sum_is_over_64_bits_is_refused_like_any_other(rail: Rail) -> None:
    a_limit(rail, MINOR_MAX)
    most = MINOR_MAX // CENT

    _refused(rail, rail.accepted(most), rail.accepted(most))

    assert rail.states() == {}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"creditor_id": "seller"}, True),
        ({"creditor_id": "stranger"}, False),
        ({"debtor_id": "stranger"}, False),
        ({"debtor_id": None}, True),
        ({"debtor_id": None, "counted_by": "pair"}, True),
        ({"debtor_id": None, "debtor_country": "AE", "creditor_country": "DE"}, True),
        ({"debtor_id": None, "debtor_country": "AE"}, True),
        ({"debtor_id": None, "debtor_country": "DE"}, False),
        ({"debtor_id": None, "creditor_country": "CN"}, False),
        ({"token": "TEUR"}, False),
        ({"period": "payment"}, True),
        ({"period": "month", "counted_by": "creditor"}, True),
        ({"period": "rolling", "days": 7, "counted_by": "debtor"}, True),
    ],
)
def test_a_limit_concerns_whom_and_what_it_names(
    rail: Rail, changes: dict[str, Any], says: bool
) -> None:
    named = {
        name: getattr(rail.companies, value) if value in ("seller", "stranger") else value
        for name, value in changes.items()
    }
    if "token" in named:
        named["token"] = rail.token("TEUR")
    a_limit(rail, 100 * CENT, **named)

    if says:
        _refused(rail, rail.accepted(101))
        rail.instruct(rail.accepted(100))
    else:
        rail.instruct(rail.accepted(101))


def test_the_date_that_counts_is_the_one_on_which_it_is_to_be_paid(rail: Rail) -> None:
    limit = a_limit(rail, 100 * CENT)

    rail.instruct(rail.accepted(100))
    rail.instruct(rail.accepted(100), execution_date="2026-11-21")

    assert used(rail, limit) == {DAY: 100 * CENT, "2026-11-21": 100 * CENT}
    _refused(rail, rail.accepted(1), execution_date="2026-11-21")


def test_no_seven_days_in_a_row_hold_more_than_a_rolling_limit(rail: Rail) -> None:
    a_limit(rail, 100 * CENT, period="rolling", days=7)
    days = [(rail.now + timedelta(days=after)).date().isoformat() for after in range(9)]

    rail.instruct(rail.accepted(60), execution_date=days[6])
    rail.instruct(rail.accepted(40), execution_date=days[0])

    _refused(rail, rail.accepted(1), execution_date=days[3])
    rail.instruct(rail.accepted(40), execution_date=days[7])
    _refused(rail, rail.accepted(1), execution_date=days[8])


def test_a_month_begins_anew_on_its_first_day(rail: Rail) -> None:
    limit = a_limit(rail, 100 * CENT, period="month")

    rail.instruct(rail.accepted(100), execution_date="2026-12-31")
    rail.instruct(rail.accepted(100), execution_date="2027-01-01")

    assert used(rail, limit) == {"2026-12-31": 100 * CENT, "2027-01-31": 100 * CENT}


@pytest.mark.parametrize("is_held_first", [False, True])
def test_a_cancel_gives_back_once(rail: Rail, is_held_first: bool) -> None:
    limit = a_limit(rail, 100_000 * CENT, period="rolling", days=3)
    (key,) = rail.instructed()
    if is_held_first:
        rail.act(control.hold, key, reason="looking")

    rail.act(control.cancel, key, reason="not due")

    assert used(rail, limit) == {}
    assert rail.one("SELECT live FROM limit_use") in (0, False)
    rail.instructed()
    assert len(used(rail, limit)) == 3


def test_what_was_given_back_is_not_given_back_again(rail: Rail) -> None:
    limit = a_limit(rail, 300_000 * CENT)
    key, stays = rail.instructed(2)
    rail.act(control.cancel, key, reason="not due")
    with transaction(rail.engine) as session:
        limits.release(session, [key], rail.now)
    once = used(rail, limit)

    rail.write("UPDATE settlement SET state = 'REJECTED' WHERE id = :id", id=key)
    rail.act(control.retry, key)
    taken_again = used(rail, limit)
    rail.act(control.cancel, key, reason="not due")

    assert once == used(rail, limit) == {DAY: 100_001 * CENT}
    assert taken_again == {DAY: 200_001 * CENT}
    assert rail.one("SELECT COUNT(*) FROM limit_use WHERE live") == 1
    assert rail.state(stays) == "INSTRUCTED"


def test_what_is_paid_stays_counted_and_a_reorg_changes_nothing(rail: Rail) -> None:
    limit = a_limit(rail, 100_000 * CENT)
    rail.instructed()
    worker = rail.worker()
    rail.run_until(worker, lambda: "BOOKED" in rail.states().values())

    rail.controls.reorg(2)
    rail.settle_all(worker)

    assert used(rail, limit) == {DAY: 100_000 * CENT}
    _refused(rail, rail.accepted(1))


def test_a_rejection_gives_back_when_it_is_final_and_a_retry_takes_of_its_own_day(
    rail: Rail,
) -> None:
    limit = a_limit(rail, 100_000 * CENT)
    (key,) = rail.instructed()
    worker = rail.worker()
    rail.tick(worker)
    debtor, to = rail.sandbox.wallets[1], rail.sandbox.deployment.rail
    rail.on_chain(debtor, to, mandate_abi.revoke_mandate_calldata(rail.token()))
    rail.run_until(worker, lambda: rail.state(key) == "CONFIRMING")
    assert used(rail, limit) == {DAY: 100_000 * CENT}

    rail.run_until(worker, lambda: rail.state(key) == "REJECTED")
    given_back = used(rail, limit)
    rail.later(86_400)
    rail.act(control.retry, key)

    assert given_back == {}
    assert used(rail, limit) == {"2026-11-21": 100_000 * CENT}


def test_a_retry_without_room_is_refused_and_leaves_it_rejected(rail: Rail) -> None:
    (key,) = rail.instructed()
    rail.act(control.cancel, key, reason="not due")
    rail.write("UPDATE settlement SET state = 'REJECTED' WHERE id = :id", id=key)
    a_limit(rail, 99_999 * CENT)

    with pytest.raises(LimitExceeded):
        rail.act(control.retry, key)

    assert rail.state(key) == "REJECTED"


def test_what_the_policy_refuses_gives_back(rail: Rail) -> None:
    limit = a_limit(rail, 100_000 * CENT)
    (key,) = rail.instructed()
    rail.write("UPDATE participant SET state = 'suspended' WHERE id = :id", id=rail.companies.buyer)

    rail.tick(rail.worker())

    assert rail.state(key) in ("REJECTED", "HELD")
    expected = {} if rail.state(key) == "REJECTED" else {DAY: 100_000 * CENT}
    assert used(rail, limit) == expected


def test_a_review_that_is_closed_gives_back_and_one_that_goes_on_does_not(rail: Rail) -> None:
    limit = a_limit(rail, 300_000 * CENT)
    closed, resumed = rail.instructed(2)
    for key in (closed, resumed):
        rail.write("UPDATE settlement SET state = 'NEEDS_REVIEW' WHERE id = :id", id=key)

    with transaction(rail.engine) as session:
        for key, decision in ((closed, Decision.CLOSE), (resumed, Decision.RETRY)):
            review.resolve(session, [key], decision, reason="seen", actor="ana", now=rail.now)

    assert used(rail, limit) == {DAY: 100_001 * CENT}


def test_fifty_at_once_take_a_days_limit_exactly(rail: Rail) -> None:
    limit = a_limit(rail, 100_000 * CENT)
    week = a_limit(rail, 95_000 * CENT, name="the buyer's week", period="rolling", days=7)
    invoices = [rail.accepted(10_000) for _ in range(50)]

    def pay(invoice_id: str) -> bool:
        try:
            rail.instruct(invoice_id)
        except LimitExceeded:
            return False
        return True

    with ThreadPoolExecutor(50) as pool:
        taken = list(pool.map(pay, invoices))

    assert sum(taken) == 9
    assert used(rail, limit) == {DAY: 90_000 * CENT}
    assert set(used(rail, week).values()) == {90_000 * CENT}
    assert len(rail.states()) == 9


def test_batches_over_several_days_at_once_end_and_leave_what_they_took(rail: Rail) -> None:
    limit = a_limit(rail, 50 * CENT, period="rolling", days=5)
    days = [(rail.now + timedelta(days=after)).date().isoformat() for after in range(6)]
    invoices = [(rail.accepted(10), rail.accepted(10)) for _ in range(12)]

    def pay(place: int) -> None:
        first, second = invoices[place]
        for invoice_id, day in ((first, days[place % 6]), (second, days[-1 - place % 6])):
            try:
                rail.instruct(invoice_id, execution_date=day)
            except LimitExceeded:
                continue

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(pay, range(12)))

    counted: dict[str, int] = {}
    for row in rail.rows("SELECT business_date, amount_minor FROM limit_use WHERE live"):
        counted[row.business_date] = counted.get(row.business_date, 0) + row.amount_minor
    for start in range(6):
        assert sum(counted.get(day, 0) for day in days[start : start + 5]) <= 50 * CENT
    assert max(used(rail, limit).values()) == 50 * CENT
