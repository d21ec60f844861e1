"""API keys: 256 random bits, shown once, stored as a keyed hash, each with a role and a hand.

Does not know what a role may do, nor who may ask for a key: the doors do.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlmodel import Session

from settlement.access.roles import OF_A_COMPANY, Role
from settlement.clock import to_micros
from settlement.errors import Invalid, NotFound

KEY_BYTES = 32
PREFIX_LENGTH = len("stk_") + 12

_COLUMNS = (
    "prefix, role, participant_id, person_id, scopes, label, per_minute, issued_by, rotated_from,"
    " last_used_at, expires_at, revoked_at, created_at"
)
_INSERT = text(
    "INSERT INTO api_key (prefix, key_hash, role, participant_id, person_id, scopes, label,"
    " per_minute, issued_by, rotated_from, expires_at, created_at) VALUES (:prefix, :key_hash,"
    " :role, :participant_id, :person_id, :scopes, :label, :per_minute, :issued_by,"
    " :rotated_from, :expires_at, :created_at)"
)
_REVOKE = text("UPDATE api_key SET revoked_at = :at WHERE prefix = :prefix AND revoked_at IS NULL")
_KNOWN = {
    "participant": text("SELECT 1 FROM participant WHERE id = :id"),
    "person": text("SELECT 1 FROM person WHERE id = :id AND state = 'active'"),
}


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
        Invalid: an exporter's or importer's key without its company.
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


def revoke(session: Session, prefix: str, now: datetime) -> None:
    """End a key at once.

    Raises:
        NotFound: no key in force has this prefix.
    """
    values = {"prefix": prefix, "at": to_micros(now)}
    if not session.connection().execute(_REVOKE, values).rowcount:
        raise NotFound("API key in force", prefix)


def hashed(pepper: bytes, key: str) -> str:
    """Return what is stored of a key: HMAC-SHA256 under the installation's secret."""
    return hmac.new(pepper, key.encode(), "sha256").hexdigest()


def _require_known(session: Session, kind: str, identifier: str | None) -> None:
    if identifier is None:
        return
    if session.connection().execute(_KNOWN[kind], {"id": identifier}).scalar() is None:
        raise NotFound(kind, identifier)
