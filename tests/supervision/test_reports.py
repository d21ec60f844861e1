"""Reports: one for each period and decision, whoever crashes; due, overdue, filed by a person."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from settlement.errors import Invalid, NotFound
from settlement.store import reading, transaction
from settlement.supervision import deadlines, reports
from settlement.supervision.reports import NothingToFile, Report
from settlement.supervision.schedule import ReportKind, schedule
from tests.builders.rail import Rail
from tests.supervision.decisions import decided

MONDAY = datetime(2026, 11, 30, 9, 30, tzinfo=UTC)


def _run(rail: Rail, now: datetime) -> int:
    with transaction(rail.engine) as session:
        written = reports.write_due(session, now)
        reports.let_fall_due(session, now.date())
        deadlines.watch(session, now)
    return written


def _written(rail: Rail, kind: str) -> list[Report]:
    ids = rail.rows("SELECT id FROM supervisor_report WHERE kind = :k ORDER BY subject", k=kind)
    with reading(rail.engine) as session:
        return [reports.find(session, row.id) for row in ids]


def _breaks(rail: Rail) -> list[tuple[str, str, bool]]:
    rows = rail.rows("SELECT subject, severity, closed_at FROM settlement_break"
                     " WHERE kind = 'report_due' ORDER BY id")  # fmt: skip
    return [(row.subject, row.severity, row.closed_at is None) for row in rows]


@pytest.mark.parametrize(
    ("outcome", "kind"), [("BLOCK", "blocked_property"), ("REJECT", "rejected_transaction")]
)
def test_a_decision_starts_the_clock_of_ten_business_days(
    rail: Rail, outcome: str, kind: str
) -> None:
    clearance = decided(rail, outcome, MONDAY)

    _run(rail, MONDAY + timedelta(minutes=1))
    _run(rail, MONDAY + timedelta(minutes=2))

    (report,) = _written(rail, kind)
    assert (report.subject, report.state) == (clearance, "due")
    assert (report.due_date, report.warn_date) == ("2026-12-14", "2026-12-09")
    with reading(rail.engine) as session:
        columns, rows = reports.content(session, report.id)
    row = dict(zip([column.name for column in columns], rows[0], strict=True))
    assert (row["amount"], row["asset"], row["found"]) == ("1000.000000", "TUSD", "US-04: listed")


def test_a_payment_that_is_tried_again_before_its_report_is_filed_is_one_matter(
    rail: Rail,
) -> None:
    first = decided(rail, "REJECT", MONDAY)
    key = rail.one("SELECT settlement_id FROM clearance WHERE id = :id", id=first)
    _run(rail, MONDAY)
    decided(rail, "REJECT", MONDAY + timedelta(hours=1), key=key)
    _run(rail, MONDAY + timedelta(hours=1))
    (report,) = _written(rail, "rejected_transaction")

    _file(rail, report.id, MONDAY)
    decided(rail, "REJECT", MONDAY + timedelta(hours=2), key=key)
    _run(rail, MONDAY + timedelta(hours=2))

    subjects = {each.subject for each in _written(rail, "rejected_transaction")}
    assert first in subjects and len(subjects) == 2


def test_of_two_refusals_of_one_payment_that_are_met_at_once_the_first_starts_the_clock(
    rail: Rail,
) -> None:
    first = decided(rail, "BLOCK", MONDAY)
    key = rail.one("SELECT settlement_id FROM clearance WHERE id = :id", id=first)
    decided(rail, "BLOCK", MONDAY + timedelta(days=1), key=key)

    _run(rail, MONDAY + timedelta(days=2))

    (report,) = _written(rail, "blocked_property")
    assert (report.subject, report.period_last) == (first, "2026-11-30")
    assert report.due_date == "2026-12-14", "from the decision on, whenever it is written"


@pytest.mark.parametrize(
    ("day", "state", "severity"),
    [
        ("2026-12-08", "due", None),
        ("2026-12-09", "due", "high"),
        ("2026-12-14", "due", "high"),
        ("2026-12-15", "overdue", "critical"),
    ],
)
def test_a_deadline_is_told_three_business_days_before_and_is_missed_the_day_after(
    rail: Rail, day: str, state: str, severity: str | None
) -> None:
    decided(rail, "BLOCK", MONDAY)
    _run(rail, MONDAY)

    _run(rail, datetime.fromisoformat(f"{day}T12:00:00+00:00"))

    (report,) = _written(rail, "blocked_property")
    assert report.state == state
    told = [each for each in _breaks(rail) if each[0] == report.id]
    assert told == ([(report.id, severity, True)] if severity else [])


def _file(rail: Rail, report_id: str, now: datetime, reference: str = "BLK-1") -> Report:
    with transaction(rail.engine) as session:
        return reports.file(
            session, report_id, reference=reference, actor="compliance:per_1", now=now
        )


def test_filing_closes_the_break_and_is_done_once(rail: Rail) -> None:
    decided(rail, "BLOCK", MONDAY)
    _run(rail, MONDAY)
    late = MONDAY + timedelta(days=20)
    _run(rail, late)
    (report,) = _written(rail, "blocked_property")

    filed = _file(rail, report.id, late)
    _run(rail, late)

    assert (filed.state, filed.reference, filed.filed_by) == ("filed", "BLK-1", "compliance:per_1")
    assert [each for each in _breaks(rail) if each[0] == report.id] == [
        (report.id, "critical", False)
    ]
    with pytest.raises(NothingToFile):
        _file(rail, report.id, late)
    with pytest.raises(NotFound):
        _file(rail, "rep_nothing", late)
    with pytest.raises(Invalid):
        _file(rail, report.id, late, " ")


def test_periods_are_written_once_and_after_a_downtime_each_has_its_own(rail: Rail) -> None:
    _run(rail, MONDAY)
    assert _written(rail, "daily_transactions") == []
    _run(rail, MONDAY + timedelta(days=1))

    for _ in range(3):
        _run(rail, MONDAY + timedelta(days=9))

    days = [each.subject for each in _written(rail, "daily_transactions")]
    assert days == ["2026-11-30"] + [f"2026-12-0{day}" for day in range(1, 9)]
    weeks = [(each.period_first, each.period_last) for each in _written(rail, "weekly_holdings")]
    assert weeks == [("2026-11-30", "2026-12-06")]
    months = [each.period_last for each in _written(rail, "monthly_participants")]
    assert months == ["2026-11-30"]
    assert {each.state for each in _written(rail, "daily_transactions")} == {"written"}


def test_a_long_downtime_is_caught_up_with_in_bounded_steps(rail: Rail) -> None:
    _run(rail, MONDAY)
    later = MONDAY + timedelta(days=120)

    steps = [_run(rail, later) for _ in range(8)]

    assert max(steps) <= reports.WRITTEN_MAX and steps[-1] == 0
    days = [each.subject for each in _written(rail, "daily_transactions")]
    assert len(days) == 120 and days[-1] == "2027-03-29"


@pytest.mark.parametrize(
    ("has_blocked", "written_on", "state"),
    [
        (False, date(2027, 7, 1), "written"),
        (True, date(2027, 7, 1), "due"),
        (True, date(2027, 10, 1), "overdue"),
    ],
)
def test_the_annual_report_is_as_of_june_and_due_in_september_if_there_is_anything(
    rail: Rail, has_blocked: bool, written_on: date, state: str
) -> None:
    _run(rail, MONDAY)
    if has_blocked:  # In the year before: it is blocked still.
        decided(rail, "BLOCK", MONDAY - timedelta(days=200))
    while _run(rail, datetime.combine(written_on, time(), UTC)):
        pass

    (report,) = _written(rail, "annual_blocked_property")

    assert (report.period_first, report.period_last) == ("2026-07-01", "2027-06-30")
    expected: Any = (state, "2027-09-30", 1) if has_blocked else (state, None, 0)
    assert (report.state, report.due_date, report.row_count) == expected


def test_the_shipped_schedule_asks_for_these_reports_by_these_days() -> None:
    fields = ("view", "every", "outcome", "since_ever", "jurisdiction", "due_business_days",
              "due_month_day", "warn", "only_if_any")  # fmt: skip
    shipped = {each.kind: each for each in schedule()}

    assert {
        kind: tuple(getattr(each, field) for field in fields) for kind, each in shipped.items()
    } == {
        "blocked_property": ("blocked", None, "BLOCK", False, "us", 10, None, 3, False),
        "rejected_transaction": ("rejected", None, "REJECT", False, "us", 10, None, 3, False),
        "annual_blocked_property": (
            "blocked", "year", None, True, "us", None, "09-30", 20, True,
        ),
        "daily_transactions": ("transactions", "day", None, False, "eu", None, None, 0, False),
        "weekly_holdings": ("holdings", "week", None, False, "eu", None, None, 0, False),
        "monthly_transactions": ("transactions", "month", None, False, "eu", 10, None, 3, True),
        "monthly_participants": ("participants", "month", None, True, "eu", None, None, 0, False),
        "monthly_screenings": ("screenings", "month", None, False, "eu", None, None, 0, False),
    }  # fmt: skip
    assert shipped["annual_blocked_property"].year_ends == "06-30"
    not_rules = {kind: each.not_rules for kind, each in shipped.items() if each.not_rules}
    assert not_rules == {"rejected_transaction": {"BASE-01", "BASE-02", "BASE-03"}}


def test_what_is_due_on_the_very_day_on_which_its_year_ends_is_due_a_year_later() -> None:
    kind = ReportKind("k", "a report", "blocked", "a test", every="year", due_month_day="06-30")

    assert kind.due(date(2026, 6, 30)) == date(2027, 6, 30)
    assert kind.due(date(2026, 6, 29)) == date(2026, 6, 30)


def test_two_who_write_at_once_write_it_once(rail: Rail) -> None:
    decided(rail, "BLOCK", MONDAY)
    now = MONDAY + timedelta(days=3)
    with pytest.raises(RuntimeError), transaction(rail.engine) as session:
        reports.write_due(session, now)
        raise RuntimeError("killed before the commit")
    assert _written(rail, "blocked_property") == []

    _run(rail, now)
    rail.write("DELETE FROM cursor WHERE name LIKE 'supervision:%'")
    _run(rail, now)

    assert len(_written(rail, "blocked_property")) == 1
    with pytest.raises(DBAPIError):
        rail.write(
            "INSERT INTO supervisor_report SELECT 'rep_x', kind, subject, settlement_id, title,"
            " period_first, period_last, jurisdiction, state, due_date, warn_date, row_count,"
            " sha256, content, written_at, filed_at, filed_by, reference FROM supervisor_report"
        )


def test_what_was_written_stays_as_it_was(rail: Rail) -> None:
    decided(rail, "BLOCK", MONDAY)
    _run(rail, MONDAY)
    (report,) = _written(rail, "blocked_property")

    rail.write("UPDATE participant SET name = 'Renamed' WHERE id = :id", id=rail.companies.buyer)

    with reading(rail.engine) as session:
        _columns, rows = reports.content(session, report.id)
    assert "Al Noor Trading LLC" in rows[0] and "Renamed" not in rows[0]


def test_a_day_without_a_refusal_is_not_looked_at_again(rail: Rail) -> None:
    _run(rail, MONDAY)
    early = decided(rail, "BLOCK", MONDAY - timedelta(hours=1))
    late = decided(rail, "BLOCK", MONDAY - timedelta(minutes=9))

    _run(rail, MONDAY + timedelta(minutes=1))

    # Clocks of several machines differ by minutes, not by hours.
    subjects = [each.subject for each in _written(rail, "blocked_property")]
    assert late in subjects and early not in subjects
