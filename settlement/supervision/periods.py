"""Periods that are over: which days, weeks, months and years ended between two dates. Pure.

Dates are UTC. A week is Monday to Sunday; a year ends on the day that it is given.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

_DAY = timedelta(days=1)


class Span(NamedTuple):
    """A time, both days included."""

    first: date
    last: date


def ended(every: str, *, since: date, today: date, year_ends: str = "12-31") -> Iterator[Span]:
    """Yield, oldest first, each period whose last day is `since` or later and is over `today`."""
    last = _last_day(every, since, year_ends)
    while last < today:
        yield Span(_first_day(every, last), last)
        last = _last_day(every, last + _DAY, year_ends)


def _last_day(every: str, day: date, year_ends: str) -> date:
    """Return the last day of the period that `day` is in."""
    if every == "day":
        return day
    if every == "week":
        return day + timedelta(days=6 - day.weekday())
    if every == "month":
        return day.replace(day=monthrange(day.year, day.month)[1])
    end = date.fromisoformat(f"{day.year}-{year_ends}")
    return end if end >= day else date.fromisoformat(f"{day.year + 1}-{year_ends}")


def _first_day(every: str, last: date) -> date:
    if every == "day":
        return last
    if every == "week":
        return last - timedelta(days=6)
    if every == "month":
        return last.replace(day=1)
    return date(last.year - 1, last.month, last.day) + _DAY
