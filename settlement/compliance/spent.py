"""What each debtor's wallet has spent of each token on the chain's current day, by its own events.

Kept up to the last final block, where nothing changes any more: a reading costs what came since,
however much was paid that day. Asks no node.
"""

from __future__ import annotations

from sqlmodel import Session

from settlement.store.bulk import rows

SECONDS_OF_A_DAY = 86_400

_FINAL = "SELECT number FROM cursor WHERE name = 'final'"
# From the newest block down: a day's blocks at most, and once a day.
_BEFORE_TODAY = (
    "SELECT number FROM block WHERE canonical AND timestamp < ? ORDER BY number DESC LIMIT 1"
)
_SETTLED = (
    "SELECT l.debtor, l.token, CAST(SUM(l.amount_minor) AS BIGINT) FROM chain_log l"
    " JOIN block b ON b.hash = l.block_hash AND b.canonical"
    " AND b.timestamp >= ?"
    " WHERE l.name = 'Settled' AND l.block_number > ? AND l.block_number <= ?"
    " GROUP BY l.debtor, l.token"
)
_NO_BLOCK = 2**62

Spent = dict[tuple[str, str], int]
"""Minor units by debtor's wallet and token."""


class SpentToday:
    """One worker's sums of a day: facts of final blocks alone, which no rollback undoes."""

    def __init__(self) -> None:
        self._day_start = -1
        self._through = -1
        self._sums: Spent = {}

    def read(self, session: Session, chain_seconds: int) -> Spent:
        """Return the sums of the UTC day that the chain's time `chain_seconds` is in."""
        day_start = chain_seconds - chain_seconds % SECONDS_OF_A_DAY
        final = rows(session, _FINAL)
        newest = final[0][0] if final else -1
        if day_start != self._day_start:
            before = rows(session, _BEFORE_TODAY, (day_start,))
            # A block of yesterday that is not final may come back as one of today.
            through = min(before[0][0], newest) if before else -1
            self._day_start, self._through, self._sums = day_start, through, {}
        if newest > self._through:
            self._add(self._sums, session, newest)
            self._through = newest
        sums = dict(self._sums)
        self._add(sums, session, _NO_BLOCK)
        return sums

    def _add(self, sums: Spent, session: Session, through: int) -> None:
        found = rows(session, _SETTLED, (self._day_start, self._through, through))
        for debtor, token, minor in found:
            sums[debtor, token] = sums.get((debtor, token), 0) + minor
