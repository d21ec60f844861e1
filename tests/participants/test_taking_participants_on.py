"""The second person, the table of moves, and what the database itself refuses."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from settlement import approvals
from settlement.approvals import NoApprovalRule, SamePerson
from settlement.clock import counted_ids
from settlement.errors import IllegalMove
from settlement.participants import (
    accounts,
    activation,
    changes,
    close,
    dossier,
    moves,
    papers,
    participant,
    profiles,
    registry,
    suspend,
)
from settlement.participants.accounts import NewAccount
from settlement.participants.activation import DossierChanged, OwnWork
from settlement.participants.changes import Wanted
from settlement.participants.dossier import Actor
from settlement.participants.wallets import add_wallet
from settlement.states import PARTICIPANT_MOVES, ParticipantState
from settlement.store import reading, transaction
from tests.participants.files import (
    ADA,
    COMPANY,
    NOW,
    a_company,
    a_document,
    a_full_file,
    a_trader,
    activated,
    an_owner,
    applied,
    approved,
    asked,
    declared,
    events,
    offered,
)

CAT = Actor("compliance", "per_cat")


@pytest.mark.parametrize("hand", [ADA.hand, "per_zoe"])
def test_whoever_registered_or_offered_never_activates(engine: Engine, hand: str) -> None:
    """Ada applies, Zoe offers the documents, and somebody else asks."""
    ids, zoe = counted_ids(), Actor("approver", "per_zoe")
    with transaction(engine) as session:
        key = applied(session, ids=ids)
        a_full_file(session, key, ids=ids, by=zoe)
        request = asked(session, key, ids=ids, by=CAT)
    checker = Actor("approver", hand)

    with pytest.raises(OwnWork), transaction(engine) as session:
        activation.apply_approved(session, approved(session, request, by=checker), NOW)

    with reading(engine) as session:
        assert participant(session, key).state == "applied"
        assert approvals.find(session, request.id).state == "open"


def test_whoever_changed_the_file_of_an_applicant_never_activates(engine: Engine) -> None:
    ids, zoe = counted_ids(), Actor("compliance", "per_zoe")
    account = {"iban": "DE89370400440532013000", "currency": "EUR"}
    with transaction(engine) as session:
        key = applied(session, ids=ids)
        a_full_file(session, key, ids=ids)
        changes.propose(
            session, key, Wanted("bank_account", account["iban"], account), by=zoe,
            reason="as told", cooling_seconds=60, ids=ids, now=NOW,
        )  # fmt: skip
        request = asked(session, key, ids=ids, by=CAT)

    with pytest.raises(OwnWork, match="changed"), transaction(engine) as session:
        activation.apply_approved(session, approved(session, request, by=zoe), NOW)

    with transaction(engine) as session:
        activation.apply_approved(session, approved(session, request), NOW)
        suspend(session, key, actor="compliance:per_cat", reason="a doubt", now=NOW)
        again = asked(session, key, ids=ids, by=CAT)
    with transaction(engine) as session:  # Somebody else has taken the account on since.
        activation.apply_approved(session, approved(session, again, by=zoe), NOW)
        assert participant(session, key).state == "active"


def test_whoever_asked_never_approves(engine: Engine) -> None:
    ids = counted_ids()
    with transaction(engine) as session:
        key = applied(session, ids=ids, by=CAT)
        a_full_file(session, key, ids=ids, by=CAT)
        request = asked(session, key, ids=ids)

    with pytest.raises(SamePerson), transaction(engine) as session:
        approved(session, request, by=Actor("approver", ADA.hand))


def test_a_company_never_asks_for_its_own_activation(engine: Engine) -> None:
    ids = counted_ids()
    with transaction(engine) as session:
        key = applied(session, ids=ids)
        a_full_file(session, key, ids=ids)

    with pytest.raises(NoApprovalRule), transaction(engine) as session:
        asked(session, key, ids=ids, by=COMPANY)


def test_a_dossier_that_changed_after_it_was_seen_is_not_activated(engine: Engine) -> None:
    ids = counted_ids()
    with transaction(engine) as session:
        key = applied(session, ids=ids)
        a_full_file(session, key, ids=ids)
        request = asked(session, key, ids=ids)
    with transaction(engine) as session:
        declared(session, key, an_owner(name="Somebody Else"), ids=ids)

    with pytest.raises(DossierChanged), transaction(engine) as session:
        activation.apply_approved(session, approved(session, request), NOW)

    with reading(engine) as session:
        assert participant(session, key).state == "applied"


COMPANY_OWNER = {
    "kind": "company", "name": "Holding AG", "country": "CH", "number": "CHE-1", "birth_date": None,
}  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        {"share_bp": 9_999}, {"role": "controller"}, {"name": "Holding SA"}, {"country": "IR"},
        {"number": "CHE-2"}, {"number": None}, {"kind": "person", "number": None},
    ],
    ids=str,
)  # fmt: skip
def test_whatever_is_said_of_an_owner_is_part_of_what_is_sealed(
    engine: Engine, change: dict[str, Any]
) -> None:
    ids = counted_ids()
    with transaction(engine) as session:
        key = applied(session, ids=ids)
        declared(session, key, an_owner(**COMPANY_OWNER), ids=ids)
        before = dossier.seal(dossier.dossier(session, key))

        declared(session, key, an_owner(**{**COMPANY_OWNER, **change}), ids=ids)

        assert dossier.seal(dossier.dossier(session, key)) != before
        declared(session, key, an_owner(**COMPANY_OWNER), ids=ids)
        assert dossier.seal(dossier.dossier(session, key)) == before


def test_whatever_is_known_of_a_participant_is_part_of_what_is_sealed(engine: Engine) -> None:
    """One field after the other changes; nothing else does, not even an id."""
    ids = counted_ids()
    with transaction(engine) as session:
        key = applied(session, ids=ids)
        a_full_file(session, key, ids=ids)
        add_wallet(session, key, "0x" + "ab" * 20, now=NOW)
        account = NewAccount(currency="EUR", iban="DE89370400440532013000")
        accounts.put(session, key, account, usable_from=None, ids=ids, now=NOW)
        seals = [dossier.seal(dossier.dossier(session, key))]
        for table, assignment in (
            ("participant", "name = 'Another GmbH'"), ("participant", "country = 'FR'"),
            ("participant", "street = 'Hafen'"), ("participant", "town = 'Emden'"),
            ("participant", "vat_id = 'DE129273398'"), ("participant", "tax_id = '12'"),
            ("participant_document", "sha256 = '" + "0" * 64 + "' WHERE kind = 'tax_registration'"),
            ("wallet", "address = '0x" + "cd" * 20 + "'"), ("wallet", "kind = 'custodial'"),
            ("wallet", "proved_by = 'contract'"), ("wallet", "retired_at = 1"),
            ("participant_account", "iban = 'GB29NWBK60161331926819'"),
            ("participant_account", "currency = 'USD'"),
        ):  # fmt: skip
            session.execute(text(f"UPDATE {table} SET {assignment}"))
            seals.append(dossier.seal(dossier.dossier(session, key)))

    assert len(set(seals)) == len(seals)


def test_the_database_itself_keeps_the_second_person_out_of_his_own_documents(
    engine: Engine,
) -> None:
    ids = counted_ids()
    with transaction(engine) as session:
        key = applied(session, ids=ids)
        offered(session, key, a_document("articles"), ids=ids)

    with pytest.raises(IntegrityError), transaction(engine) as session:
        papers.accept(session, key, by=ADA.hand, now=NOW)


def test_events_and_proofs_are_never_changed(engine: Engine) -> None:
    key = activated(engine)

    for act in ("UPDATE participant_event SET actor = 'x'", "DELETE FROM participant_event"):
        with pytest.raises(DBAPIError, match="append-only"), transaction(engine) as session:
            session.execute(text(act))
    with reading(engine) as session:
        assert len(events(session, key)) == 3


def test_every_move_goes_as_the_table_says_and_no_other(engine: Engine) -> None:
    key = activated(engine)
    names = sorted({name for _state, name in PARTICIPANT_MOVES})

    for state in ParticipantState:
        for name in names:
            with transaction(engine) as session:
                session.execute(
                    text("UPDATE participant SET state = :s WHERE id = :id"),
                    {"s": state.value, "id": key},
                )
                end = PARTICIPANT_MOVES.get((state, name))
                if end is None:
                    with pytest.raises(IllegalMove):
                        moves.move(session, key, name, actor="a:b", now=NOW)
                else:
                    moves.move(session, key, name, actor="a:b", now=NOW, reason="why")
                    assert participant(session, key).state == end
                    assert events(session, key)[-1] == (name, end)


def test_a_suspended_one_comes_back_with_a_second_person_and_a_closed_one_never(
    engine: Engine,
) -> None:
    ids = counted_ids()
    key = activated(engine, ids=ids)
    with transaction(engine) as session:
        suspend(session, key, "an open question", NOW, actor=ADA.text)
        request = asked(session, key, ids=ids)
        assert request.terms["move"] == "reinstate"
        activation.apply_approved(session, approved(session, request), NOW)
        assert participant(session, key).state == "active"

    with transaction(engine) as session:
        close(session, key, "it left", NOW, actor=ADA.text)
    with pytest.raises(IllegalMove), transaction(engine) as session:
        asked(session, key, ids=ids)


def test_who_was_taken_on_at_the_machine_is_told_by_it_and_can_be_suspended_and_reinstated(
    engine: Engine,
) -> None:
    ids = counted_ids()
    with transaction(engine) as session:
        (key,) = registry.register(session, [a_company()], ids=ids, now=NOW)
        found = profiles(session, [key], NOW)[key]
        suspend(session, key, "look", NOW)
        activation.apply_approved(session, approved(session, asked(session, key, ids=ids)), NOW)

        assert participant(session, key).state == "active"
        assert participant(session, key).known_by == "operator"
    assert (found.state, found.known_by) == ("active", "operator")
    assert found.missing_documents and found.kyb_valid_until is None


def test_a_participant_is_found_by_the_state_that_counts(engine: Engine) -> None:
    ids = counted_ids()
    key = activated(engine, ids=ids)
    with transaction(engine) as session:
        other = applied(session, a_trader(), ids=ids)

    later = NOW + timedelta(days=500)
    with reading(engine) as session:
        for state, now, found in (
            ("active", NOW, [key]),
            ("applied", NOW, [other]),
            ("active", later, []),
            ("expired", later, [key]),
        ):
            listed = registry.participants(session, state=state, now=now)
            assert [each.id for each in listed] == found
