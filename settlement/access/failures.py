"""Sign-ins that failed of late, by account and by address: after some, each next one waits longer.

Counted before a password is looked at, so that many at once get no further than one by one. An
account that does not exist is counted like one that does: nobody learns which is which.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlmodel import Session

from settlement.clock import to_micros

FORGOTTEN_AFTER = timedelta(hours=1)
BACK_OFF_FIRST = timedelta(seconds=2)
BACK_OFF_MAX = timedelta(minutes=15)
FREE = {"account": 30, "address": 30, "pair": 5}
"""Failures without a wait: of an account from anywhere, of an address, of one from the other."""

# An attempt while it is blocked is not counted: nobody keeps another out for ever.
_COUNT = text(
    "INSERT INTO sign_in_failure (subject, failures, blocked_until, last_at)"
    " VALUES (:subject, 1, 0, :at) ON CONFLICT (subject) DO UPDATE SET failures = CASE"
    " WHEN sign_in_failure.blocked_until > :at THEN sign_in_failure.failures"
    " WHEN sign_in_failure.last_at < :forgotten THEN 1"
    " ELSE sign_in_failure.failures + 1 END, last_at = :at"
    " RETURNING failures, blocked_until"
)
_BLOCK = text("UPDATE sign_in_failure SET blocked_until = :until WHERE subject = :subject")
_FORGET = text("DELETE FROM sign_in_failure WHERE subject = :subject")
_TAKE_BACK = text(
    "UPDATE sign_in_failure SET failures = failures - 1, blocked_until = 0"
    " WHERE subject = :subject AND failures > 0"
)
_SWEEP = text("DELETE FROM sign_in_failure WHERE last_at < :forgotten AND blocked_until < :at")

Subjects = Mapping[str, str]


def subjects(pepper: bytes, account: str, address: str) -> Subjects:
    """Return whom an attempt is counted for, each a keyed hash: account, address, the pair."""
    account = account.strip().lower()
    plain = {"account": account, "address": address, "pair": f"{account}|{address}"}
    return {
        kind: hmac.new(pepper, f"{kind}:{value}".encode(), "sha256").hexdigest()
        for kind, value in plain.items()
    }


def may_try(session: Session, of: Subjects, now: datetime) -> bool:
    """Count an attempt as failed until it is shown to be right; whether it may be made at all."""
    at, forgotten = to_micros(now), to_micros(now - FORGOTTEN_AFTER)
    session.connection().execute(_SWEEP, {"forgotten": forgotten, "at": at})
    may = True
    # In the kinds' order, always the same: the rows are locked from here to the commit.
    for kind, subject in sorted(of.items()):
        values = {"subject": subject, "at": at, "forgotten": forgotten}
        row = session.connection().execute(_COUNT, values).one()
        if row.blocked_until > at:
            may = False
            continue
        if row.failures < FREE[kind]:
            continue
        until = to_micros(now + wait(row.failures - FREE[kind]))
        session.connection().execute(_BLOCK, {"subject": subject, "until": until})
    return may


def forget(session: Session, of: Subjects) -> None:
    """Begin anew for an account that signed in; of its address take this attempt back."""
    for kind in ("account", "pair"):
        session.connection().execute(_FORGET, {"subject": of[kind]})
    session.connection().execute(_TAKE_BACK, {"subject": of["address"]})


def wait(failures_too_many: int) -> timedelta:
    """Return how long the next attempt waits: twice as long with each failure, up to a bound."""
    return min(BACK_OFF_FIRST * 2 ** min(failures_too_many, 20), BACK_OFF_MAX)
