"""Natural persons behind participants: stored in one table, and erased there.

What stays after an erasure is a digest that nobody can turn back: its salt is gone too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256

import orjson
from sqlalchemy import text
from sqlmodel import Session

from settlement.clock import Ids, to_micros
from settlement.errors import Conflict, Invalid, NotFound
from settlement.participants import change_records, identity, moves
from settlement.participants.profiles import ERASED
from settlement.store import row_lock
from settlement.store.bulk import insert_rows, rows, rows_by_key

NUMBER_MAX = 40
SALT_DIGITS = 32

_COLUMNS = (
    "id", "key_id", "name", "country", "birth_date", "document_number", "salt", "digest",
    "created_at",
)  # fmt: skip
_ERASE = text(
    "UPDATE natural_person SET name = :erased, birth_date = NULL, document_number = NULL,"
    " salt = '', erased_at = :at WHERE id = :id AND erased_at IS NULL"
)
_FIND = "SELECT id, name, country, birth_date, document_number, erased_at FROM natural_person"


class PersonErasedAlready(Conflict):
    """Nothing is left of this person's fields."""

    def __init__(self, person_id: str) -> None:
        super().__init__(
            f"the fields of {person_id} were erased",
            repair="name a person who is not erased; refuse a change that names this one",
        )


@dataclass(frozen=True, slots=True)
class NewPerson:
    """A person as it is told by a participant."""

    name: str
    country: str
    birth_date: str | None = None
    """ISO 8601."""
    document_number: str | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """A stored person; `erased_at` in microseconds."""

    id: str
    name: str
    country: str
    birth_date: str | None
    document_number: str | None
    erased_at: int | None


def check(person: NewPerson, prefix: str, today: date) -> None:
    """Return quietly if every field is what it should be.

    Raises:
        Invalid: one is not.
    """
    number = person.document_number or ""
    identity.refuse(
        [
            ("name", None, identity.line_fault(person.name)),
            ("country", person.country, identity.country_fault(person.country)),
            ("birth_date", None, _birth_fault(person.birth_date, today)),
            ("document_number", None,
             identity.line_fault(number, most=NUMBER_MAX, needed=False)),
        ],
        prefix,
    )  # fmt: skip


def store(
    session: Session, person: NewPerson, *, salt: str, ids: Ids, now: datetime, prefix: str = ""
) -> str:
    """Store a person and return its id. `salt`: `SALT_DIGITS` random hexadecimal digits.

    Raises:
        Invalid: a field is wrong, or somebody asks to store the word for what is erased.
    """
    check(person, prefix, now.date())
    if person.name.strip() == ERASED:
        raise Invalid("this is no name", field=f"{prefix}name", repair="send the person's name")
    assert len(salt) == SALT_DIGITS, "a digest without a salt could be guessed"
    person_id = ids("nat")
    row = (
        person_id, person_id, person.name, person.country, person.birth_date,
        person.document_number, salt, digest(person, salt), to_micros(now),
    )  # fmt: skip
    insert_rows(session, "natural_person", _COLUMNS, [row])
    return person_id


def digest(person: NewPerson, salt: str) -> str:
    """Return the SHA-256 over salt and fields: what is kept for good. Pure."""
    fields = [salt, person.name, person.country, person.birth_date, person.document_number]
    return sha256(orjson.dumps(fields)).hexdigest()


def of_participant(session: Session, participant_id: str) -> list[Person]:
    """Return the persons behind a participant, those of earlier declarations among them."""
    found = rows(
        session,
        f"{_FIND} WHERE id IN (SELECT person_id FROM participant_owner WHERE participant_id = ?"
        " UNION SELECT person_id FROM participant_document WHERE participant_id = ?) ORDER BY id",
        (participant_id, participant_id),
    )
    return [Person(*row) for row in found]


def persons(session: Session, person_ids: list[str]) -> dict[str, Person]:
    """Return persons by their ids."""
    return {
        row[0]: Person(*row)
        for row in rows_by_key(session, f"{_FIND} WHERE id {{keys}}", person_ids)
    }


def erase(
    session: Session, participant_id: str, person_id: str, *, actor: str, reason: str, now: datetime
) -> None:
    """Overwrite a person's fields; owner rows, documents, events and digests stay.

    A person who still owns or controls an open participant is not erased: there is a duty to know.
    Nor is one whom a declaration names that waits: it would count without anybody being known.

    Raises:
        NotFound: nobody of this id is behind this participant.
        PersonErasedAlready, Conflict: it is done, or must not be.
    """
    known = {each.id: each for each in of_participant(session, participant_id)}
    if person_id not in known:
        raise NotFound("person", person_id)
    if known[person_id].erased_at is not None:
        raise PersonErasedAlready(person_id)
    _lock(session, [person_id])
    still = rows(
        session,
        "SELECT 1 FROM participant_owner o JOIN participant p ON p.id = o.participant_id"
        " WHERE o.person_id = ? AND o.live AND p.state <> 'closed'",
        (person_id,),
    )
    if still:
        raise Conflict(
            f"{person_id} owns or controls an open participant",
            field="person_id",
            repair="declare the owners anew, or close the participant, before the erasure",
        )
    _require_undeclared(session, participant_id, person_id)
    values = {"id": person_id, "erased": ERASED, "at": to_micros(now)}
    if session.connection().execute(_ERASE, values).rowcount != 1:
        raise PersonErasedAlready(person_id)
    moves.note(
        session, participant_id, "erase", actor=actor, reason=reason, now=now,
        detail={"person_id": person_id},
    )  # fmt: skip


def require_known(session: Session, person_ids: list[str]) -> None:
    """Return quietly if no person is erased, and keep it so until the commit.

    Raises:
        PersonErasedAlready: one is.
    """
    _lock(session, person_ids)
    for found in persons(session, person_ids).values():
        if found.erased_at is not None:
            raise PersonErasedAlready(found.id)


def _lock(session: Session, person_ids: list[str]) -> None:
    # Whoever erases and whoever approves take turns: each sees what the other has done.
    lock = row_lock(session, "n")
    rows_by_key(
        session, f"SELECT n.id FROM natural_person n WHERE n.id {{keys}} ORDER BY n.id{lock}",
        person_ids,
    )  # fmt: skip


def _require_undeclared(session: Session, participant_id: str, person_id: str) -> None:
    owner_ids = rows(session, "SELECT id FROM participant_owner WHERE person_id = ?", (person_id,))
    lines = {key for (key,) in owner_ids}
    for change in change_records.pending(session, participant_id, "owners"):
        if lines & set(change.terms["owner_ids"]):
            raise Conflict(
                f"a declaration that waits for its approval names {person_id}",
                field="person_id",
                repair=f"decide about change {change.id} first, or withdraw it",
            )


def _birth_fault(value: str | None, today: date) -> str:
    if value is None:
        return ""
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return "a date as YYYY-MM-DD"
    return "" if date(1890, 1, 1) <= day <= today else "no day on which somebody alive was born"
