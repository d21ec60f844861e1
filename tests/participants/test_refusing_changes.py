"""Changes of a participant that are refused, end by themselves, or race."""

from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from settlement import approvals
from settlement.approvals import NoApprovalRule, SamePerson
from settlement.clock import counted_ids
from settlement.errors import IllegalMove, NotFound, Refused
from settlement.participants import (
    WalletRefused,
    changes,
    close,
)
from settlement.participants.changes import ChangePending
from settlement.participants.dossier import Actor
from settlement.store import reading, transaction
from tests.participants.changing import (
    LATER,
    a_name,
    a_wallet,
    approve,
    asked_for,
    proposed,
    usable,
)
from tests.participants.files import (
    ADA,
    BEN,
    COMPANY,
    NOW,
    a_company,
    activated,
    applied,
)


def test_whoever_asked_never_approves_and_a_company_never_does(engine: Engine) -> None:
    key = activated(engine)
    with transaction(engine) as session:
        change = proposed(session, key, a_wallet(), by=ADA)

    for who in (Actor("approver", ADA.hand), COMPANY):
        with pytest.raises(Refused), transaction(engine) as session:
            approve(session, change, by=who)
    with pytest.raises(SamePerson), transaction(engine) as session:
        approve(session, change, by=Actor("approver", ADA.hand))
    with pytest.raises(NoApprovalRule), transaction(engine) as session:
        proposed(session, key, a_name(), by=Actor("overseer", "per_o"), start=900)
    with reading(engine) as session:
        assert not usable(session, LATER)


def test_the_database_itself_refuses_one_pair_of_eyes(engine: Engine) -> None:
    key = activated(engine)
    with transaction(engine) as session:
        proposed(session, key, a_wallet())

    with pytest.raises(IntegrityError), transaction(engine) as session:
        session.execute(
            text("UPDATE participant_change SET state = 'approved', decided_by = asked_by,"
                 " decided_at = 1, usable_from = 1")
        )  # fmt: skip


def test_the_same_change_waits_once_until_its_approval_is_refused(engine: Engine) -> None:
    key = activated(engine)
    with transaction(engine) as session:
        change = proposed(session, key, a_wallet())
    with pytest.raises(ChangePending), transaction(engine) as session:
        proposed(session, key, a_wallet(), start=600)

    with transaction(engine) as session:
        asked = asked_for(session, change)
        approvals.decide(
            session, asked.id, verdict="refuse", seen_hash=asked.what_hash, checker=BEN.hand,
            role=BEN.role, reason="the number was not theirs", now=NOW,
        )  # fmt: skip
        assert changes.end_dead(session, NOW) == 1
        again = proposed(session, key, a_wallet(), start=600)

    assert again is not None and change is not None
    with reading(engine) as session:
        assert changes.change(session, change.id).state == "refused"


def test_an_approval_that_nobody_gave_in_time_ends_the_change(engine: Engine) -> None:
    key = activated(engine)
    with transaction(engine) as session:
        change = proposed(session, key, a_wallet())
        assert change is not None
        assert changes.end_dead(session, NOW + timedelta(hours=335)) == 0
        assert changes.end_dead(session, NOW + timedelta(hours=336)) == 1
        assert changes.change(session, change.id).state == "refused"


def test_a_wallet_of_another_is_not_even_asked_about(engine: Engine) -> None:
    ids = counted_ids()
    key = activated(engine, ids=ids)
    with transaction(engine) as session:
        other = applied(session, a_company(lei=None, legal_form="individual", vat_id=None,
                                           tax_id="T1"), ids=ids)  # fmt: skip
        proposed(session, other, a_wallet())

    with pytest.raises(WalletRefused) as refusal, transaction(engine) as session:
        proposed(session, key, a_wallet(), start=600)

    assert other not in str(refusal.value)


def test_nothing_of_a_closed_participant_changes(engine: Engine) -> None:
    key = activated(engine)
    with transaction(engine) as session:
        change = proposed(session, key, a_wallet())
        close(session, key, "it left", NOW)

    with pytest.raises(IllegalMove), transaction(engine) as session:
        proposed(session, key, a_name(), start=600)
    with pytest.raises(IllegalMove), transaction(engine) as session:
        approve(session, change)
    with pytest.raises(NotFound), transaction(engine) as session:
        changes.withdraw(session, "par_other", str(change and change.id), by=ADA, reason="x",
                         now=NOW)  # fmt: skip


def test_of_two_who_stop_and_approve_at_once_one_is_told_that_it_is_over(engine: Engine) -> None:
    key = activated(engine)
    with transaction(engine) as session:
        change = proposed(session, key, a_wallet())
        assert change is not None
    start, told_to = Barrier(2), []

    def run(act: Any) -> None:
        start.wait()
        try:
            with transaction(engine) as session:
                act(session)
            told_to.append("done")
        except Refused as error:
            told_to.append(type(error).__name__)

    def stop(session: Session) -> None:
        changes.withdraw(session, key, change.id, by=COMPANY, reason="not us", now=NOW)

    threads = [
        Thread(target=run, args=(act,)) for act in (stop, lambda session: approve(session, change))
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    with reading(engine) as session:
        ended = changes.change(session, change.id)
        # Whoever came first: approved and then stopped, or stopped and never approved.
        assert ended.state == "withdrawn"
        assert not usable(session, LATER)
    assert sorted(told_to) in (
        ["ApprovalNotOpen", "done"],
        ["ChangeOver", "done"],
        ["done", "done"],
    )
