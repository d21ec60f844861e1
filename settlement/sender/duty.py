"""The chain-wide duty: one worker follows, books, clears and reconciles; the others look on.

A lease like a lane's, with a fencing number of its own that every write of the duty is made under.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from settlement.clock import to_micros
from settlement.errors import LeaseLost
from settlement.sender.lanes import wears_off
from settlement.store import row_lock
from settlement.store.bulk import rows, run

CHAIN = "chain"

_ACQUIRE = (
    "INSERT INTO duty (name, lease_owner, lease_fence, lease_until)"
    " VALUES (:name, :owner, 1, :until) ON CONFLICT (name) DO UPDATE SET"
    " lease_fence = duty.lease_fence"
    " + CASE WHEN duty.lease_owner = excluded.lease_owner THEN 0 ELSE 1 END,"
    " lease_owner = excluded.lease_owner, lease_until = excluded.lease_until"
    " WHERE duty.lease_owner IS NULL OR duty.lease_owner = excluded.lease_owner"
    " OR duty.lease_owner = :gone OR duty.lease_until < :now RETURNING lease_fence"
)
_STANDING = "SELECT lease_owner, lease_fence, lease_until FROM duty WHERE name = ?"
_HELD_ROW = (
    "SELECT lease_until FROM duty WHERE name = :name AND lease_owner = :owner"
    " AND lease_fence = :fence"
)
_RENEW = "UPDATE duty SET lease_until = :until WHERE name = :name"
_RELEASE = (
    "UPDATE duty SET lease_owner = NULL, lease_until = 0"
    " WHERE name = :name AND lease_owner = :owner AND lease_fence = :fence"
)


@dataclass(frozen=True, slots=True)
class Standing:
    """The duty's lease as it stands; `until` in microseconds."""

    owner: str | None
    fence: int
    until: int


@dataclass(frozen=True, slots=True)
class DutyLease:
    """The right to do the duty, as long as nobody else has taken it."""

    owner: str
    fence: int
    lifetime: timedelta

    def fresh(self, standing: Standing | None, now: datetime) -> bool:
        """Whether it is ours still, and need not be prolonged yet."""
        return (
            standing is not None
            and (standing.owner, standing.fence) == (self.owner, self.fence)
            and not wears_off(standing.until, now, self.lifetime)
        )


def standing(session: Session) -> Standing | None:
    """Return who does the duty; None before anybody ever did."""
    found = rows(session, _STANDING, (CHAIN,))
    return Standing(*found[0]) if found else None


def acquire(
    session: Session, *, owner: str, lifetime: timedelta, now: datetime, gone: str | None = None
) -> DutyLease | None:
    """Take the duty if it is free, ours, or its holder is late; None if another holds it.

    `gone` is a holder that is known to have ended: its lease is not waited for.
    """
    values = {
        "name": CHAIN,
        "owner": owner,
        "gone": gone or owner,
        "now": to_micros(now),
        "until": to_micros(now + lifetime),
    }
    for (fence,) in rows(session, _ACQUIRE, values):
        return DutyLease(owner, fence, lifetime)
    return None


def renew(session: Session, lease: DutyLease, now: datetime) -> None:
    """Lock the duty for this database transaction; prolong a lease of which a part is used up.

    Raises:
        LeaseLost: another worker has taken the duty; nothing may be written.
    """
    values = {"name": CHAIN, "owner": lease.owner, "fence": lease.fence}
    found = rows(session, _HELD_ROW + row_lock(session, "duty"), values)
    if not found:
        raise LeaseLost("following and booking have been taken by another worker")
    if wears_off(found[0][0], now, lease.lifetime):
        run(session, _RENEW, {"name": CHAIN, "until": to_micros(now + lease.lifetime)})


def release(session: Session, lease: DutyLease) -> None:
    """Give the duty up, so that the next worker need not wait."""
    values = {"name": CHAIN, "owner": lease.owner, "fence": lease.fence}
    run(session, _RELEASE, values)
