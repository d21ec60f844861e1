"""People: registered, disabled, erased; their names and addresses sealed under their own keys.

How they prove who they are is `credentials`' affair, what they may do the gateway's.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import text
from sqlmodel import Session

from settlement.access.roles import OF_A_COMPANY, Role
from settlement.access.vault import Vault
from settlement.clock import Ids, to_micros
from settlement.errors import Conflict, Invalid, NotFound

_EMAIL = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,190}\Z")
_INSERT = text(
    "INSERT INTO person (id, name_sealed, email_sealed, email_digest, role, participant_id, state,"
    " oidc_issuer, oidc_subject, created_by, created_at, changed_at) VALUES (:id, :name, :email,"
    " :digest, :role, :participant_id, 'active', :issuer, :subject, :created_by, :at, :at)"
)
_COLUMNS = (
    "id, name_sealed, email_sealed, role, participant_id, state, oidc_issuer, oidc_subject,"
    " created_by, created_at, erased_at"
)
_ONE = text(f"SELECT {_COLUMNS} FROM person WHERE id = :id")
_BY_EMAIL = text(f"SELECT {_COLUMNS} FROM person WHERE email_digest = :digest")
_BY_SUBJECT = text(
    f"SELECT {_COLUMNS} FROM person WHERE oidc_issuer = :issuer AND oidc_subject = :subject"
)
_LIST = text(
    f"SELECT {_COLUMNS} FROM person WHERE (CAST(:after AS TEXT) IS NULL OR id < :after)"
    " ORDER BY id DESC LIMIT :limit"
)
_MOVE = text(
    "UPDATE person SET state = :to, changed_at = :at WHERE id = :id AND state = :from_state"
)
_BIND = text("UPDATE person SET oidc_issuer = :issuer, oidc_subject = :subject WHERE id = :id")
_ERASE = text(
    "UPDATE person SET state = 'erased', erased_at = :at, changed_at = :at, email_digest = NULL,"
    " oidc_issuer = NULL, oidc_subject = NULL WHERE id = :id AND state <> 'erased'"
)
_END_KEYS = text(
    "UPDATE api_key SET revoked_at = :at, revoked_by = :by"
    " WHERE person_id = :id AND revoked_at IS NULL"
)
_END_SESSIONS = text(
    "UPDATE person_session SET revoked_at = :at WHERE person_id = :id AND revoked_at IS NULL"
)
_FORGET_AGENTS = text("UPDATE person_session SET address = '', agent = '' WHERE person_id = :id")
_FORGET_CREDENTIAL = text("DELETE FROM credential WHERE person_id = :id")
_FORGET_CODES = text("DELETE FROM recovery_code WHERE person_id = :id")
_PARTICIPANT = text("SELECT 1 FROM participant WHERE id = :id")


class PersonExists(Conflict):
    """Somebody is registered with this address, or this account at the provider, already."""

    def __init__(self) -> None:
        super().__init__(
            "somebody is registered with this e-mail address or account already",
            field="email",
            repair="use the person that is there, or another address",
        )


class PersonNotActive(Conflict):
    """The person is disabled or erased."""

    def __init__(self, person_id: str, state: str) -> None:
        super().__init__(
            f"{person_id} is {state}",
            field="person_id",
            repair="enable the person first; who is erased does not come back",
        )


@dataclass(frozen=True, slots=True)
class NewPerson:
    """Who is registered. An account at an OpenID provider is bound at once, or never."""

    name: str
    email: str
    role: Role
    participant_id: str | None = None
    oidc_issuer: str | None = None
    oidc_subject: str | None = None


class Person(NamedTuple):
    """A person as stored; the sealed fields are opened by `shown`."""

    id: str
    name_sealed: bytes
    email_sealed: bytes
    role: str
    participant_id: str | None
    state: str
    oidc_issuer: str | None
    oidc_subject: str | None
    created_by: str
    created_at: int
    erased_at: int | None

    def name(self, session: Session, vault: Vault) -> str | None:
        """The name; None: erased."""
        return vault.opened(session, self.id, bytes(self.name_sealed))

    def email(self, session: Session, vault: Vault) -> str | None:
        """The e-mail address; None: erased."""
        return vault.opened(session, self.id, bytes(self.email_sealed))


def add(
    session: Session,
    vault: Vault,
    pepper: bytes,
    wanted: NewPerson,
    *,
    created_by: str,
    ids: Ids,
    now: datetime,
) -> Person:
    """Register a person.

    Raises:
        Invalid: no name, no address, or a company's role without its company.
        NotFound: there is no such participant.
        PersonExists: the address is taken.
    """
    _require_sound(session, wanted)
    if by_email(session, pepper, wanted.email) is not None:
        raise PersonExists
    if by_subject(session, wanted.oidc_issuer, wanted.oidc_subject) is not None:
        raise PersonExists
    identifier = ids("per")
    values = {
        "id": identifier,
        "name": vault.seal(session, identifier, wanted.name.strip(), now),
        "email": vault.seal(session, identifier, wanted.email.strip(), now),
        "digest": email_digest(pepper, wanted.email),
        "role": wanted.role.value,
        "participant_id": wanted.participant_id,
        "issuer": wanted.oidc_issuer,
        "subject": wanted.oidc_subject,
        "created_by": created_by,
        "at": to_micros(now),
    }
    session.connection().execute(_INSERT, values)
    return one(session, identifier)


def one(session: Session, person_id: str) -> Person:
    """Return a person.

    Raises:
        NotFound: there is none.
    """
    found = session.connection().execute(_ONE, {"id": person_id}).one_or_none()
    if found is None:
        raise NotFound("person", person_id)
    return Person(*found)


def by_email(session: Session, pepper: bytes, email: str) -> Person | None:
    """Return the person with this address, if there is one."""
    values = {"digest": email_digest(pepper, email)}
    found = session.connection().execute(_BY_EMAIL, values).one_or_none()
    return None if found is None else Person(*found)


def by_subject(session: Session, issuer: str | None, subject: str | None) -> Person | None:
    """Return the person with this account at an OpenID provider, if there is one."""
    values = {"issuer": issuer, "subject": subject}
    found = session.connection().execute(_BY_SUBJECT, values).one_or_none()
    return None if found is None else Person(*found)


def listed(session: Session, *, limit: int, after: str | None = None) -> list[Person]:
    """Return people, newest first."""
    rows = session.connection().execute(_LIST, {"limit": limit, "after": after})
    return [Person(*row) for row in rows]


def disable(session: Session, person_id: str, *, by: str, now: datetime) -> None:
    """Shut a person out at once: keys and sessions end.

    Raises:
        NotFound, PersonNotActive: not there, or not active.
    """
    _move(session, person_id, "active", "disabled", now)
    values = {"id": person_id, "at": to_micros(now), "by": by}
    session.connection().execute(_END_KEYS, values)
    end_sessions(session, person_id, now)


def enable(session: Session, person_id: str, *, now: datetime) -> None:
    """Let a disabled person in again; keys that ended stay ended.

    Raises:
        NotFound, PersonNotActive: not there, or not disabled.
    """
    _move(session, person_id, "disabled", "active", now)


def erase(session: Session, vault: Vault, person_id: str, *, by: str, now: datetime) -> None:
    """Delete what is personal for good; the id stays, so that history stays true.

    Raises:
        NotFound: there is no such person.
    """
    one(session, person_id)
    values = {"id": person_id, "at": to_micros(now), "by": by}
    session.connection().execute(_END_KEYS, values)
    end_sessions(session, person_id, now)
    for statement in (_ERASE, _FORGET_AGENTS, _FORGET_CREDENTIAL, _FORGET_CODES):
        session.connection().execute(statement, values)
    vault.erase(session, person_id, now)


def end_sessions(session: Session, person_id: str, now: datetime) -> None:
    """End every session of a person."""
    values = {"id": person_id, "at": to_micros(now)}
    session.connection().execute(_END_SESSIONS, values)


def bind(session: Session, person_id: str, *, issuer: str, subject: str) -> None:
    """Remember which account at an OpenID provider is this person's."""
    values = {"id": person_id, "issuer": issuer, "subject": subject}
    session.connection().execute(_BIND, values)


