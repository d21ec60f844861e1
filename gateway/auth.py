"""Who calls: the API key of a request, looked up and remembered for a moment.

What a role may do is in `access`, how keys are made in `settlement.access`.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine, event, text
from sqlmodel import Session

from gateway.last_use import LastUses
from gateway.refusals import KeyRefused
from settlement.access import OF_A_COMPANY, PepperExposed, Role, keys, open_secret
from settlement.clock import to_micros
from settlement.store import reading

__all__ = [
    "CACHE_SECONDS",
    "OF_A_COMPANY",
    "Caller",
    "KeyRing",
    "PepperExposed",
    "Role",
    "issue_key",
    "open_pepper",
    "revoke_key",
]

CACHE_SECONDS = 1.0
"""How long a key that was revoked in another process may still be taken here."""

_CACHE_MAX = 10_000
_HASH = text("SELECT key_hash FROM api_key WHERE prefix = :prefix")
_FIND = text(
    "WITH RECURSIVE line (prefix, rotated_from) AS ("
    "SELECT prefix, rotated_from FROM api_key WHERE prefix = :prefix UNION"
    " SELECT k.prefix, k.rotated_from FROM line l JOIN api_key k ON k.prefix = l.rotated_from)"
    " SELECT k.prefix, k.key_hash, k.role, k.participant_id, k.person_id, k.scopes, k.per_minute,"
    " k.expires_at, k.revoked_at, p.state,"
    " (SELECT l.prefix FROM line l WHERE l.rotated_from IS NULL)"
    " FROM api_key k LEFT JOIN person p ON p.id = k.person_id WHERE k.prefix = :prefix"
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose request it is. `party` is the company whose things alone it sees; None sees all."""

    prefix: str
    """Of the API key, or the session's id."""
    role: Role
    participant_id: str | None
    person_id: str | None = None
    scopes: str = ""
    """Groups of routes to which a key is narrowed; empty: all of the role's."""
    per_minute: int | None = None
    """Requests that a key may send; None: as many as it likes."""
    first_prefix: str | None = None
    """Of the key with which its rotations began; None: a session has none."""

    @property
    def line(self) -> str:
        """What stays the same when a key is rotated: answers that are kept belong to it."""
        return self.first_prefix or self.prefix

    @property
    def party(self) -> str | None:
        """The company to which the caller is restricted."""
        return self.participant_id if self.role in OF_A_COMPANY else None

    @property
    def hand(self) -> str:
        """Who is behind it: the person, else the key that was issued, however often rotated.

        Two keys of one person are one hand.
        """
        return self.person_id or self.line

    @property
    def actor(self) -> str:
        """What event rows say of who it was."""
        return f"{self.role.value}:{self.hand}"


@dataclass(frozen=True, slots=True)
class _StoredKey:
    prefix: str
    key_hash: str
    role: str
    participant_id: str | None
    person_id: str | None
    scopes: str
    per_minute: int | None
    expires_at: int | None
    revoked_at: int | None
    person_state: str | None
    first_prefix: str


def open_pepper(home: Path) -> bytes:
    """Return the secret under which keys are hashed, made at its first use with mode 0600.

    Raises:
        PepperExposed: others may read it.
    """
    return open_secret(home / "api-key.pepper")


def issue_key(
    session: Session,
    pepper: bytes,
    *,
    role: Role,
    participant_id: str | None,
    now: datetime,
    expires: datetime | None = None,
    person_id: str | None = None,
    scopes: str = "",
) -> str:
    """Store a new key and return it: nobody can read it a second time.

    For whoever stands at the machine; over the API keys are issued by `gateway.api.keys`.

    Raises:
        Invalid: an exporter's or importer's key without its company.
        NotFound: there is no such participant or person.
    """
    wanted = keys.NewKey(
        role=role,
        participant_id=participant_id,
        person_id=person_id,
        scopes=scopes,
        expires=expires,
    )
    return keys.issue(session, pepper, wanted, issued_by="machine", now=now)


def is_hashed_under(session: Session, pepper: bytes, key: str) -> bool:
    """Whether the records have a key's hash under this secret; True if they do not know the key."""
    asked = {"prefix": key[: keys.PREFIX_LENGTH]}
    stored = session.connection().execute(_HASH, asked).scalar_one_or_none()
    return stored is None or hmac.compare_digest(keys.hashed(pepper, key), stored)


def revoke_key(session: Session, prefix: str, now: datetime) -> None:
    """End a key; gateways notice within `CACHE_SECONDS`.

    Raises:
        NotFound: no key in force has this prefix.
    """
    keys.revoke(session, prefix, now)


class KeyRing:
    """The keys of one gateway: looked up in the database, remembered for a moment."""

    def __init__(self, engine: Engine, pepper: bytes, *, monotonic: Callable[[], float]) -> None:
        self._engine = engine
        self.pepper = pepper
        self.uses = LastUses(engine, keys.note_uses)
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

    def forget(self) -> None:
        """Ask the database again from now on."""
        self._verified.clear()

    def forget_after(self, session: Session) -> None:
        """Ask the database again once `session` is committed: it changes keys."""
        # Also at the end of a savepoint, which does no harm; before the commit would be too early.
        event.listen(session, "after_commit", lambda _session: self.forget())

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
        self.uses.add(caller.prefix, now)
        self._verified[header] = (self._monotonic(), caller, expires_at)
        return caller

    def _checked(self, header: str, stored: _StoredKey | None, now: datetime) -> Caller:
        # An unknown prefix costs the same work as a wrong key.
        expected = stored.key_hash if stored else "0" * 64
        found = keys.hashed(self.pepper, header[len("Bearer ") :])
        is_right = hmac.compare_digest(found, expected)
        if stored is None or not is_right or stored.revoked_at is not None:
            raise KeyRefused
        if stored.expires_at is not None and stored.expires_at <= to_micros(now):
            raise KeyRefused
        if stored.person_state not in (None, "active"):
            raise KeyRefused
        return Caller(
            stored.prefix,
            Role(stored.role),
            stored.participant_id,
            stored.person_id,
            stored.scopes,
            stored.per_minute,
            stored.first_prefix,
        )


def _prefix(header: str) -> str:
    scheme, _, key = header.partition(" ")
    is_shaped = len(key) > keys.PREFIX_LENGTH and key[keys.PREFIX_LENGTH] == "_"
    if scheme != "Bearer" or not key.startswith("stk_") or not key.isascii() or not is_shaped:
        raise KeyRefused
    return key[: keys.PREFIX_LENGTH]
