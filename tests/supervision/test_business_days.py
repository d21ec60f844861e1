"""Business days: across weekends, holidays, the turn of a year, and behind what a file covers."""

from datetime import date

import pytest

from settlement.supervision.business_days import (
    CalendarInvalid,
    after_business_days,
    before_business_days,
    calendar_of,
    read_calendar,
)
from settlement.supervision.periods import Span, ended

GOOD = b"""
jurisdiction: xx
title: Somewhere
source: nobody
as_of: 2026-11-01
confidence: low
weekend: [fri, sat]
years: [2026]
holidays: {2026-12-01: A day}
"""


@pytest.mark.parametrize(
    ("jurisdiction", "decided", "due"),
    [
        # A plain fortnight: ten business days are two weeks.
        ("us", "2026-11-30", "2026-12-14"),
        # Decided at a weekend: the first day that counts is Monday.
        ("us", "2026-12-05", "2026-12-18"),
        ("us", "2026-12-06", "2026-12-18"),
        # Thanksgiving is one day more, Christmas and New Year one each.
        ("us", "2026-11-25", "2026-12-10"),
        ("us", "2026-12-18", "2027-01-05"),
        # Independence Day of 2026 is a Saturday: offices are closed on the Friday before.
        ("us", "2026-06-30", "2026-07-15"),
        # 1 January 2028 is a Saturday, kept on the last day of 2027; what follows is not covered.
        ("us", "2027-12-20", "2028-01-05"),
        ("eu", "2026-12-23", "2027-01-08"),
        ("eu", "2026-04-01", "2026-04-17"),
        ("gb", "2026-12-23", "2027-01-11"),
    ],
)
def test_ten_business_days_after_a_decision(jurisdiction: str, decided: str, due: str) -> None:
    calendar = calendar_of(jurisdiction)

    found = after_business_days(calendar, date.fromisoformat(decided), 10)

    assert found == date.fromisoformat(due)
    assert calendar.is_open(found)


def test_counting_back_comes_to_an_open_day() -> None:
    us = calendar_of("us")

    assert before_business_days(us, date(2026, 12, 14), 3) == date(2026, 12, 9)
    assert before_business_days(us, date(2026, 11, 30), 1) == date(2026, 11, 27)
    assert before_business_days(us, date(2026, 11, 29), 0) == date(2026, 11, 29)


def test_every_calendar_covers_this_year_and_the_next_with_days_that_are_no_weekends() -> None:
    for jurisdiction in ("us", "eu", "gb"):
        calendar = calendar_of(jurisdiction)
        assert calendar.covers(date(2026, 1, 1), date(2027, 12, 31))
        assert not calendar.covers(date(2027, 12, 31), date(2028, 1, 1))
        if jurisdiction != "eu":  # TARGET's days are named even where they fall on a weekend.
            assert all(day.weekday() < 5 for day in calendar.holidays), jurisdiction


def test_a_calendar_is_read_with_its_own_weekend() -> None:
    calendar = read_calendar("xx", GOOD)

    assert not calendar.is_open(date(2026, 12, 4)) and calendar.is_open(date(2026, 12, 6))
    assert not calendar.is_open(date(2026, 12, 1))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"weekend: [fri, sat]", b"weekend: []"),
        (b"weekend: [fri, sat]", b"weekend: [friday]"),
        (b"years: [2026]", b"years: [2027]"),
        (b"title: Somewhere", b"name: Somewhere"),
        (b"2026-12-01: A day", b"soon: A day"),
        (b"holidays: {", b"holidays: ["),
    ],
)
def test_a_calendar_that_is_not_whole_is_refused(before: bytes, after: bytes) -> None:
    with pytest.raises(CalendarInvalid):
        read_calendar("xx", GOOD.replace(before, after))


def test_an_unknown_jurisdiction_has_no_calendar() -> None:
    with pytest.raises(CalendarInvalid):
        calendar_of("atlantis")


@pytest.mark.parametrize(
    ("every", "since", "today", "spans"),
    [
        ("day", "2026-12-30", "2027-01-01", [("2026-12-30", "2026-12-30"),
                                               ("2026-12-31", "2026-12-31")]),
        ("day", "2026-12-30", "2026-12-30", []),
        # The week that 30 November begins is over on 7 December.
        ("week", "2026-11-30", "2026-12-06", []),
        ("week", "2026-11-30", "2026-12-07", [("2026-11-30", "2026-12-06")]),
        ("month", "2026-11-30", "2027-01-31", [("2026-11-01", "2026-11-30"),
                                                 ("2026-12-01", "2026-12-31")]),
        ("month", "2028-02-10", "2028-03-01", [("2028-02-01", "2028-02-29")]),
        ("year", "2026-11-30", "2027-07-01", [("2026-07-01", "2027-06-30")]),
        ("year", "2026-06-30", "2026-06-30", []),
        ("year", "2026-06-30", "2026-07-01", [("2025-07-01", "2026-06-30")]),
    ],
)  # fmt: skip
def test_the_periods_that_are_over(
    every: str, since: str, today: str, spans: list[tuple[str, str]]
) -> None:
    found = ended(
        every, since=date.fromisoformat(since), today=date.fromisoformat(today), year_ends="06-30"
    )

    expected = [Span(date.fromisoformat(a), date.fromisoformat(b)) for a, b in spans]
    assert list(found) == expected