def email_digest(pepper: bytes, email: str) -> str:
    """Return what finds a person by their address: a hash under the installation's secret."""
    plain = b"email:" + email.strip().lower().encode()
    return hmac.new(pepper, plain, "sha256").hexdigest()


def _move(session: Session, person_id: str, from_state: str, to: str, now: datetime) -> None:
    values = {"id": person_id, "from_state": from_state, "to": to, "at": to_micros(now)}
    if not session.connection().execute(_MOVE, values).rowcount:
        raise PersonNotActive(person_id, one(session, person_id).state)


def _require_sound(session: Session, wanted: NewPerson) -> None:
    if not 0 < len(wanted.name.strip()) <= 200 or not wanted.name.isprintable():
        raise Invalid("a person has a name", field="name", repair="give 1 to 200 characters")
    if not _EMAIL.fullmatch(wanted.email.strip()):
        raise Invalid(
            "that is no e-mail address", field="email", repair="give one as name@example.com"
        )
    is_of_a_company = wanted.role in OF_A_COMPANY
    if is_of_a_company != (wanted.participant_id is not None):
        raise Invalid(
            f"role {wanted.role} is {'a' if is_of_a_company else 'no'} company's",
            field="participant_id",
            repair="name the company of an exporter or importer, and of nobody else",
        )
    if wanted.participant_id is None:
        return
    found = session.connection().execute(_PARTICIPANT, {"id": wanted.participant_id}).scalar()
    if found is None:
        raise NotFound("participant", wanted.participant_id)
