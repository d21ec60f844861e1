"""What is judged, and what its debtor's wallet may still spend: read from the records."""

from datetime import timedelta

import pytest

from settlement.clock import from_micros, to_micros
from settlement.compliance import policy
from settlement.compliance.candidates import Purse, candidates, purses
from settlement.compliance.facts import gather
from settlement.compliance.policy import Judge
from settlement.compliance.spent import SpentToday
from settlement.settlements import clearing
from settlement.store import transaction
from tests.builders.rail import Rail
from tests.compliance.test_clearances import _mandate, _paused
from tests.participants.changing import a_name, proposed

CAP = 10**12


@pytest.mark.parametrize("side", ["debtor", "creditor"])
def test_whose_file_has_ended_is_expired_from_that_moment_before_anybody_writes_it_down(
    rail: Rail, side: str
) -> None:
    rail.instructed()
    party = rail.one(f"SELECT {side}_id FROM settlement")
    rail.write("UPDATE participant SET kyb_valid_until = :at WHERE id = :id",
               at=to_micros(rail.now), id=party)  # fmt: skip

    states = []
    for now in (rail.now - timedelta(microseconds=1), rail.now):
        with transaction(rail.engine) as session:
            (found,) = candidates(session, now=now, limit=9)
        states.append((found.debtor_state, found.creditor_state))

    after = ("expired", "active") if side == "debtor" else ("active", "expired")
    assert states == [("active", "active"), after]


def _purse(rail: Rail) -> Purse:
    with transaction(rail.engine) as session:
        waiting = candidates(session, now=rail.now, limit=9)
        booked = clearing.booked_of(session, waiting)
        (found,) = purses(session, waiting, booked, SpentToday()).values()
    return found


def test_what_is_under_way_has_left_the_purse_though_nothing_is_booked_yet(rail: Rail) -> None:
    worker = _paused(rail)
    _mandate(rail, CAP, CAP)
    rail.controls.mine()
    (key,) = rail.instructed()
    rail.tick(worker)
    assert rail.state(key) == "CLEARED"
    rail.instructed()
    spent = rail.one("SELECT amount_minor FROM settlement WHERE id = :id", id=key)
    held = rail.balance(rail.buyer_wallet)

    for state, of_the_day in (
        ("CLEARED", spent), ("CLAIMED", spent), ("SUBMITTED", spent), ("NEEDS_REVIEW", spent),
        ("CONFIRMING", 0),  # Its log is among those of the day already.
    ):  # fmt: skip
        rail.write("UPDATE settlement SET state = :state WHERE id = :id", state=state, id=key)
        purse = _purse(rail)
        assert (purse.left_today_minor, purse.funds_minor) == (CAP - of_the_day, held - spent)

    purse.spend(5)
    assert (purse.left_today_minor, purse.funds_minor) == (CAP - 5, held - spent - 5)


def test_a_mandate_lives_until_the_second_that_it_names(rail: Rail) -> None:
    worker = _paused(rail)
    expiry = int(rail.now.timestamp()) + 500
    _mandate(rail, CAP, CAP, expiry=expiry)
    rail.controls.mine()
    rail.tick(worker)
    rail.instructed()

    lives = []
    for at in (expiry - 1, expiry):
        rail.write("UPDATE block SET timestamp = :at WHERE number ="
                   " (SELECT MAX(number) FROM block WHERE canonical)", at=at)  # fmt: skip
        lives.append(_purse(rail).mandate is not None)

    assert lives == [True, False]


@pytest.mark.parametrize(
    ("change", "part", "field", "value"),
    [
        ("token SET listed = false", "asset", "is_listed", False),
        ("invoice SET currency = 'EUR'", "asset", "is_listed", False),
        ("wallet SET participant_id = :stranger WHERE address = :buyer", "debtor", "owns_wallet",
         False),
        ("wallet SET participant_id = :stranger WHERE address = :seller", "creditor",
         "owns_wallet", False),
        ("wallet SET usable_from = NULL", "debtor", "wallet_is_usable", False),
        ("wallet SET retired_at = 1", "creditor", "wallet_is_usable", False),
        ("wallet SET proved_by = 'operator'", "creditor", "wallet_is_proved", False),
        ("wallet SET proved_by = 'signature'", "debtor", "wallet_is_proved", True),
    ],
)  # fmt: skip
def test_what_the_records_say_is_what_rules_look_at(
    rail: Rail, change: str, part: str, field: str, value: object
) -> None:
    rail.instructed()
    named = {"stranger": rail.companies.stranger, "buyer": rail.buyer_wallet,
             "seller": rail.seller_wallet}  # fmt: skip
    judge = Judge(policy.load(), rail.now)

    def seen() -> object:
        with transaction(rail.engine) as session:
            waiting = candidates(session, now=rail.now, limit=9)
            found = gather(session, waiting, judge, rail.now).facts(waiting[0], judge)
        return getattr(getattr(found.pair, part), field)

    before = seen()
    used = {key: each for key, each in named.items() if f":{key}" in change}
    rail.write(f"UPDATE {change}", **used)

    assert seen() == value
    assert before != value or field == "wallet_is_proved"


def test_a_change_of_a_payee_that_waits_is_seen(rail: Rail) -> None:
    rail.instructed()
    judge = Judge(policy.load(), rail.now)
    seen = []
    with transaction(rail.engine) as session:
        for change in (None, a_name()):
            if change is not None:
                proposed(session, rail.companies.seller, change)
            waiting = candidates(session, now=rail.now, limit=9)
            found = gather(session, waiting, judge, rail.now).facts(waiting[0], judge)
            seen.append(found.pair.creditor.payee_change_pending)

    assert seen == [False, True]


def test_a_clearance_that_is_over_lapses_before_it_is_signed(rail: Rail) -> None:
    worker = _paused(rail)
    (key,) = rail.instructed()
    rail.tick(worker)
    over = from_micros(rail.one("SELECT expires_at FROM clearance"))
    with transaction(rail.engine) as session:
        lapsed = [clearing.lapse(session, rail.settings, now=at) for at in (rail.now, over)]

    assert lapsed == [0, 1]
    assert rail.state(key) == "INSTRUCTED"
