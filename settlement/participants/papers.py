"""Documents that make a participant known: offered by one, accepted by another, good for a time.

Holds no file: its SHA-256 alone. Which kinds are needed is in `requirements.yaml`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from settlement.clock import Ids, to_micros
from settlement.errors import Conflict, Invalid, NotFound
from settlement.participants import identity, moves, people, requirements
from settlement.participants.people import NewPerson
from settlement.participants.requirements import Kind, Standing, Validity
from settlement.store.bulk import insert_rows, rows

NUMBER_MAX = 100
ISSUER_MAX = 140

_SHA256 = re.compile(r"[0-9a-f]{64}\Z", re.ASCII)
_COLUMNS = (
    "id", "participant_id", "kind", "number", "person_id", "issuer", "issued_on", "expires_on",
    "valid_from", "valid_until", "sha256", "offered_by", "live", "created_at",
)  # fmt: skip
_ACCEPT = text(
    "UPDATE participant_document SET accepted_by = :by, accepted_at = :at"
    " WHERE participant_id = :id AND live AND accepted_at IS NULL"
)
_WITHDRAW = text(
    "UPDATE participant_document SET live = false WHERE id = :id AND participant_id = :of AND live"
    " AND accepted_at IS NULL"
)
_RENEW = text("UPDATE participant SET kyb_valid_until = :until, review_on = :review WHERE id = :id")


class DocumentOffered(Conflict):
    """The same file is there already as a document of this kind."""

    def __init__(self, kind: str, sha256: str) -> None:
        super().__init__(
            f"a {kind} with SHA-256 {sha256[:12]}… is there already",
            field="sha256",
            repair="send the new document's own hash, or use the one that is there",
        )


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A document as it was looked at. Dates in ISO 8601."""

    kind: str
    number: str
    issuer: str
    issued_on: str
    sha256: str
    expires_on: str | None = None
    """The last day on which it is good."""
    holder_name: str | None = None
    """Of a document of a person: who it is about, in which country."""
    holder_country: str | None = None
    holder_birth_date: str | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A stored document; moments in microseconds."""

    id: str
    kind: str
    number: str
    person_id: str | None
    issuer: str
    issued_on: str
    expires_on: str | None
    valid_from: int
    valid_until: int | None
    sha256: str
    offered_by: str
    accepted_by: str | None
    accepted_at: int | None
    created_at: int


def offer(
    session: Session,
    participant_id: str,
    document: NewDocument,
    *,
    by: str,
    salt: str,
    ids: Ids,
    now: datetime,
) -> str:
    """Store a document that does not count before somebody else accepts it; return its id.

    `by` is the hand that offers it. A person's document keeps its number with the person.

    Raises:
        Invalid: a field is wrong; it says which.
        DocumentOffered: the same file is there.
    """
    kind = _check(document, now)
    issued = date.fromisoformat(document.issued_on)
    expires = None if document.expires_on is None else date.fromisoformat(document.expires_on)
    last = requirements.ends_at(kind, issued, expires)
    person_id = None
    if kind.of_person:
        person = NewPerson(
            str(document.holder_name),
            str(document.holder_country),
            document.holder_birth_date,
            document.number,
        )
        person_id = people.store(session, person, salt=salt, ids=ids, now=now, prefix="holder_")
    key = ids("doc")
    row = (
        key, participant_id, kind.name, "" if kind.of_person else document.number, person_id,
        document.issuer, document.issued_on, document.expires_on, requirements.start_of(issued),
        None if last is None else requirements.end_of(last), document.sha256, by, True,
        to_micros(now),
    )  # fmt: skip
    try:
        with session.begin_nested():
            insert_rows(session, "participant_document", _COLUMNS, [row])
    except IntegrityError as error:
        raise DocumentOffered(kind.name, document.sha256) from error
    return key


def withdraw(session: Session, participant_id: str, document_id: str) -> None:
    """Take back a document that nobody has accepted.

    Raises:
        NotFound: there is none that waits.
    """
    values = {"id": document_id, "of": participant_id}
    if not session.connection().execute(_WITHDRAW, values).rowcount:
        raise NotFound("document that waits", document_id)


def accept(session: Session, participant_id: str, *, by: str, now: datetime) -> int:
    """Let all that was offered count from now on; return how many. `by` has offered none of it."""
    values = {"id": participant_id, "by": by, "at": to_micros(now)}
    return session.connection().execute(_ACCEPT, values).rowcount


def renew(
    session: Session, participant_id: str, form: str, review_on: date | None, now: datetime
) -> int | None:
    """Write down until when the accepted documents and the review reach; return that moment."""
    spans = [_validity(each) for each in documents(session, participant_id) if each.accepted_at]
    needed = requirements.load().required[form]
    until = requirements.valid_until(needed, spans, review_on, to_micros(now))
    review = None if review_on is None else review_on.isoformat()
    session.execute(_RENEW, {"id": participant_id, "until": until, "review": review})
    return until


def standing(session: Session, participant_id: str, form: str, now: datetime) -> Standing:
    """Return what the documents come to, with those that still wait to be accepted."""
    spans = [_validity(each) for each in documents(session, participant_id)]
    return requirements.standing(requirements.load().required[form], spans, to_micros(now))


def documents(session: Session, participant_id: str) -> Sequence[Document]:
    """Return a participant's documents, oldest first; without those taken back."""
    found = rows(
        session,
        "SELECT id, kind, number, person_id, issuer, issued_on, expires_on, valid_from,"
        " valid_until, sha256, offered_by, accepted_by, accepted_at, created_at"
        " FROM participant_document WHERE participant_id = ? AND live ORDER BY id",
        (participant_id,),
    )
    return [Document(*row) for row in found]


