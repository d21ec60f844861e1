"""How long a restarted worker takes: until all in flight is known, and until it sends anew.

Looks from outside, at the database and at the true node; disturbs nothing.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from gateway import wiring
from settlement.clock import to_micros
from tests.simulation.real_patience import Patience
from tests.simulation.real_rail import RealRail

_WAITING = "SELECT COUNT(*) FROM settlement WHERE state IN ('INSTRUCTED', 'CLEARED')"
_TIP = "SELECT hash FROM cursor WHERE name = 'head'"
_UNKNOWN = (
    "SELECT c.id FROM chain_tx c LEFT JOIN block b ON b.hash = c.block_hash"
    " WHERE c.created_at < :began AND (c.state IN ('CLAIMED', 'SIGNED')"
    " OR (c.state = 'SENT' AND c.nonce < :mined) OR (c.state = 'SEEN' AND NOT b.canonical))"
)
_NEW_SENDS = (
    "SELECT COUNT(*) FROM attempt a JOIN chain_tx c ON c.id = a.chain_tx_id"
    " WHERE c.created_at >= :began AND a.first_sent_at IS NOT NULL"
)


@dataclass
class Recovery:
    """One restart, timed from the moment it was ordered. None: not reached (yet)."""

    rail: RealRail
    began: float = field(default_factory=time.monotonic)
    began_at: int = field(default_factory=lambda: to_micros(wiring.now()))
    known_seconds: float | None = None
    first_send_seconds: float | None = None
    patience: Patience = field(default_factory=lambda: Patience(float("inf")))
    is_sound: bool = True
    """Whether the machine ran, and had time for us, so that the figures mean something."""
    has_work: bool = False
    """Something waits to be claimed, so that a new send can be expected."""

    def __post_init__(self) -> None:
        self.has_work = self.rail.one(_WAITING) > 0

    @property
    def is_over(self) -> bool:
        """Whether everything has been measured."""
        return self.known_seconds is not None and (
            self.first_send_seconds is not None or not self.has_work
        )

    @property
    def seconds(self) -> float:
        """How long ago the restart was."""
        return time.monotonic() - self.began

    def look(self) -> None:
        """Note what has been reached by now."""
        if self.is_over:
            return
        self.patience.lasts()
        before = (self.known_seconds, self.first_send_seconds)
        self._look()
        if before != (self.known_seconds, self.first_send_seconds):
            stalled = self.patience.stood_still or self.patience.was_starved
            self.is_sound = self.is_sound and not stalled

    def give_up(self) -> None:
        """Take the time so far for whatever has not come: it took at least as long."""
        self._look()
        if self.known_seconds is None:
            self.known_seconds = self.seconds
        if self.has_work and self.first_send_seconds is None and self.rail.one(_WAITING):
            self.first_send_seconds = self.seconds

    def _look(self) -> None:
        if self.known_seconds is None and self._all_is_known():
            self.known_seconds = self.seconds
        if not self.has_work or self.first_send_seconds is not None:
            return
        if self.rail.one(_NEW_SENDS, began=self.began_at):
            self.first_send_seconds = self.seconds

    def _all_is_known(self) -> bool:
        """Whether the database says of every chain transaction of before what the chain says."""
        tips = self.rail.rows(_TIP)
        if not tips or tips[0].hash != self.rail.chain.head().hash:
            return False
        for lane in self.rail.rows("SELECT signer FROM lane"):
            mined = self.rail.chain.nonce(lane.signer)
            if self.rail.rows(_UNKNOWN, began=self.began_at, mined=mined):
                return False
        return True
