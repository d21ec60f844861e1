"""What is reported, when, and by when it has to be filed: data, checked when it is read.

Knows no database; which periods are over is told by `periods`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from settlement.errors import Fatal
from settlement.supervision.business_days import (
    DAYS_MAX,
    after_business_days,
    before_business_days,
    calendar_of,
)
from settlement.supervision.views import VIEWS

SCHEDULE = Path(__file__).with_name("schedule.yaml")
EVERY = ("day", "week", "month", "year")
OUTCOMES = ("BLOCK", "REJECT")
_NEEDED = {"kind", "title", "view", "source", "as_of", "confidence"}
_MAY = {
    "every", "year_ends", "outcome", "not_rules", "since_ever", "jurisdiction", "due", "warn",
    "only_if_any",
}  # fmt: skip
_MONTH_DAY = re.compile(r"(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])\Z", re.ASCII)


class ScheduleInvalid(Fatal):
    """The schedule of reports cannot be used."""

    def __init__(self, kind: str, fault: str) -> None:
        super().__init__(f"schedule of reports, {kind}: {fault}")


@dataclass(frozen=True, slots=True)
class ReportKind:
    """One kind of report. Either `every` or `outcome` says when it is written."""

    kind: str
    title: str
    view: str
    source: str
    every: str | None = None
    year_ends: str = "12-31"
    outcome: str | None = None
    not_rules: frozenset[str] = frozenset()
    since_ever: bool = False
    jurisdiction: str = "eu"
    due_business_days: int | None = None
    due_month_day: str | None = None
    warn: int = 0
    only_if_any: bool = False

    def due(self, end: date) -> date | None:
        """Return the last day on which what ended on `end` is filed in time; None: never filed."""
        if self.due_business_days is not None:
            calendar = calendar_of(self.jurisdiction)
            return after_business_days(calendar, end, self.due_business_days)
        if self.due_month_day is None:
            return None
        due = date.fromisoformat(f"{end.year}-{self.due_month_day}")
        return due if due > end else date.fromisoformat(f"{end.year + 1}-{self.due_month_day}")

    def warned(self, due: date) -> date:
        """Return the day from which a break tells that it is due."""
        return before_business_days(calendar_of(self.jurisdiction), due, self.warn)


@cache
def schedule() -> tuple[ReportKind, ...]:
    """Return the schedule as shipped.

    Raises:
        ScheduleInvalid: it cannot be used.
    """
    return read_schedule(SCHEDULE.read_bytes())


def read_schedule(content: bytes) -> tuple[ReportKind, ...]:
    """Return the kinds of report of a file.

    Raises:
        ScheduleInvalid: unknown or missing members, a view, period or date that is none.
    """
    try:
        plain = yaml.safe_load(content)
    except yaml.YAMLError as error:
        raise ScheduleInvalid("file", f"is no YAML: {error}") from error
    if not isinstance(plain, dict) or set(plain) != {"version", "reports"}:
        raise ScheduleInvalid("file", "needs version and reports")
    kinds = tuple(_kind(raw) for raw in plain["reports"])
    names = [each.kind for each in kinds]
    if len(names) != len(set(names)):
        raise ScheduleInvalid("file", "a kind is there twice")
    return kinds


def _kind(raw: Mapping[str, Any]) -> ReportKind:
    name = str(raw.get("kind"))
    if not set(raw) >= _NEEDED or set(raw) - _NEEDED - _MAY:
        raise ScheduleInvalid(
            name, f"needs {', '.join(sorted(_NEEDED))}; unknown members are refused"
        )
    if raw["view"] not in VIEWS:
        raise ScheduleInvalid(name, f"there is no view {raw['view']!r}")
    told = (raw.get("every"), raw.get("outcome"))
    if told not in {*((every, None) for every in EVERY), *((None, each) for each in OUTCOMES)}:
        raise ScheduleInvalid(name, "is written every day, week, month or year, or on a decision")
    due = raw.get("due") or {}
    days, month_day = due.get("business_days"), due.get("date")
    if due and (len(due) != 1 or not (_is_count(days) or _is_month_day(month_day))):
        raise ScheduleInvalid(name, "is due {business_days: N} or {date: MM-DD}")
    if not _is_month_day(raw.get("year_ends", "12-31")):
        raise ScheduleInvalid(name, "its year ends on a day MM-DD")
    return ReportKind(
        kind=name,
        title=raw["title"],
        view=raw["view"],
        source=raw["source"],
        every=raw.get("every"),
        year_ends=raw.get("year_ends", "12-31"),
        outcome=raw.get("outcome"),
        not_rules=frozenset(raw.get("not_rules", ())),
        since_ever=bool(raw.get("since_ever", False)),
        jurisdiction=raw.get("jurisdiction", "eu"),
        due_business_days=days,
        due_month_day=month_day,
        warn=int(raw.get("warn", 0)),
        only_if_any=bool(raw.get("only_if_any", False)),
    )


def _is_count(value: object) -> bool:
    return isinstance(value, int) and 0 < value <= DAYS_MAX


def _is_month_day(value: object) -> bool:
    return isinstance(value, str) and bool(_MONTH_DAY.match(value)) and value != "02-29"
