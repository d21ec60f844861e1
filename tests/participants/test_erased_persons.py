"""What is left of a person who is erased, and who may not be."""

import pytest
from sqlalchemy import Engine, text

from settlement.clock import counted_ids
from settlement.errors import Conflict
from settlement.participants import activation, owners, participant, people
from settlement.participants.changes import Wanted
from settlement.participants.people import NewPerson, PersonErasedAlready
from settlement.store import transaction
from tests.participants.changing import proposed
from tests.participants.files import (
    NOW,
    SALT,
    a_document,
    a_trader,
    activated,
    an_owner,
    applied,
    approved,
    asked,
    offered,
)


def test_nothing_of_a_persons_fields_is_left_and_no_salt_to_guess_them_by(engine: Engine) -> None:
    ids = counted_ids()
    with transaction(engine) as session:
        key = applied(session, a_trader(legal_form="individual"), ids=ids)
        assert participant(session, key).known_by == "documents", "and not on anybody's word"
        papers = [a_document(kind) for kind in ("identity_document", "proof_of_address")]
        offered(session, key, *papers, ids=ids)
        activation.apply_approved(session, approved(session, asked(session, key, ids=ids)), NOW)
        (person,) = people.of_participant(session, key)
        session.execute(text("UPDATE natural_person SET birth_date = '1971-03-04'"))
        digest = session.execute(text("SELECT digest FROM natural_person")).scalar_one()

        people.erase(session, key, person.id, actor="compliance:per_cat", reason="asked", now=NOW)

        row = session.execute(
            text("SELECT name, birth_date, document_number, salt, digest FROM natural_person")
        ).one()
    assert tuple(row) == ("[erased]", None, None, "", digest)


def test_a_persons_digest_is_over_a_salt_and_every_field() -> None:
    ida = NewPerson("Ida Okonkwo", "NG", "1971-03-04", "P1")
    others = [
        people.digest(ida, "5b" * 16),
        people.digest(NewPerson("Ida Okonkwo", "GH", "1971-03-04", "P1"), SALT),
        people.digest(NewPerson("Ida Okonkwo", "NG", "1971-03-05", "P1"), SALT),
        people.digest(NewPerson("Ida Okonkwo", "NG", "1971-03-04", "P2"), SALT),
        people.digest(NewPerson("Ida Okonkwa", "NG", "1971-03-04", "P1"), SALT),
    ]

    assert people.digest(ida, SALT) not in others and len(set(others)) == 5


def test_a_person_whom_a_waiting_declaration_names_is_not_erased_and_one_erased_never_counts(
    engine: Engine,
) -> None:
    key = activated(engine)
    ids = counted_ids(700)
    with transaction(engine) as session:
        made = owners.declare(
            session, key, [an_owner(name="Ola Nord")], salts=lambda: SALT, ids=ids, now=NOW
        )
        (named,) = [each for each in people.of_participant(session, key) if each.name == "Ola Nord"]
        proposed(session, key, Wanted("owners", "owners", {"owner_ids": made}))

        with pytest.raises(Conflict, match="waits for its approval"):
            people.erase(session, key, named.id, actor="a", reason="asked", now=NOW)
        session.execute(text("UPDATE natural_person SET erased_at = 1 WHERE id = :id"),
                        {"id": named.id})  # fmt: skip
        with pytest.raises(PersonErasedAlready):
            owners.count_from_now(session, key, made)