def note_offer(
    session: Session, participant_id: str, document_id: str, *, actor: str, now: datetime
) -> None:
    """Write the event of an offer."""
    moves.note(
        session, participant_id, "document", actor=actor, now=now, detail={"document": document_id}
    )


def _validity(document: Document) -> Validity:
    return Validity(document.kind, document.valid_from, document.valid_until)


def _check(document: NewDocument, now: datetime) -> Kind:
    kinds = requirements.load().kinds
    kind = kinds.get(document.kind)
    if kind is None:
        raise Invalid(
            f"kind {document.kind[:40]!r} is not known",
            field="kind",
            repair=f"one of {', '.join(sorted(kinds))}",
        )
    is_held = document.holder_name is not None and document.holder_country is not None
    issued_fault = _date_fault(document.issued_on, latest=now.date())
    identity.refuse(
        [
            ("number", None, identity.line_fault(document.number, most=NUMBER_MAX)),
            ("issuer", document.issuer, identity.line_fault(document.issuer, most=ISSUER_MAX)),
            ("issued_on", document.issued_on, issued_fault),
            ("expires_on", document.expires_on,
             _expiry_fault(kind, document, now) if not issued_fault else ""),
            ("sha256", document.sha256,
             "" if _SHA256.match(document.sha256) else "64 lower-case hexadecimal digits"),
            ("holder_name", None,
             "a person's document names its holder, with the country" if kind.of_person
             and not is_held else ""),
        ]
    )  # fmt: skip
    return kind


def _expiry_fault(kind: Kind, document: NewDocument, now: datetime) -> str:
    if document.expires_on is None:
        if kind.needs_expiry:
            return f"a document of kind {kind.name} has a last day"
        issued = date.fromisoformat(document.issued_on)
        last = requirements.ends_at(kind, issued, None)
        is_over = last is not None and last < now.date()
        return f"it is older than {kind.age_days} days: send a newer one" if is_over else ""
    fault = _date_fault(document.expires_on)
    if fault:
        return fault
    if date.fromisoformat(document.expires_on) < now.date():
        return "that day has passed"
    is_before = document.expires_on < document.issued_on
    return "it ends before it was issued" if is_before else ""


def _date_fault(value: str, *, latest: date | None = None) -> str:
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return "a date as YYYY-MM-DD"
    if day.isoformat() != value or day.year < 1900 or day.year > 9998:
        return "a date as YYYY-MM-DD"
    return "that day is still to come" if latest is not None and day > latest else ""
