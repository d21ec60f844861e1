"""Lanes: one writer per signer, by a lease with a fencing number that every write carries.

Knows no chain; the nonce lives in the lane's row and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlmodel import Session

from settlement.clock import to_micros
from settlement.errors import LeaseLost
from settlement.store import row_lock
from settlement.store.bulk import Row, rows, run

OPERATOR, ADMIN = "operator", "admin"
"""What a lane is for: paying, or listing and freezing."""
RESTING = {
    OPERATOR: "nothing new is paid on it",
    ADMIN: "nobody is listed, unlisted or frozen on the chain",
}
"""What a lane that rests does not do, by its kind."""

_ACQUIRE = (
    "UPDATE lane SET lease_fence = lease_fence + CASE WHEN lease_owner = :owner THEN 0 ELSE 1 END,"
    " lease_owner = :owner, lease_until = :until WHERE signer = :signer"
    " AND (lease_owner IS NULL OR lease_owner = :owner OR lease_owner = :gone"
    " OR lease_until < :now) RETURNING lease_fence, kind"
)
_HOLDER = text("SELECT lease_owner FROM lane WHERE signer = :signer")
_RENEW = "UPDATE lane SET lease_until = :until WHERE signer = :signer"
_HELD_ROW = (
    "SELECT next_nonce, state, lease_until FROM lane WHERE signer = :signer"
    " AND lease_owner = :owner AND lease_fence = :fence"
)
_RELEASE = text(
    "UPDATE lane SET lease_owner = NULL, lease_until = 0"
    " WHERE signer = :signer AND lease_owner = :owner AND lease_fence = :fence"
)
_SET_STATE = text("UPDATE lane SET state = :state, reason = :reason WHERE signer = :signer")
_HALT_ALL = text(
    "UPDATE lane SET state = 'halted', reason = :reason WHERE state <> 'halted' OR reason IS NULL"
)
_DRAINED = text(
    "UPDATE lane SET state = 'drained' WHERE signer = :signer AND state = 'draining'"
    " AND NOT EXISTS (SELECT 1 FROM chain_tx c WHERE c.signer = lane.signer"
    " AND c.state IN ('CLAIMED', 'SIGNED', 'SENT', 'SEEN')) RETURNING signer"
)
_DRAIN = text(
    "UPDATE lane SET state = 'draining', reason = :reason"
    " WHERE signer = :signer AND state IN ('active', 'paused')"
)
_STATE = text("SELECT state FROM lane WHERE signer = :signer")
_SEATS = "SELECT signer, state, lease_owner, lease_fence, lease_until, kind FROM lane"
_EVERY = "SELECT signer FROM lane ORDER BY signer"
_LISTED = text(
    "SELECT l.signer, l.state, l.next_nonce, (SELECT COUNT(*) FROM chain_tx c"
    " WHERE c.signer = l.signer AND c.state IN ('CLAIMED', 'SIGNED', 'SENT')) AS unfinished,"
    " l.lease_owner, l.reason, l.kind FROM lane l ORDER BY l.signer"
)
_TAKE_NONCES = (
    "UPDATE lane SET next_nonce = next_nonce + :count WHERE signer = :signer"
    " AND lease_owner = :owner AND lease_fence = :fence RETURNING next_nonce"
)


@dataclass(frozen=True, slots=True)
class ListedLane:
    """A lane as a person looks at it."""

    signer: str
    state: str
    next_nonce: int
    unfinished: int
    holder: str | None
    reason: str | None
    kind: str


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write a lane, as long as nobody else has taken it."""

    signer: str
    owner: str
    fence: int
    lifetime: timedelta
    kind: str = OPERATOR

    def fresh(self, seat: Seat | None, now: datetime) -> bool:
        """Whether it is ours still, and need not be prolonged yet."""
        return (
            seat is not None
            and (seat.owner, seat.fence) == (self.owner, self.fence)
            and not wears_off(seat.until, now, self.lifetime)
        )


@dataclass(frozen=True, slots=True)
class Seat:
    """A lane's lease as it stands; `until` in microseconds."""

    signer: str
    state: str
    owner: str | None
    fence: int
    until: int
    kind: str


@dataclass(frozen=True, slots=True)
class LaneRow:
    """The lane as it is in this database transaction."""

    next_nonce: int
    state: str


def listed(session: Session) -> list[ListedLane]:
    """Return every lane."""
    return [ListedLane(*row) for row in session.connection().execute(_LISTED)]


