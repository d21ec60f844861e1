"""A file that has ended blocks by itself, at its very second; renewing needs a second person."""

from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, text

from settlement.clock import counted_ids, to_micros
from settlement.documents.model import DocumentAddress, DocumentParty
from settlement.errors import Conflict, IllegalMove, NotFound
from settlement.invoices.parties import directory
from settlement.participants import (
    activation,
    expire_due,
    owners,
    papers,
    participant,
    people,
    profiles,
    requirements,
    screenable,
    screenables,
)
from settlement.participants.people import PersonErasedAlready
from settlement.participants.profiles import ERASED
from settlement.participants.requirements import Validity
from settlement.store import reading, transaction
from tests.participants.files import (
    ADA,
    NOW,
    SALT,
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
    told,
)
from tests.watcher.scene import LEIS

SELLER = DocumentParty("x", DocumentAddress("DE"), lei=LEIS[0])
ENDS = NOW.replace(hour=0) + timedelta(days=337)
TICK = timedelta(microseconds=1)
DAY = 86_400 * 1_000_000


def test_an_active_participant_is_expired_from_the_exact_second_on(engine: Engine) -> None:
    key = activated(engine)

    with reading(engine) as session:
        until = profiles(session, [key], NOW)[key].kyb_valid_until
        states = [
            profiles(session, [key], at)[key].state for at in (ENDS - TICK, ENDS, ENDS + TICK)
        ]
        stored = participant(session, key).state
        named = [directory(session, [SELLER], at).by_lei[LEIS[0]]
                 for at in (ENDS - TICK, ENDS)]  # fmt: skip
    assert until == to_micros(ENDS)
    assert states == ["active", "expired", "expired"]
    assert stored == "active"  # Nobody has written anything down, and it blocks all the same.
    assert [each.state for each in named] == ["active", "expired"]


def test_the_upkeep_writes_it_down_once_and_tells_of_it(engine: Engine) -> None:
    key = activated(engine)

    with transaction(engine) as session:
        assert expire_due(session, ENDS - TICK) == []
        assert expire_due(session, ENDS) == [key]
        assert expire_due(session, ENDS) == []

    with reading(engine) as session:
        assert events(session, key)[-1] == ("expire", "expired")
        assert told(session)[-1] == "participant.expired"
        profile = profiles(session, [key], ENDS)[key]
    assert profile.expired_documents == ("registry_extract", "ownership_declaration")
    assert profile.documents == ("tax_registration",)


@pytest.mark.parametrize("written_down", [False, True])
def test_new_documents_bring_it_back_with_a_second_person(
    engine: Engine, written_down: bool
) -> None:
    ids = counted_ids()
    key = activated(engine, ids=ids)
    fresh = {"issued_on": ENDS.date().isoformat()}
    with transaction(engine) as session:
        if written_down:
            expire_due(session, ENDS)
        offered_late = [
            a_document(kind, **fresh) for kind in ("registry_extract", "ownership_declaration")
        ]
        for each in offered_late:
            papers.offer(session, key, each, by=ADA.hand, salt=SALT, ids=ids, now=ENDS)
        assert profiles(session, [key], ENDS)[key].state == "expired"
        request = asked(session, key, ids=ids, now=ENDS)
        assert request.terms["move"] == "renew"

    with transaction(engine) as session:
        activation.apply_approved(session, approved(session, request, now=ENDS), ENDS)

    with reading(engine) as session:
        found = profiles(session, [key], ENDS)[key]
        assert found.state == "active" and found.expired_documents == ()
        # The review is the first to come now: a year from the renewal.
        assert found.kyb_valid_until == to_micros(ENDS + timedelta(days=366))
        assert events(session, key)[-1] == ("renew", "active")


def test_without_new_documents_nobody_even_asks(engine: Engine) -> None:
    ids = counted_ids()
    key = activated(engine, ids=ids)

    with (
        pytest.raises(activation.DossierIncomplete, match="still good"),
        transaction(engine) as session,
    ):
        asked(session, key, ids=ids, now=ENDS)


def test_a_review_that_is_due_ends_it_before_the_documents_do(engine: Engine) -> None:
    ids = counted_ids()
    with transaction(engine) as session:
        key = applied(session, ids=ids)
        a_full_file(session, key, ids=ids)
        request = asked(session, key, ids=ids, review_on=date(2026, 12, 24))
        activation.apply_approved(session, approved(session, request), NOW)

    end = NOW.replace(month=12, day=25, hour=0)
    with reading(engine) as session:
        states = [profiles(session, [key], at)[key].state for at in (end - TICK, end)]
    assert states == ["active", "expired"]


