"""How people prove who they are, as stored: a password's hash, a sealed secret, recovery codes.

Verifies no password: that is slow, and done outside a database transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import text
from sqlmodel import Session

from settlement.access import one_time_codes
from settlement.access.vault import Vault
from settlement.clock import to_micros

_FIND = text(
    "SELECT password_hash, must_change, totp_sealed, totp_confirmed_at, totp_last_step"
    " FROM credential WHERE person_id = :id"
)
_SET_PASSWORD = text(
    "INSERT INTO credential (person_id, password_hash, password_set_at, must_change)"
    " VALUES (:id, :hash, :at, :must_change) ON CONFLICT (person_id) DO UPDATE SET"
    " password_hash = excluded.password_hash, password_set_at = excluded.password_set_at,"
    " must_change = excluded.must_change"
)
_SET_TOTP = text(
    "UPDATE credential SET totp_sealed = :sealed, totp_confirmed_at = NULL, totp_last_step = NULL"
    " WHERE person_id = :id AND totp_confirmed_at IS NULL"
)
_CONFIRM = text(
    "UPDATE credential SET totp_confirmed_at = :at, totp_last_step = :step"
    " WHERE person_id = :id AND totp_confirmed_at IS NULL AND totp_sealed IS NOT NULL"
)
_TAKE_STEP = text(
    "UPDATE credential SET totp_last_step = :step WHERE person_id = :id"
    " AND totp_confirmed_at IS NOT NULL AND (totp_last_step IS NULL OR totp_last_step < :step)"
)
_DROP_TOTP = text(
    "UPDATE credential SET totp_sealed = NULL, totp_confirmed_at = NULL, totp_last_step = NULL"
    " WHERE person_id = :id"
)
_DROP_CODES = text("DELETE FROM recovery_code WHERE person_id = :id")
_ADD_CODE = text(
    "INSERT INTO recovery_code (person_id, code_hash, created_at) VALUES (:id, :hash, :at)"
)
_USE_CODE = text(
    "UPDATE recovery_code SET used_at = :at"
    " WHERE person_id = :id AND code_hash = :hash AND used_at IS NULL"
)
_LEFT = text("SELECT count(*) FROM recovery_code WHERE person_id = :id AND used_at IS NULL")


class Credential(NamedTuple):
    """What is stored of somebody's credentials."""

    password_hash: str | None = None
    must_change: bool = False
    totp_sealed: bytes | None = None
    totp_confirmed_at: int | None = None
    totp_last_step: int | None = None


def of(session: Session, person_id: str) -> Credential:
    """Return a person's credentials; empty ones where there are none."""
    found = session.connection().execute(_FIND, {"id": person_id}).one_or_none()
    return Credential() if found is None else Credential(*found)


def set_password(
    session: Session, person_id: str, password_hash: str, *, must_change: bool, now: datetime
) -> None:
    """Keep a password's hash; `must_change`: somebody else has chosen it."""
    values = {
        "id": person_id, "hash": password_hash, "at": to_micros(now), "must_change": must_change,
    }  # fmt: skip
    session.connection().execute(_SET_PASSWORD, values)


def begin_enrolment(session: Session, vault: Vault, person_id: str, now: datetime) -> None:
    """Make a secret for one-time codes, if none is there yet; it counts once it is confirmed."""
    if of(session, person_id).totp_sealed is not None:
        return
    sealed = vault.seal(session, person_id, one_time_codes.new_secret(), now)
    session.connection().execute(_SET_TOTP, {"id": person_id, "sealed": sealed})


def secret(session: Session, vault: Vault, person_id: str) -> str | None:
    """Return the secret for one-time codes, confirmed or not."""
    sealed = of(session, person_id).totp_sealed
    return None if sealed is None else vault.opened(session, person_id, bytes(sealed))


def confirm(session: Session, person_id: str, step: int, now: datetime) -> bool:
    """Note that the person has shown a first code; whether it was not confirmed before."""
    values = {"id": person_id, "step": step, "at": to_micros(now)}
    return bool(session.connection().execute(_CONFIRM, values).rowcount)


def take_step(session: Session, person_id: str, step: int) -> bool:
    """Use up a time step and all before it; False: it was used already."""
    values = {"id": person_id, "step": step}
    return bool(session.connection().execute(_TAKE_STEP, values).rowcount)


def forget_second_factor(session: Session, person_id: str) -> None:
    """Let the person enrol anew: secret and recovery codes are gone."""
    session.connection().execute(_DROP_TOTP, {"id": person_id})
    session.connection().execute(_DROP_CODES, {"id": person_id})


def set_recovery_codes(
    session: Session, pepper: bytes, person_id: str, codes: Sequence[str], now: datetime
) -> None:
    """Keep the digests of new recovery codes; the old ones are worth nothing any more."""
    session.connection().execute(_DROP_CODES, {"id": person_id})
    rows = [
        {
            "id": person_id,
            "hash": one_time_codes.recovery_digest(pepper, person_id, code),
            "at": to_micros(now),
        }
        for code in codes
    ]
    session.connection().execute(_ADD_CODE, rows)


def use_recovery_code(
    session: Session, pepper: bytes, person_id: str, code: str, now: datetime
) -> bool:
    """Use up a recovery code; False: there is no such one, or it was used."""
    digest = one_time_codes.recovery_digest(pepper, person_id, code)
    values = {"id": person_id, "hash": digest, "at": to_micros(now)}
    return bool(session.connection().execute(_USE_CODE, values).rowcount)


def recovery_codes_left(session: Session, person_id: str) -> int:
    """Return how many recovery codes are not used yet."""
    return int(session.connection().execute(_LEFT, {"id": person_id}).scalar_one())
