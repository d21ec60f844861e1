"""Which windows a date falls into: across months, leap days and the turn of a year."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlement.compliance.limits import Limit
from settlement.compliance.limits.windows import current_end, first_counted, window_ends


@pytest.mark.parametrize(
    ("period", "days", "day", "ends"),
    [
        ("day", 0, "2026-12-31", ("2026-12-31",)),
        ("month", 0, "2026-12-01", ("2026-12-31",)),
        ("month", 0, "2027-02-28", ("2027-02-28",)),
        ("month", 0, "2028-02-01", ("2028-02-29",)),
        ("rolling", 3, "2026-12-30", ("2026-12-30", "2026-12-31", "2027-01-01")),
        # The night in which European clocks go back is a date like any other.
        ("rolling", 2, "2026-10-25", ("2026-10-25", "2026-10-26")),
    ],
)
def test_a_date_has_its_windows(period: str, days: int, day: str, ends: tuple[str, ...]) -> None:
    assert window_ends(period, days, date.fromisoformat(day)) == ends
    assert current_end(period, days, date.fromisoformat(day)) == ends[0]


@given(st.dates(date(2026, 1, 1), date(2030, 1, 1)), st.integers(2, 366), st.integers(-400, 400))
def test_two_dates_share_a_rolling_window_exactly_when_they_are_less_than_its_days_apart(
    day: date, days: int, apart: int
) -> None:
    other = day + timedelta(days=apart)

    shared = set(window_ends("rolling", days, day)) & set(window_ends("rolling", days, other))

    assert bool(shared) == (abs(apart) < days)
    assert first_counted("rolling", days, day) == day - timedelta(days=days - 1)


@pytest.mark.parametrize(
    ("counted_by", "bucket"),
    [("rule", ""), ("debtor", "par_1"), ("creditor", "par_2"), ("pair", "par_1:par_2")],
)
def test_payments_are_added_to_those_of_whom_the_limit_counts(counted_by: str, bucket: str) -> None:
    limit = Limit("lim_1", "n", "0x70", None, None, None, None, counted_by, "day", 0, 1, "", 1, 0)

    assert limit.bucket("par_1", "par_2") == bucket
