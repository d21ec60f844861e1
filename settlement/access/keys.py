"""API keys: 256 random bits, shown once, stored as a keyed hash, each with a role and a hand.

Does not know what a role may do, nor who may ask for a key: the doors do.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import text
from sqlmodel import Session

from settlement.access.roles import OF_A_COMPANY, Role
from settlement.clock import from_micros, to_micros
from settlement.errors import Conflict, Invalid, NotFound

KEY_BYTES = 32
PREFIX_LENGTH = len("stk_") + 12

_COLUMNS = (
    "prefix, role, participant_id, person_id, scopes, label, per_minute, issued_by, rotated_from,"
    " last_used_at, expires_at, revoked_at, revoked_by, created_at"
)
_INSERT = text(
    "INSERT INTO api_key (prefix, key_hash, role, participant_id, person_id, scopes, label,"
    " per_minute, issued_by, rotated_from, expires_at, revoked_by, created_at) VALUES (:prefix,"
    " :key_hash, :role, :participant_id, :person_id, :scopes, :label, :per_minute, :issued_by,"
    " :rotated_from, :expires_at, '', :created_at)"
)
_REVOKE = text(
    "UPDATE api_key SET revoked_at = :at, revoked_by = :by"
    " WHERE prefix = :prefix AND revoked_at IS NULL"
)
_EXPIRE = text(
    "UPDATE api_key SET expires_at = :at WHERE prefix = :prefix AND revoked_at IS NULL"
    " AND (expires_at IS NULL OR expires_at > :at)"
)
_USED = text(
    "UPDATE api_key SET last_used_at = :at WHERE prefix = :prefix"
    " AND (last_used_at IS NULL OR last_used_at < :at)"
)
_ONE = text(f"SELECT {_COLUMNS} FROM api_key WHERE prefix = :prefix")
_LIST = text(
    f"SELECT {_COLUMNS} FROM api_key WHERE (CAST(:role AS TEXT) IS NULL OR role = :role)"
    " AND (CAST(:person AS TEXT) IS NULL OR person_id = :person)"
    " AND (CAST(:participant AS TEXT) IS NULL OR participant_id = :participant)"
    " AND (CAST(:after AS TEXT) IS NULL OR (created_at, prefix) <"
    " (SELECT created_at, prefix FROM api_key WHERE prefix = :after))"
    " ORDER BY created_at DESC, prefix DESC LIMIT :limit"
)
_REPLACEMENT = text(
    "SELECT prefix FROM api_key WHERE rotated_from = :prefix AND revoked_at IS NULL"
)
_COMPANY_OF = text("SELECT participant_id FROM person WHERE id = :id")
_KNOWN = {
    "participant": text("SELECT 1 FROM participant WHERE id = :id"),
    "person": text("SELECT 1 FROM person WHERE id = :id AND state = 'active'"),
}


class KeyRotated(Conflict):
    """A key is rotated once; its replacement is rotated next."""

    def __init__(self, prefix: str, replacement: str) -> None:
        super().__init__(
            f"{prefix} was rotated already: {replacement} replaces it",
            field="prefix",
            repair=f"rotate {replacement}, or revoke it first",
        )


@dataclass(frozen=True, slots=True)
class NewKey:
    """What a key is issued for. `scopes`: groups of routes, by spaces; they only narrow."""

    role: Role
    participant_id: str | None = None
    person_id: str | None = None
    scopes: str = ""
    label: str = ""
    per_minute: int | None = None
    expires: datetime | None = None


class StoredKey(NamedTuple):
    """A key as it is stored, without its hash."""

    prefix: str
    role: str
    participant_id: str | None
    person_id: str | None
    scopes: str
    label: str
    per_minute: int | None
    issued_by: str
    rotated_from: str | None
    last_used_at: int | None
    expires_at: int | None
    revoked_at: int | None
    revoked_by: str
    created_at: int

    def is_in_force(self, now: datetime) -> bool:
        """Whether a request with it is taken."""
        is_over = self.expires_at is not None and self.expires_at <= to_micros(now)
        return self.revoked_at is None and not is_over


def issue(
    session: Session,
    pepper: bytes,
    wanted: NewKey,
    *,
    issued_by: str,
    now: datetime,
    rotated_from: str | None = None,
) -> str:
    """Store a new key and return it: nobody can read it a second time.

    Raises:
        Invalid: an exporter's or importer's key without its company, or a company's person with
            a key that is not of that company.
        NotFound: there is no such participant, or no such active person.
    """
    if wanted.role in OF_A_COMPANY and wanted.participant_id is None:
        raise Invalid(
            f"a key for role {wanted.role} belongs to a participant",
            field="participant_id",
            repair="name the participant whose invoices it may see",
        )
    _require_known(session, "participant", wanted.participant_id)
    _require_known(session, "person", wanted.person_id)
    _require_same_company(session, wanted)
    prefix = f"stk_{secrets.token_hex(6)}"
    key = f"{prefix}_{secrets.token_urlsafe(KEY_BYTES)}"
    row = {
        "prefix": prefix,
        "key_hash": hashed(pepper, key),
        "role": wanted.role.value,
        "participant_id": wanted.participant_id,
        "person_id": wanted.person_id,
        "scopes": wanted.scopes,
        "label": wanted.label,
        "per_minute": wanted.per_minute,
        "issued_by": issued_by,
        "rotated_from": rotated_from,
        "expires_at": None if wanted.expires is None else to_micros(wanted.expires),
        "created_at": to_micros(now),
    }
    session.connection().execute(_INSERT, row)
    return key


def rotate(
    session: Session,
    pepper: bytes,
    prefix: str,
    *,
    overlap: timedelta,
    issued_by: str,
    now: datetime,
    expires: datetime | None = None,
) -> str:
    """Return a key that may do the same; the old one ends when the overlap is over.

    Raises:
        NotFound: no key in force has this prefix.
        KeyRotated: it was rotated before.
    """
    old = one(session, prefix)
    if not old.is_in_force(now):
        raise NotFound("API key in force", prefix)
    replacement = session.connection().execute(_REPLACEMENT, {"prefix": prefix}).scalar()
    if replacement is not None:
        raise KeyRotated(prefix, replacement)
    ends = to_micros(now + overlap)
    session.connection().execute(_EXPIRE, {"prefix": prefix, "at": ends})
    wanted = NewKey(
        role=Role(old.role),
        participant_id=old.participant_id,
        person_id=old.person_id,
        scopes=old.scopes,
        label=old.label,
        per_minute=old.per_minute,
        expires=expires or (None if old.expires_at is None else from_micros(old.expires_at)),
    )
    return issue(session, pepper, wanted, issued_by=issued_by, now=now, rotated_from=prefix)


def revoke(session: Session, prefix: str, now: datetime, *, revoked_by: str = "machine") -> None:
    """End a key at once.

    Raises:
        NotFound: no key in force has this prefix.
    """
    values = {"prefix": prefix, "at": to_micros(now), "by": revoked_by}
    if not session.connection().execute(_REVOKE, values).rowcount:
        raise NotFound("API key in force", prefix)


def one(session: Session, prefix: str) -> StoredKey:
    """Return a key by its prefix.

    Raises:
        NotFound: there is none.
    """
    found = session.connection().execute(_ONE, {"prefix": prefix}).one_or_none()
    if found is None:
        raise NotFound("API key", prefix)
    return StoredKey(*found)


def listed(
    session: Session,
    *,
    limit: int,
    after: str | None = None,
    role: str | None = None,
    person_id: str | None = None,
    participant_id: str | None = None,
) -> list[StoredKey]:
    """Return keys, newest first."""
    values = {
        "limit": limit, "after": after, "role": role,
        "person": person_id, "participant": participant_id,
    }  # fmt: skip
    return [StoredKey(*row) for row in session.connection().execute(_LIST, values)]


def note_uses(session: Session, uses: Mapping[str, int]) -> None:
    """Keep when keys (prefix: microseconds) were last used."""
    if uses:
        rows = [{"prefix": prefix, "at": at} for prefix, at in sorted(uses.items())]
        session.connection().execute(_USED, rows)


def hashed(pepper: bytes, key: str) -> str:
    """Return what is stored of a key: HMAC-SHA256 under the installation's secret."""
    return hmac.new(pepper, key.encode(), "sha256").hexdigest()


def _require_same_company(session: Session, wanted: NewKey) -> None:
    """Return quietly if a company's person gets a key of that company, and of no other role."""
    values = {"id": wanted.person_id}
    company = session.connection().execute(_COMPANY_OF, values).scalar()
    if company is not None and company != wanted.participant_id:
        raise Invalid(
            f"{wanted.person_id} belongs to a company",
            field="person_id",
            repair=f"issue a key for role exporter or importer of {company}",
        )


def _require_known(session: Session, kind: str, identifier: str | None) -> None:
    if identifier is None:
        return
    if session.connection().execute(_KNOWN[kind], {"id": identifier}).scalar() is None:
        raise NotFound(kind, identifier)
