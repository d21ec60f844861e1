"""Business days of a jurisdiction: its weekend and its holidays, from dated data files. Pure.

Days are UTC dates. Behind the years that a file covers only weekends count: a deadline is then
found too early rather than too late, and the calendar says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import yaml

from settlement.errors import Fatal

CALENDARS = Path(__file__).with_name("calendars")
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_KEYS = {
    "jurisdiction", "title", "source", "as_of", "confidence", "weekend", "years", "holidays",
}  # fmt: skip
_DAY = timedelta(days=1)
DAYS_MAX = 260
"""More business days than this are no deadline that anybody has."""


class CalendarInvalid(Fatal):
    """A calendar's file is not what it has to be."""

    def __init__(self, name: str, fault: str) -> None:
        super().__init__(f"calendar {name}: {fault}")


@dataclass(frozen=True, slots=True)
class Calendar:
    """A jurisdiction's days off."""

    jurisdiction: str
    title: str
    source: str
    as_of: date
    confidence: str
    weekend: frozenset[int]
    """0 is Monday."""
    years: frozenset[int]
    holidays: Mapping[date, str]

    def is_open(self, day: date) -> bool:
        """Whether offices work on this day, as far as the file knows."""
        return day.weekday() not in self.weekend and day not in self.holidays

    def covers(self, first: date, last: date) -> bool:
        """Whether holidays are known for every year of this time."""
        return set(range(first.year, last.year + 1)) <= self.years


def after_business_days(calendar: Calendar, start: date, count: int) -> date:
    """Return the `count`-th business day after `start`, which itself never counts."""
    assert 0 < count <= DAYS_MAX
    day = start
    while count:
        day += _DAY
        count -= calendar.is_open(day)
    return day


def before_business_days(calendar: Calendar, end: date, count: int) -> date:
    """Return the `count`-th business day before `end`."""
    assert 0 <= count <= DAYS_MAX
    day = end
    while count:
        day -= _DAY
        count -= calendar.is_open(day)
    return day


@cache
def calendar_of(jurisdiction: str) -> Calendar:
    """Return a jurisdiction's calendar as shipped.

    Raises:
        CalendarInvalid: there is none, or its file cannot be used.
    """
    path = CALENDARS / f"{jurisdiction}.yaml"
    if not path.is_file():
        raise CalendarInvalid(jurisdiction, "there is no such file")
    return read_calendar(path.name, path.read_bytes())


def read_calendar(name: str, content: bytes) -> Calendar:
    """Return the calendar of a file.

    Raises:
        CalendarInvalid: unknown or missing members, a day off its years, no weekend.
    """
    try:
        plain = yaml.safe_load(content)
    except yaml.YAMLError as error:
        raise CalendarInvalid(name, f"is no YAML: {error}") from error
    if not isinstance(plain, dict) or set(plain) != _KEYS:
        raise CalendarInvalid(name, f"needs {', '.join(sorted(_KEYS))}, and nothing else")
    weekend = frozenset(_WEEKDAYS.index(day) for day in plain["weekend"] if day in _WEEKDAYS)
    if not 0 < len(weekend) == len(plain["weekend"]) < 7:
        raise CalendarInvalid(name, "weekend names days such as sat and sun, not all of them")
    years, holidays = frozenset(plain["years"]), plain["holidays"]
    for day in holidays:
        if not isinstance(day, date) or day.year not in years:
            raise CalendarInvalid(name, f"{day!r} is no day of its years")
    return Calendar(
        jurisdiction=plain["jurisdiction"],
        title=plain["title"],
        source=plain["source"],
        as_of=plain["as_of"],
        confidence=plain["confidence"],
        weekend=weekend,
        years=years,
        holidays=holidays,
    )
