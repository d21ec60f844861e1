"""Which value date an entry gets: its own, or the first day that is not closed.

Closes nothing: `periods` does. What counts is the value date. An entry whose value date lies in a
closed period (a late booking, or the reversal of something in there) is booked on the first open
day instead and says so in its reason, so that no closed period ever changes and no posting run
ever stops because of one.
"""

from __future__ import annotations

from datetime import date, timedelta

from sqlmodel import Session

from settlement.ledger.entries import Entry

NOTHING_CLOSED = ""
"""Before every ISO 8601 date."""

CLOSED_THROUGH = "SELECT MAX(last_date) FROM accounting_period WHERE state = 'closed'"


def closed_through(session: Session) -> str:
    """Return the last day that is closed, `""` if none is. Periods have no gaps before it."""
    found = session.connection().exec_driver_sql(CLOSED_THROUGH).scalar()
    return found or NOTHING_CLOSED


def first_open_day(closed: str) -> str:
    """Return the day after `closed`."""
    return (date.fromisoformat(closed) + timedelta(days=1)).isoformat()


def in_open_period(entry: Entry, value_date: str, closed: str) -> Entry:
    """Return the entry with a value date that is open, `value_date` if that is. Pure."""
    if value_date > closed:
        return entry._replace(value_date=value_date)
    moved = f"value date {value_date} lies in a closed period"
    reason = f"{entry.reason}; {moved}" if entry.reason else moved
    return entry._replace(value_date=first_open_day(closed), reason=reason)
