"""Who calls: API keys, shown once and stored as a keyed hash, each with a role and a company.

What a role may do is in `access`.
"""

from __future__ import annotations

import hmac
import os
import secrets
import stat
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from sqlalchemy import Engine, text
from sqlmodel import Session

from gateway.refusals import KeyRefused
from settlement.clock import to_micros
from settlement.errors import Fatal, Invalid, NotFound
from settlement.store import reading

KEY_BYTES = 32
PEPPER_BYTES = 32
CACHE_SECONDS = 1.0
"""How long a key that was revoked in another process may still be taken here."""

_CACHE_MAX = 10_000
_PREFIX_LENGTH = len("stk_") + 12
_INSERT = text(
    "INSERT INTO api_key (prefix, key_hash, role, participant_id, expires_at, created_at)"
    " VALUES (:prefix, :key_hash, :role, :participant_id, :expires_at, :created_at)"
)
_REVOKE = text("UPDATE api_key SET revoked_at = :at WHERE prefix = :prefix AND revoked_at IS NULL")
_FIND = text(
    "SELECT prefix, key_hash, role, participant_id, expires_at, revoked_at FROM api_key"
    " WHERE prefix = :prefix"
)


class Role(StrEnum):
    """What a key's holder does on the rail."""

    EXPORTER = "exporter"
    IMPORTER = "importer"
    TREASURY = "treasury"
    APPROVER = "approver"
    OVERSEER = "overseer"
    ADMIN = "admin"


OF_A_COMPANY = frozenset({Role.EXPORTER, Role.IMPORTER})
"""Roles whose holders see only what their own company takes part in."""


class PepperExposed(Fatal):
    """Others than its owner may read the secret that protects the stored keys."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} can be read by others: `chmod 600 {path}`, then issue new keys")


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose request it is. `party` is the company whose things alone it sees; None sees all."""

    prefix: str
    role: Role
    participant_id: str | None

    @property
    def party(self) -> str | None:
        """The company to which the caller is restricted."""
        return self.participant_id if self.role in OF_A_COMPANY else None

    @property
    def actor(self) -> str:
        """What event rows say of who it was."""
        return f"{self.role.value}:{self.prefix}"


@dataclass(frozen=True, slots=True)
class _StoredKey:
    prefix: str
    key_hash: str
    role: str
    participant_id: str | None
    expires_at: int | None
    revoked_at: int | None


def open_pepper(home: Path) -> bytes:
    """Return the secret under which keys are hashed, made at its first use with mode 0600.

    Raises:
        PepperExposed: others may read it.
    """
    path = home / "api-key.pepper"
    home.mkdir(parents=True, exist_ok=True)
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise PepperExposed(path) from None
        return path.read_bytes()
    pepper = secrets.token_bytes(PEPPER_BYTES)
    with os.fdopen(file, "wb") as stream:
        stream.write(pepper)
        stream.flush()
        os.fsync(stream.fileno())
    return pepper


def issue_key(
    session: Session,
    pepper: bytes,
    *,
    role: Role,
    participant_id: str | None,
    now: datetime,
    expires: datetime | None = None,
) -> str:
    """Store a new key and return it: nobody can read it a second time.

    Raises:
        Invalid: an exporter's or importer's key without its company.
        NotFound: there is no such participant.
    """
    if role in OF_A_COMPANY and participant_id is None:
        raise Invalid(
            f"a key for role {role} belongs to a participant",
            field="participant_id",
            repair="name the participant whose invoices it may see",
        )
    if participant_id is not None:
        known = text("SELECT 1 FROM participant WHERE id = :id")
        if session.connection().execute(known, {"id": participant_id}).scalar() is None:
            raise NotFound("participant", participant_id)
    prefix = f"stk_{secrets.token_hex(6)}"
    key = f"{prefix}_{secrets.token_urlsafe(KEY_BYTES)}"
    row = {
        "prefix": prefix,
        "key_hash": _hash(pepper, key),
        "role": role.value,
        "participant_id": participant_id,
        "expires_at": None if expires is None else to_micros(expires),
        "created_at": to_micros(now),
    }
    session.connection().execute(_INSERT, row)
    return key


def revoke_key(session: Session, prefix: str, now: datetime) -> None:
    """End a key; gateways notice within `CACHE_SECONDS`.

    Raises:
        NotFound: no key in force has this prefix.
    """
    values = {"prefix": prefix, "at": to_micros(now)}
    if not session.connection().execute(_REVOKE, values).rowcount:
        raise NotFound("API key in force", prefix)


class KeyRing:
    """The keys of one gateway: looked up in the database, remembered for a moment."""

    def __init__(self, engine: Engine, pepper: bytes, *, monotonic: Callable[[], float]) -> None:
        self._engine = engine
        self._pepper = pepper
        self._monotonic = monotonic
        self._verified: dict[str, tuple[float, Caller, int | None]] = {}

    def remembered(self, header: str, now: datetime) -> Caller | None:
        """Return the caller of a header that was found good a moment ago; None: ask `look_up`."""
        found = self._verified.get(header)
        if found is None:
            return None
        looked_up_at, caller, expires_at = found
        if self._monotonic() - looked_up_at > CACHE_SECONDS:
            return None
        if expires_at is not None and expires_at <= to_micros(now):
            return None
        return caller

    def look_up(self, header: str, now: datetime) -> Caller:
        """Return the caller, asking the database.

        Raises:
            KeyRefused: the header holds no key that is in force.
        """
        prefix = _prefix(header)
        with reading(self._engine) as session:
            row = session.connection().execute(_FIND, {"prefix": prefix}).one_or_none()
        stored = None if row is None else _StoredKey(*row)
        caller = self._checked(header, stored, now)
        if len(self._verified) >= _CACHE_MAX:
            self._verified.clear()
        expires_at = stored.expires_at if stored else None
        self._verified[header] = (self._monotonic(), caller, expires_at)
        return caller

    def _checked(self, header: str, stored: _StoredKey | None, now: datetime) -> Caller:
        # An unknown prefix costs the same work as a wrong key.
        expected = stored.key_hash if stored else "0" * 64
        is_right = hmac.compare_digest(_hash(self._pepper, header[len("Bearer ") :]), expected)
        if stored is None or not is_right or stored.revoked_at is not None:
            raise KeyRefused
        if stored.expires_at is not None and stored.expires_at <= to_micros(now):
            raise KeyRefused
        return Caller(stored.prefix, Role(stored.role), stored.participant_id)


def _prefix(header: str) -> str:
    scheme, _, key = header.partition(" ")
    is_shaped = len(key) > _PREFIX_LENGTH and key[_PREFIX_LENGTH] == "_"
    if scheme != "Bearer" or not key.startswith("stk_") or not key.isascii() or not is_shaped:
        raise KeyRefused
    return key[:_PREFIX_LENGTH]


def _hash(pepper: bytes, key: str) -> str:
    return hmac.new(pepper, key.encode(), "sha256").hexdigest()