def test_a_suspension_stays_one_when_the_file_ends_meanwhile(engine: Engine) -> None:
    key = activated(engine)
    with transaction(engine) as session:
        session.execute(text("UPDATE participant SET state = 'suspended'"))

        assert expire_due(session, ENDS) == []
        assert profiles(session, [key], ENDS)[key].state == "suspended"


def test_documents_follow_each_other_without_a_gap_or_the_gap_ends_it() -> None:
    spans = [Validity("a", 0, 10 * DAY), Validity("a", 10 * DAY, 20 * DAY), Validity("b", 0, None)]
    needed = ("a", "b")

    assert requirements.valid_until(needed, spans, None, DAY) == 20 * DAY
    assert requirements.valid_until(needed, [spans[1], spans[2]], None, DAY) == DAY
    gap = [spans[0], Validity("a", 11 * DAY, 20 * DAY), spans[2]]
    assert requirements.valid_until(needed, gap, None, DAY) == 10 * DAY
    assert requirements.valid_until(("b",), spans, None, DAY) is None
    assert requirements.valid_until(("b",), spans, date(1970, 1, 2), DAY) == 2 * DAY
    assert requirements.standing(needed, spans[:1], 10 * DAY) == ((), ("b",), ("a",))


def test_an_individuals_passport_is_kept_with_the_person(engine: Engine) -> None:
    ids = counted_ids()
    with transaction(engine) as session:
        key = applied(session, a_trader(legal_form="individual"), ids=ids)
        offered(session, key, a_document("identity_document"), a_document("proof_of_address"),
                ids=ids)  # fmt: skip
        activation.apply_approved(session, approved(session, asked(session, key, ids=ids)), NOW)

        (person,) = people.of_participant(session, key)
        numbers = session.execute(text("SELECT number FROM participant_document")).scalars()
        assert (person.name, person.document_number) == ("Ida Okonkwo", "P1234567")
        assert "P1234567" not in set(numbers)
        assert participant(session, key).state == "active"


def test_an_erased_person_is_gone_everywhere_and_the_hashes_stay(engine: Engine) -> None:
    ids = counted_ids()
    key = activated(engine, ids=ids)
    with transaction(engine) as session:
        (person,) = people.of_participant(session, key)
        before = owners.digests(session, key)
        with pytest.raises(Conflict, match="owns or controls"):
            people.erase(session, key, person.id, actor="a:b", reason="asked", now=NOW)
        declared(session, key, an_owner(name="Somebody Else"), ids=ids)
        people.erase(session, key, person.id, actor="a:b", reason="asked", now=NOW)

        digest = session.execute(
            text("SELECT digest FROM natural_person WHERE id = :id"), {"id": person.id}
        ).scalar_one()
        assert [who for _role, _share, who in before] == [digest]
        with pytest.raises(PersonErasedAlready):
            people.erase(session, key, person.id, actor="a:b", reason="asked", now=NOW)
        with pytest.raises(NotFound):
            people.erase(session, key, "nat_other", actor="a:b", reason="asked", now=NOW)
    with engine.connect() as connection:
        for table in ("natural_person", "participant_owner", "participant_event", "outbox",
                      "approval_request", "participant_change"):  # fmt: skip
            everything = str(connection.execute(text(f"SELECT * FROM {table}")).all())
            assert "Ahlers" not in everything, table
        assert ERASED in str(connection.execute(text("SELECT name FROM natural_person")).all())
    with reading(engine) as session:
        assert events(session, key)[-1][0] == "erase"


def test_the_screening_reads_everybody_page_by_page_with_names_and_owners(engine: Engine) -> None:
    ids = counted_ids()
    key = activated(engine, ids=ids)
    with transaction(engine) as session:
        other = applied(session, a_trader(aliases=("Noor", "Nur")), ids=ids)
        line = an_owner(kind="participant", participant_id=key, name=None, country=None,
                        birth_date=None, share_bp=5_001)  # fmt: skip
        declared(session, other, line, an_owner(kind="company", share_bp=100, name="Holding"),
                 ids=ids)  # fmt: skip

    with reading(engine) as session:
        (first,) = screenable(session, limit=1)
        (second,) = screenable(session, after=first.participant_id, limit=9)
        assert screenables(session, [other, key]) == [first, second]
    assert (first.participant_id, second.participant_id) == (key, other)
    assert second.names == ("Nordlicht Pumpen GmbH", "Noor", "Nur")
    assert [(each.kind, each.share_bp, each.participant_id) for each in second.owners] == [
        ("participant", 5_001, key),
        ("company", 100, None),
    ]


def test_a_closed_file_is_renewed_by_nobody(engine: Engine) -> None:
    ids = counted_ids()
    key = activated(engine, ids=ids)
    with transaction(engine) as session:
        session.execute(text("UPDATE participant SET state = 'closed'"))

    with pytest.raises(IllegalMove), transaction(engine) as session:
        asked(session, key, ids=ids)
