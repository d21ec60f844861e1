"""What one tick of the worker did, in numbers that are logged and shown.

Counts; decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Progress:
    """What one tick did; all zero when there was nothing to do."""

    head: int = 0
    new_blocks: int = 0
    orphaned_blocks: int = 0
    reversed: int = 0
    seen: int = 0
    registry: int = 0
    """Wallets that the chain now lists, unlists, freezes or frees."""
    booked: int = 0
    settled: int = 0
    cleared: int = 0
    held: int = 0
    rejected: int = 0
    changes: int = 0
    claimed: int = 0
    signed: int = 0
    sent: int = 0
    matched: int = 0
    standby: bool = False
    """Other workers hold lanes and duty; this one only looks on."""
    troubles: dict[str, str] = field(default_factory=dict)
    """What befell single lanes, by signer, or the work beside payments, while others went on."""
    ties: bool = True
    """Whether every balance was the chain's, where this tick compared them."""
    stages: dict[str, float] = field(default_factory=dict)
    """Seconds that each stage took."""

    @property
    def idle(self) -> bool:
        """Whether nothing moved."""
        return not self.moved()

    def moved(self) -> dict[str, int]:
        """Return what moved, by name; without zeros."""
        counts = {name: getattr(self, name) for name in self.__slots__}
        return {
            name: count
            for name, count in counts.items()
            if count and name not in ("head", "standby", "troubles", "ties", "stages")
        }
