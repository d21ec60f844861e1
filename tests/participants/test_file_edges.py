"""A participant's file at its edges: what meanwhile stops an activation, and what counts of it."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from settlement import audit
from settlement.clock import counted_ids
from settlement.errors import IllegalMove, Invalid, NotFound
from settlement.participants import (
    Allowed,
    accounts,
    activation,
    changes,
    owners,
    papers,
    participant,
    profiles,
    requirements,
    screenables,
    suspend,
    wallet_standings,
)
from settlement.participants.accounts import NewAccount
from settlement.participants.activation import REVIEW_DAYS_MAX, DossierIncomplete
from settlement.participants.changes import Wanted
from settlement.participants.requirements import Kind
from settlement.participants.wallets import WalletTerms, add_wallet, put_wallet, retire_wallet
from settlement.store import reading, transaction
from tests.participants.changing import (
    LATER,
    a_name,
    a_wallet,
    an_account,
    approve,
    asked_for,
    proposed,
)
from tests.participants.files import (
    ADA,
    NOW,
    SALT,
    TODAY,
    a_document,
    a_full_file,
    a_trader,
    activated,
    an_owner,
    applied,
    approved,
    asked,
    declared,
    offered,
)


def test_who_was_suspended_meanwhile_is_not_brought_back_by_a_renewal(engine: Engine) -> None:
    ids = counted_ids(600)
    key = activated(engine)
    with transaction(engine) as session:
        request = asked(session, key, ids=ids)
        suspend(session, key, actor="compliance:per_cat", reason="a doubt", now=NOW)
        told = audit.take_changes(session)
    assert told is not None and told[key]["state"] == ("active", "suspended")

    with pytest.raises(IllegalMove), transaction(engine) as session:
        activation.apply_approved(session, approved(session, request), NOW)

    with reading(engine) as session:
        assert participant(session, key).state == "suspended"


def test_what_has_ended_meanwhile_stops_an_activation_and_a_reinstatement(engine: Engine) -> None:
    ids = counted_ids(600)
    soon = (TODAY + timedelta(days=2)).isoformat()
    with transaction(engine) as session:
        key = applied(session, ids=ids)
        a_full_file(session, key, ids=ids)
        session.execute(text("UPDATE participant_document SET live = false"
                             " WHERE kind = 'registry_extract'"))  # fmt: skip
        offered(session, key, a_document("registry_extract", expires_on=soon), ids=ids)
        request = asked(session, key, ids=ids)
    later = NOW + timedelta(days=5)

    with pytest.raises(DossierIncomplete), transaction(engine) as session:
        activation.apply_approved(session, approved(session, request, now=later), later)

    with transaction(engine) as session:
        activation.apply_approved(session, approved(session, request), NOW)
        suspend(session, key, actor="compliance:per_cat", reason="a doubt", now=NOW)
        with pytest.raises(DossierIncomplete):
            asked(session, key, ids=ids, now=later)


@pytest.mark.parametrize(("share_bp", "is_enough"), [(7_499, False), (7_500, True)])
def test_three_quarters_of_a_company_are_named_or_whoever_controls_it(
    engine: Engine, share_bp: int, is_enough: bool
) -> None:
    ids = counted_ids()
    with transaction(engine) as session:
        key = applied(session, ids=ids)
        a_full_file(session, key, ids=ids)
        declared(session, key, an_owner(share_bp=share_bp), ids=ids)
        lacking = activation.lacking(session, participant(session, key), NOW)
        declared(session, key, an_owner(share_bp=0, role="controller"), ids=ids)
        assert activation.lacking(session, participant(session, key), NOW) == []

    assert (lacking == []) is is_enough


@pytest.mark.parametrize(
    ("days", "is_taken"), [(0, False), (1, True), (REVIEW_DAYS_MAX, True), (1_097, False)]
)
def test_a_review_is_from_tomorrow_on_and_within_three_years(
    engine: Engine, days: int, is_taken: bool
) -> None:
    ids = counted_ids()
    review_on = TODAY + timedelta(days=days)
    with transaction(engine) as session:
        key = applied(session, ids=ids)
        a_full_file(session, key, ids=ids)
        if is_taken:
            request = asked(session, key, ids=ids, review_on=review_on)
            assert request.terms["review_on"] == review_on.isoformat()
            return
        with pytest.raises(Invalid) as caught:
            asked(session, key, ids=ids, review_on=review_on)
    assert caught.value.field == "review_on"


def test_a_change_is_withdrawn_by_its_own_participant_alone(engine: Engine) -> None:
    key = activated(engine)
    with transaction(engine) as session:
        other = applied(session, a_trader(), ids=counted_ids(900))
        change = proposed(session, key, an_account())
    assert change is not None

    with pytest.raises(NotFound), transaction(engine) as session:
        changes.withdraw(session, other, change.id, by=ADA, reason="not mine", now=NOW)

    with reading(engine) as session:
        assert asked_for(session, change).state == "open"


@pytest.mark.parametrize("wanted", [a_wallet(), an_account(), a_name()], ids=lambda w: w.kind)
def test_who_approves_a_payees_change_sees_all_of_it_and_it_is_pending_until_it_counts(
    engine: Engine, wanted: Wanted
) -> None:
    key = activated(engine)

    def is_pending(now: Any) -> bool:
        with reading(engine) as session:
            return profiles(session, [key], now)[key].payee_change_pending

    assert not is_pending(NOW)
    with transaction(engine) as session:
        change = proposed(session, key, wanted)
        assert change is not None
        assert asked_for(session, change).terms == {
            "participant_id": key, "change_id": change.id, "kind": wanted.kind,
            "subject": wanted.subject, "terms": wanted.terms, "cooling_off_seconds": 86_400,
        }  # fmt: skip
    assert is_pending(NOW) and is_pending(LATER)
    with transaction(engine) as session:
        approve(session, change)
    assert is_pending(LATER - timedelta(microseconds=1)) and not is_pending(LATER)


def test_a_former_name_stays_when_other_names_are_declared(engine: Engine) -> None:
    key = activated(engine)
    with transaction(engine) as session:
        approve(session, proposed(session, key, a_name()))
        changes.settle_due(session, LATER, ids=counted_ids(700))
        aliases = [{"name": "Nordlicht Trading", "kind": "trading"}]
        wanted = Wanted("aliases", "aliases", {"aliases": aliases})
        approve(session, proposed(session, key, wanted, start=550))
        (found,) = screenables(session, [key])

    assert found.names == ("Nordlicht SE", "Nordlicht Pumpen GmbH", "Nordlicht Trading")


def test_what_nobody_accepted_is_missing_and_what_was_accepted_is_not_taken_back(
    engine: Engine,
) -> None:
    ids = counted_ids()
    with transaction(engine) as session:
        key = applied(session, ids=ids)
        a_full_file(session, key, ids=ids)
        (first, *_) = papers.documents(session, key)
        needed = requirements.load().required["legal_entity"]
        assert profiles(session, [key], NOW)[key].missing_documents == needed
        activation.apply_approved(session, approved(session, asked(session, key, ids=ids)), NOW)
        assert profiles(session, [key], NOW)[key].missing_documents == ()

        with pytest.raises(NotFound):
            papers.withdraw(session, key, first.id)


def test_a_wallet_on_the_operators_word_is_not_proved(engine: Engine) -> None:
    key = activated(engine)
    with transaction(engine) as session:
        address = add_wallet(session, key, "0x" + "ab" * 20, now=NOW)
        for proved_by in ("operator", "signature", "contract", "migration"):
            session.execute(text("UPDATE wallet SET proved_by = :by"), {"by": proved_by})
            (standing,) = wallet_standings(session, [address]).values()
            assert standing.is_proved is (proved_by != "operator"), proved_by


def test_what_a_participant_has_is_ended_and_written_over_by_nobody_else(engine: Engine) -> None:
    key = activated(engine)
    ids = counted_ids(700)
    with transaction(engine) as session:
        other = applied(session, a_trader(), ids=counted_ids(900))
        address = add_wallet(session, key, "0x" + "ab" * 20, now=NOW)
        bank = NewAccount(currency="EUR", iban="DE92611500200100417826")
        account = accounts.put(session, key, bank, usable_from=None, ids=ids, now=NOW)
        before = wallet_standings(session, [address])

        for end in (
            lambda: retire_wallet(session, other, address, NOW),
            lambda: accounts.end(session, other, account),
        ):
            with pytest.raises(NotFound):
                end()
        again = WalletTerms(address, "custodial", "Vault Ltd", "signature")
        assert not put_wallet(session, key, again, usable_from=None, now=NOW)

        assert wallet_standings(session, [address]) == before
        assert [each.id for each in accounts.accounts(session, key)] == [account]


def test_nobody_owns_itself(engine: Engine) -> None:
    key = activated(engine)
    itself = an_owner(kind="participant", participant_id=key, name=None, country=None,
                      birth_date=None)  # fmt: skip

    with transaction(engine) as session, pytest.raises(Invalid, match="does not own itself"):
        owners.declare(session, key, [itself], salts=lambda: SALT, ids=counted_ids(700), now=NOW)


@pytest.mark.parametrize(("expires", "ends"), [(10, 10), (90, 30), (None, 30)])
def test_a_document_ends_by_its_own_last_day_or_its_age_whichever_is_first(
    expires: int | None, ends: int
) -> None:
    issued = date(2026, 1, 1)
    own = None if expires is None else issued + timedelta(days=expires)

    found = requirements.ends_at(Kind("k", "a kind", age_days=30), issued, own)

    assert found == issued + timedelta(days=ends)
    assert requirements.ends_at(Kind("k", "a kind"), issued, None) is None


@pytest.mark.parametrize("least", [(3, 9, 9), (9, 3, 9), (9, 9, 3)])
def test_the_least_of_cap_allowance_and_balance_can_be_taken(least: tuple[int, int, int]) -> None:
    assert Allowed(*least).takeable_minor == 3
