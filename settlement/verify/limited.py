"""LIMITS: what is used of each limit is what its payments take, and nobody who has ended takes any.

Adds the windows up by itself; decides nothing about whether a limit was right.
"""

from __future__ import annotations

from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta

from settlement.verify.database import Database
from settlement.verify.findings import Finding

_LIMITS = "SELECT id, period, days FROM payment_limit"
_USES = (
    "SELECT u.limit_id, u.bucket, u.business_date, u.amount_minor, u.settlement_id, s.state,"
    " s.amount_minor FROM limit_use u JOIN settlement s ON s.id = u.settlement_id"
    " WHERE u.live ORDER BY u.id"
)
_COUNTERS = "SELECT limit_id, bucket, window_end, used_minor FROM limit_counter"
_ALONE = "SELECT limit_id FROM payment_limit_change WHERE asked_by = approved_by"


def limited(database: Database) -> Finding:
    """Return the check LIMITS."""
    finding = Finding("LIMITS", "limits count what is paid or may be, and nothing else")
    periods = {key: (period, days) for key, period, days in database.rows(_LIMITS)}
    used: dict[tuple[str, str, str], int] = defaultdict(int)
    uses = 0
    for limit, bucket, day, minor, settlement, state, amount in database.stream(_USES):
        uses += 1
        if state in ("REJECTED", "CANCELLED"):
            finding.against(f"{settlement} is {state} and still takes {minor} of {limit}")
        if minor != amount:
            finding.against(f"{settlement} pays {amount} and takes {minor} of {limit}")
        for end in _ends(*periods[limit], date.fromisoformat(day)):
            used[limit, bucket, end] += minor
    for limit, bucket, end, kept in database.stream(_COUNTERS):
        added_up = used.pop((limit, bucket, end), 0)
        if kept != added_up:
            finding.against(f"{limit} of {bucket or 'all'} to {end}: {kept}, taken are {added_up}")
    for (limit, bucket, end), minor in sorted(used.items()):
        finding.against(f"{limit} of {bucket or 'all'} to {end}: no counter, taken are {minor}")
    for (limit,) in database.rows(_ALONE):
        finding.against(f"{limit} was changed by one hand")
    finding.counts = {"limits": len(periods), "uses": uses}
    return finding


def _ends(period: str, days: int, day: date) -> Iterator[str]:
    """Yield the last date of every window that `day` counts in."""
    if period == "month":
        yield day.replace(day=monthrange(day.year, day.month)[1]).isoformat()
        return
    for after in range(days or 1):
        yield (day + timedelta(days=after)).isoformat()
