"""What money is paid to changes after a second person and its cooling-off, and can be stopped."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, text

from settlement.clock import counted_ids, new_id
from settlement.participants import (
    accounts,
    changes,
    participant,
    profiles,
    screenables,
    wallet_standings,
)
from settlement.participants.changes import ChangeOver, Wanted
from settlement.store import reading, transaction
from tests.participants.changing import (
    COOLING,
    LATER,
    TICK,
    WALLET,
    a_name,
    a_wallet,
    an_account,
    approve,
    asked_for,
    proposed,
    usable,
)
from tests.participants.files import (
    COMPANY,
    NOW,
    activated,
    applied,
    events,
    told,
)


def test_a_new_wallet_is_paid_only_after_a_second_person_and_its_cooling_off(
    engine: Engine,
) -> None:
    key = activated(engine)
    with transaction(engine) as session:
        change = proposed(session, key, a_wallet())
        assert change is not None and change.state == "pending"
        assert wallet_standings(session, [WALLET]) == {}
        assert profiles(session, [key], NOW)[key].payee_change_pending
    with transaction(engine) as session:
        approve(session, change)

    with transaction(engine) as session:
        assert [usable(session, at) for at in (NOW, LATER - TICK, LATER)] == [False, False, True]
        waiting = [
            profiles(session, [key], at)[key].payee_change_pending for at in (LATER - TICK, LATER)
        ]
        assert waiting == [True, False]
        assert changes.settle_due(session, LATER - TICK, ids=new_id) == []
        assert changes.settle_due(session, LATER, ids=new_id) == [change.id]
        assert changes.change(session, change.id).state == "effective"
        assert [move for move, _state in events(session, key)][-2:] == [
            "change_asked", "change_approved",
        ]  # fmt: skip
        assert told(session)[-3:] == [
            "participant.change_asked", "participant.change_approved",
            "participant.change_effective",
        ]  # fmt: skip


def test_an_applicant_changes_at_once_and_is_usable_only_once_active(engine: Engine) -> None:
    with transaction(engine) as session:
        key = applied(session, ids=counted_ids())
        for wanted in (a_wallet(), an_account(), a_name("Other GmbH")):
            assert proposed(session, key, wanted) is None

        assert participant(session, key).name == "Other GmbH"
        assert [each.usable_from for each in accounts.accounts(session, key)] == [None]
        assert not usable(session, LATER)
        assert session.execute(text("SELECT COUNT(*) FROM approval_request")).scalar() == 0


def test_a_new_name_is_written_only_after_the_cooling_off_and_the_old_one_stays_known(
    engine: Engine,
) -> None:
    key = activated(engine)
    with transaction(engine) as session:
        approve(session, proposed(session, key, a_name()))
        assert participant(session, key).name == "Nordlicht Pumpen GmbH"
        changes.settle_due(session, LATER, ids=counted_ids(900))

    with reading(engine) as session:
        assert participant(session, key).name == "Nordlicht SE"
        (found,) = screenables(session, [key])
        assert found.names == ("Nordlicht SE", "Nordlicht Pumpen GmbH")


@pytest.mark.parametrize("when", ["pending", "cooling"])
@pytest.mark.parametrize("wanted", [a_wallet(), an_account(), a_name()], ids=lambda w: w.kind)
def test_one_person_is_enough_to_stop_a_change_before_it_counts(
    engine: Engine, wanted: Wanted, when: str
) -> None:
    key = activated(engine)
    with transaction(engine) as session:
        change = proposed(session, key, wanted)
        assert change is not None
        if when == "cooling":
            approve(session, change)
    moment = NOW if when == "pending" else LATER - TICK

    with transaction(engine) as session:
        ended = changes.withdraw(session, key, change.id, by=COMPANY, reason="not us", now=moment)

    assert ended.state == "withdrawn"
    with transaction(engine) as session:
        assert asked_for(session, change).state == ("void" if when == "pending" else "approved")
        changes.settle_due(session, LATER, ids=new_id)
        assert not usable(session, LATER)
        assert accounts.accounts(session, key) == []
        assert participant(session, key).name == "Nordlicht Pumpen GmbH"
        assert not profiles(session, [key], LATER)[key].payee_change_pending
        with pytest.raises(ChangeOver):
            changes.withdraw(session, key, change.id, by=COMPANY, reason="again", now=moment)


def test_what_counts_is_withdrawn_no_more(engine: Engine) -> None:
    key = activated(engine)
    with transaction(engine) as session:
        change = proposed(session, key, a_wallet())
        assert change is not None
        approve(session, change)

    with pytest.raises(ChangeOver), transaction(engine) as session:
        changes.withdraw(session, key, change.id, by=COMPANY, reason="late", now=LATER)
    with reading(engine) as session:
        assert usable(session, LATER)


def test_a_wallet_that_was_taken_back_can_be_proved_and_added_again(engine: Engine) -> None:
    key = activated(engine)
    with transaction(engine) as session:
        change = proposed(session, key, a_wallet())
        assert change is not None
        approve(session, change)
        changes.withdraw(session, key, change.id, by=COMPANY, reason="wait", now=NOW)
        approve(session, proposed(session, key, a_wallet(), start=600, now=LATER), now=LATER)

        again = LATER + timedelta(seconds=COOLING)
        assert [usable(session, at) for at in (LATER, again - TICK, again)] == [False, False, True]
