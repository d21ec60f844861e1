"""Accounting periods, closed by two people, and the thresholds that balances are watched for."""

from sqlalchemy import CheckConstraint, Index
from sqlmodel import SQLModel

from settlement.tables.columns import big, moment, only, text


class AccountingPeriod(SQLModel, table=True):
    """A range of value dates. Closed, it takes no entry any more; triggers hold that."""

    __tablename__ = "accounting_period"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'closed')"),
        CheckConstraint("first_date <= last_date"),
        # A second person: nobody approves the close that they have asked for.
        CheckConstraint("closed_by <> approved_by"),
        CheckConstraint("(state = 'closed') = (approved_by IS NOT NULL)"),
        CheckConstraint("(approved_by IS NULL) = (approved_at IS NULL)"),
        # One at a time is asked to be closed.
        Index("period_open_once", "state", unique=True, **only("state = 'open'")),
    )
    id: str = text(primary_key=True)
    """`2026-10`, or `2026-10-01_2026-10-15` for another range than a month."""
    first_date: str = text(unique=True)
    last_date: str = text(unique=True)
    state: str = text()
    """open: its close is asked for; closed: approved, for good."""
    trial_sha256: str = text()
    """SHA-256 of the trial balance at the end of `last_date`."""
    head_seq: int = big()
    """Newest entry of the journal when it was added up; once closed, when it was closed."""
    closed_by: str = text()
    closed_at: int = moment()
    approved_by: str | None = text(default=None)
    approved_at: int | None = moment(default=None)


class BalanceMonitor(SQLModel, table=True):
    """Bounds that the balance of an account, or of each account of a pattern, should keep."""

    __tablename__ = "balance_monitor"
    __table_args__ = (
        CheckConstraint("lower_minor IS NOT NULL OR upper_minor IS NOT NULL"),
        CheckConstraint("lower_minor <= upper_minor"),
    )
    id: str = text(primary_key=True)
    name: str = text()
    pattern: str = text()
    """An account's code; `*` stands for any characters."""
    lower_minor: int | None = big(default=None)
    upper_minor: int | None = big(default=None)
    created_by: str = text()
    created_at: int = moment()
    retired_at: int | None = moment(default=None)
    checked_seq: int = big(default=0)
    """Newest entry that it has been checked against."""


class MonitorCrossing(SQLModel, table=True):
    """A balance that left its bounds, or came back. Append-only; the newest is how it stands."""

    __tablename__ = "monitor_crossing"
    __table_args__ = (
        CheckConstraint("side IN ('below', 'within', 'above')"),
        Index("crossing_by_account", "monitor_id", "code", "id"),
    )
    id: int | None = big(default=None, primary_key=True)
    monitor_id: str = text(foreign_key="balance_monitor.id")
    code: str = text()
    side: str = text()
    balance_high: int = big()
    """How often 2^32 is to be added to `balance_minor`: wei do not always fit 63 bits."""
    balance_minor: int = big()
    entry_seq: int = big()
    """Newest entry of the journal when it was seen."""
    at: int = moment()
