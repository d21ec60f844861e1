"""What one worker holds: lanes up to a bound, and perhaps the chain-wide duty.

Takes what is free, prolongs what is its own, leaves what others hold. Works none of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Engine
from sqlmodel import Session

from settlement.clock import to_micros
from settlement.sender import duty, lanes
from settlement.sender.duty import DutyLease
from settlement.sender.lanes import Lease
from settlement.store import reading, transaction


@dataclass(slots=True)
class Holding:
    """The leases of one worker, by signer, and the duty's."""

    owner: str
    lifetime: timedelta
    lanes_max: int
    has_ended: Callable[[str], bool]
    leases: dict[str, Lease] = field(default_factory=dict)
    duty_lease: DutyLease | None = None

    def take(self, engine: Engine, signers: Sequence[str], now: datetime) -> None:
        """Bring the holding up to date: one look, and one write where there is something to do."""
        with reading(engine) as session:
            seats, standing = lanes.seats(session), duty.standing(session)
        self.leases = {signer: lease for signer, lease in self.leases.items() if signer in signers}
        stale = [
            signer
            for signer in signers
            if signer not in self.leases or not self.leases[signer].fresh(seats.get(signer), now)
        ]
        is_stale = self.duty_lease is None or not self.duty_lease.fresh(standing, now)
        # What another worker holds is not asked for: looking on costs no write.
        wanted = [signer for signer in stale if self._is_free(seats.get(signer), now)]
        is_wanted = is_stale and (standing is None or self._is_free(standing, now))
        kept = {signer: lease for signer, lease in self.leases.items() if signer not in stale}
        held_duty = None if is_stale else self.duty_lease
        if not wanted and not is_wanted:
            self.leases, self.duty_lease = kept, held_duty
            return
        with transaction(engine) as session:
            # The duty first, the lanes in one order: two workers never wait for each other.
            if is_wanted:
                held_duty = self._duty(session, standing, now)
            # What is ours already goes before what is free.
            for signer in sorted(wanted, key=lambda signer: (signer not in self.leases, signer)):
                seat = seats.get(signer)
                pays = sum(lease.kind == lanes.OPERATOR for lease in kept.values())
                # The admin's lane is one, and nobody waits for it because of the others.
                if pays < self.lanes_max or (seat is not None and seat.kind == lanes.ADMIN):
                    lease = self._lane(session, signer, seat, now)
                    kept |= {signer: lease} if lease else {}
        self.leases, self.duty_lease = kept, held_duty

    def give_up(self, engine: Engine) -> None:
        """Release everything, so that the next worker can start at once."""
        with transaction(engine) as session:
            if self.duty_lease is not None:
                duty.release(session, self.duty_lease)
            for lease in self.leases.values():
                lanes.release(session, lease)
        self.leases, self.duty_lease = {}, None

    def _is_free(self, seat: lanes.Seat | duty.Standing | None, now: datetime) -> bool:
        return seat is not None and (
            seat.owner in (None, self.owner)
            or seat.until < to_micros(now)
            or self._gone(seat.owner) is not None
        )

    def _duty(
        self, session: Session, standing: duty.Standing | None, now: datetime
    ) -> DutyLease | None:
        gone = self._gone(standing.owner if standing else None)
        return duty.acquire(session, owner=self.owner, lifetime=self.lifetime, now=now, gone=gone)

    def _lane(
        self, session: Session, signer: str, seat: lanes.Seat | None, now: datetime
    ) -> Lease | None:
        gone = self._gone(seat.owner if seat else None)
        return lanes.acquire(
            session, signer, owner=self.owner, lifetime=self.lifetime, now=now, gone=gone
        )

    def _gone(self, owner: str | None) -> str | None:
        return owner if owner and owner != self.owner and self.has_ended(owner) else None