def halted(session: Session) -> list[ListedLane]:
    """Return every lane that waits for a person."""
    return [each for each in listed(session) if each.state == "halted"]


def seats(session: Session) -> dict[str, Seat]:
    """Return who sits on each lane, by signer."""
    return {row[0]: Seat(*row) for row in rows(session, _SEATS)}


def acquire(
    session: Session,
    signer: str,
    *,
    owner: str,
    lifetime: timedelta,
    now: datetime,
    gone: str | None = None,
) -> Lease | None:
    """Take the lane if it is free, ours, or its holder is late; None if another holds it.

    `gone` is a holder that is known to have ended: its lease is not waited for.
    """
    values = {
        "signer": signer,
        "owner": owner,
        "gone": gone or owner,
        "now": to_micros(now),
        "until": to_micros(now + lifetime),
    }
    for fence, kind in rows(session, _ACQUIRE, values):
        return Lease(signer, owner, fence, lifetime, kind)
    return None


def holder(session: Session, signer: str) -> str | None:
    """Return who holds the lane, or held it last and did not give it up."""
    found: str | None = session.connection().execute(_HOLDER, {"signer": signer}).scalar()
    return found


def renew(session: Session, lease: Lease, now: datetime) -> LaneRow:
    """Lock the lane for this database transaction; prolong a lease of which a part is used up.

    A step that finds nothing to do costs no write to disk.

    Raises:
        LeaseLost: another worker has taken the lane; nothing may be written.
    """
    next_nonce, state, until = _held_row(session, lease, row_lock(session, "lane"))
    if wears_off(until, now, lease.lifetime):
        until = to_micros(now + lease.lifetime)
        run(session, _RENEW, {"signer": lease.signer, "until": until})
    return LaneRow(next_nonce, state)


def held(session: Session, lease: Lease) -> LaneRow:
    """Return the lane, unlocked: enough before a send, too little before a write.

    Raises:
        LeaseLost: another worker has taken the lane.
    """
    next_nonce, state, _until = _held_row(session, lease)
    return LaneRow(next_nonce, state)


def _held_row(session: Session, lease: Lease, lock: str = "") -> Row:
    values = {"signer": lease.signer, "owner": lease.owner, "fence": lease.fence}
    found = rows(session, _HELD_ROW + lock, values)
    if not found:
        raise LeaseLost(f"lane {lease.signer} has been taken by another worker")
    return found[0]


def take_nonces(session: Session, lease: Lease, count: int) -> int:
    """Move the lane on by `count` nonces under its lease; return the first of them."""
    taken = {"count": count, "signer": lease.signer, "owner": lease.owner, "fence": lease.fence}
    ((following,),) = rows(session, _TAKE_NONCES, taken)
    return int(following) - count


def release(session: Session, lease: Lease) -> None:
    """Give the lane up, so that the next worker need not wait."""
    session.connection().execute(
        _RELEASE, {"signer": lease.signer, "owner": lease.owner, "fence": lease.fence}
    )


def wears_off(until: int, now: datetime, lifetime: timedelta) -> bool:
    """Whether a quarter of a lease is used up, so that it is time to prolong it."""
    return until < to_micros(now + lifetime * 3 / 4)


def lock_all(session: Session) -> None:
    """Let no lane be written beside this database transaction. Always in the same order."""
    rows(session, _EVERY + row_lock(session, "lane"))


def halt_all(session: Session, reason: str) -> None:
    """Halt every lane; one that is halted already keeps its own reason."""
    session.connection().execute(_HALT_ALL, {"reason": reason})


def drain(session: Session, signer: str, reason: str) -> str:
    """Let a lane end what it has and take nothing new; return its state. A halted one stays so."""
    connection = session.connection()
    connection.execute(_DRAIN, {"signer": signer, "reason": reason})
    end_draining(session, signer)
    return str(connection.execute(_STATE, {"signer": signer}).scalar_one())


def end_draining(session: Session, signer: str) -> bool:
    """Call a draining lane drained when nothing of it can change any more; say whether it is."""
    found = session.connection().execute(_DRAINED, {"signer": signer}).scalar()
    return found is not None


def set_state(session: Session, signer: str, state: str, reason: str | None = None) -> None:
    """Set active, paused, draining or halted, with the reason."""
    session.connection().execute(_SET_STATE, {"signer": signer, "state": state, "reason": reason})
