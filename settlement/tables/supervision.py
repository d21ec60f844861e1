"""What was written for the supervisor, and what of it has to be filed by when."""

from sqlalchemy import CheckConstraint, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from settlement.tables.columns import big, moment, only, text


class SupervisorReport(SQLModel, table=True):
    """A report as it was written: once for its period or decision, whatever came after."""

    __tablename__ = "supervisor_report"
    __table_args__ = (
        CheckConstraint("state IN ('written', 'due', 'overdue', 'filed')"),
        CheckConstraint("(state = 'written') = (due_date IS NULL)"),
        CheckConstraint("(state = 'filed') = (reference IS NOT NULL)"),
        CheckConstraint("(reference IS NULL) = (filed_by IS NULL)"),
        CheckConstraint("(reference IS NULL) = (filed_at IS NULL)"),
        UniqueConstraint("kind", "subject", name="supervisor_report_once"),
        Index("supervisor_report_by_subject", "subject"),
        Index("supervisor_report_due", "due_date", **only("state IN ('due', 'overdue')")),
    )
    id: str = text(primary_key=True)
    kind: str = text()
    """Of the schedule."""
    subject: str = text()
    """What it is about once: the clearance, or the last day of the period."""
    settlement_id: str | None = text(foreign_key="settlement.id", default=None)
    title: str = text()
    period_first: str = text()
    period_last: str = text()
    jurisdiction: str = text()
    """Whose business days count."""
    state: str = text()
    due_date: str | None = text(default=None)
    """The last day on which it is filed in time."""
    warn_date: str | None = text(default=None)
    """The day from which a break tells of it."""
    row_count: int = big()
    sha256: str = text()
    """Of the content before it was packed."""
    content: bytes = Field(sa_type=LargeBinary)
    """Columns and rows as JSON, packed by zlib."""
    written_at: int = moment()
    filed_at: int | None = moment(default=None)
    filed_by: str | None = text(default=None)
    reference: str | None = text(default=None)
    """What whoever took it calls it."""
