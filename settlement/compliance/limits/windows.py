"""Which windows a business date falls into: one for a day or month, N for N rolling days. Pure.

Dates are UTC calendar dates, so that no day has 23 or 25 hours. A window is named by its last date.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta


def window_ends(period: str, days: int, day: date) -> tuple[str, ...]:
    """Return the last date of each window that counts a payment of `day`, in order.

    A payment of one day counts in each of the N windows of N days that hold it: the limit is kept
    when none of them is over it.
    """
    if period == "day":
        return (day.isoformat(),)
    if period == "month":
        return (day.replace(day=monthrange(day.year, day.month)[1]).isoformat(),)
    return tuple((day + timedelta(days=after)).isoformat() for after in range(days))


def first_counted(period: str, days: int, day: date) -> date:
    """Return the first date that the window ending on or holding `day` counts."""
    if period == "day":
        return day
    if period == "month":
        return day.replace(day=1)
    return day - timedelta(days=days - 1)


def current_end(period: str, days: int, day: date) -> str:
    """Return the window in which `day` stands as the newest date."""
    return window_ends(period, days, day)[0]
