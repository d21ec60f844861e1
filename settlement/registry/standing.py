"""The four things that a wallet can be on a contract, which of them bind it, and the logs' words.

Values only.
"""

from __future__ import annotations

from enum import StrEnum


class Standing(StrEnum):
    """What a wallet is: the first two on the rail, the others on a token."""

    LISTED = "listed"
    UNLISTED = "unlisted"
    FROZEN = "frozen"
    FREE = "free"

    @property
    def binds(self) -> bool:
        """Whether the wallet can neither pay nor be paid while it is this."""
        return self in (Standing.UNLISTED, Standing.FROZEN)


class Source(StrEnum):
    """The sides that say what a wallet is to be. The strictest of them holds."""

    PARTICIPANT = "participant"
    """The state of the company that owns it."""
    SCREENING = "screening"
    """A hit that was confirmed, or one that nobody has looked at."""
    COMPLIANCE = "compliance"
    """A person."""


LOGS = {
    "ParticipantListed": Standing.LISTED,
    "ParticipantUnlisted": Standing.UNLISTED,
    "Frozen": Standing.FROZEN,
    "Unfrozen": Standing.FREE,
}
"""What a wallet is after a log of this name."""


def before_any_log(*, is_rail: bool) -> Standing:
    """Return what a wallet is on a contract that never said a word of it."""
    return Standing.UNLISTED if is_rail else Standing.FREE


def strictest(wanted: set[Standing]) -> Standing:
    """Return what holds where several sides want something of one wallet and contract."""
    return next((each for each in wanted if each.binds), next(iter(wanted)))
