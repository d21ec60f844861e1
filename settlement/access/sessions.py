"""Sessions of people who signed in: 256 random bits in a cookie, a keyed hash in the database.

Knows no cookie; who may begin one is the doors' affair.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import text
from sqlmodel import Session

from settlement.clock import Ids, to_micros
from settlement.errors import NotFound

TOKEN_BYTES = 32
AGENT_MAX = 200

_INSERT = text(
    "INSERT INTO person_session (id, token_hash, person_id, stage, method, address, agent,"
    " created_at, last_seen_at, expires_at) VALUES (:id, :token_hash, :person_id, :stage, :method,"
    " :address, :agent, :at, :at, :expires_at)"
)
_COLUMNS = (
    "s.id, s.person_id, s.stage, s.method, s.address, s.agent, s.created_at, s.last_seen_at,"
    " s.expires_at, s.revoked_at, p.role, p.participant_id, p.state"
)
_FROM = "FROM person_session s JOIN person p ON p.id = s.person_id"
_FIND = text(f"SELECT {_COLUMNS} {_FROM} WHERE s.token_hash = :token_hash")
_LIST = text(
    f"SELECT {_COLUMNS} {_FROM} WHERE s.person_id = :person_id AND s.revoked_at IS NULL"
    " AND s.expires_at > :at AND s.last_seen_at > :seen_since AND s.stage = 'full'"
    " ORDER BY s.id DESC LIMIT 100"
)
_REVOKE = text(
    "UPDATE person_session SET revoked_at = :at"
    " WHERE id = :id AND person_id = :person_id AND revoked_at IS NULL"
)
_REVOKE_OTHERS = text(
    "UPDATE person_session SET revoked_at = :at"
    " WHERE person_id = :person_id AND id <> :id AND revoked_at IS NULL"
)
_SEEN = text(
    "UPDATE person_session SET last_seen_at = :at WHERE id = :prefix AND last_seen_at < :at"
)


class Stage(StrEnum):
    """How far a sign-in has come."""

    CODE = "code"
    """The password was right; the second factor is to be shown."""
    ENROL = "enrol"
    """The same, and the second factor is to be set up first."""
    PASSWORD = "password"
    """Both were right; a password that somebody else has chosen is to be changed."""
    FULL = "full"


class PersonSession(NamedTuple):
    """A session as stored, with what its person is."""

    id: str
    person_id: str
    stage: str
    method: str
    address: str
    agent: str
    created_at: int
    last_seen_at: int
    expires_at: int
    revoked_at: int | None
    role: str
    participant_id: str | None
    person_state: str

    def is_alive(self, now: datetime, idle: timedelta) -> bool:
        """Whether it is taken: not ended, not too old, not idle for too long, its person active."""
        at = to_micros(now)
        return (
            self.revoked_at is None
            and at < self.expires_at
            and at < self.last_seen_at + idle // timedelta(microseconds=1)
            and self.person_state == "active"
        )


def begin(
    session: Session,
    pepper: bytes,
    person_id: str,
    *,
    stage: Stage,
    method: str,
    address: str,
    agent: str,
    lifetime: timedelta,
    ids: Ids,
    now: datetime,
) -> str:
    """Store a session and return its token."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    values = {
        "id": ids("ses"), "token_hash": hashed(pepper, token), "person_id": person_id,
        "stage": stage.value, "method": method, "address": address,
        "agent": agent[:AGENT_MAX], "at": to_micros(now), "expires_at": to_micros(now + lifetime),
    }  # fmt: skip
    session.connection().execute(_INSERT, values)
    return token


def find(session: Session, pepper: bytes, token: str) -> PersonSession | None:
    """Return the session of a token, alive or not."""
    values = {"token_hash": hashed(pepper, token)}
    found = session.connection().execute(_FIND, values).one_or_none()
    return None if found is None else PersonSession(*found)


def alive(session: Session, person_id: str, now: datetime, idle: timedelta) -> list[PersonSession]:
    """Return a person's sessions that are alive, newest first."""
    values = {"person_id": person_id, "at": to_micros(now), "seen_since": to_micros(now - idle)}
    return [PersonSession(*row) for row in session.connection().execute(_LIST, values)]


def end(session: Session, session_id: str, person_id: str, now: datetime) -> None:
    """End one of a person's sessions.

    Raises:
        NotFound: the person has no such session that is not ended.
    """
    values = {"id": session_id, "person_id": person_id, "at": to_micros(now)}
    if not session.connection().execute(_REVOKE, values).rowcount:
        raise NotFound("session", session_id)


def end_others(session: Session, session_id: str, person_id: str, now: datetime) -> None:
    """End all of a person's sessions but one."""
    values = {"id": session_id, "person_id": person_id, "at": to_micros(now)}
    session.connection().execute(_REVOKE_OTHERS, values)


def note_uses(session: Session, uses: Mapping[str, int]) -> None:
    """Keep when sessions (id: microseconds) were last used."""
    if uses:
        rows = [{"prefix": prefix, "at": at} for prefix, at in sorted(uses.items())]
        session.connection().execute(_SEEN, rows)


def csrf_token(pepper: bytes, token: str) -> str:
    """Return what a request that changes something shows besides the cookie."""
    return hmac.new(pepper, b"csrf:" + token.encode(), "sha256").hexdigest()


def hashed(pepper: bytes, token: str) -> str:
    """Return what is stored of a token."""
    return hmac.new(pepper, b"session:" + token.encode(), "sha256").hexdigest()
