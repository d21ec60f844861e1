"""Requests for information: what is asked of whom about a payment, and what was answered."""

from sqlalchemy import CheckConstraint, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from settlement.tables.columns import big, moment, text


class Inquiry(SQLModel, table=True):
    """A question about one payment, asked of one of its parties; holds it until it is accepted."""

    __tablename__ = "inquiry"
    __table_args__ = (
        CheckConstraint("state IN ('OPEN', 'ANSWERED', 'OVERDUE', 'ACCEPTED', 'CANCELLED')"),
        CheckConstraint("(state IN ('ACCEPTED', 'CANCELLED')) = (closed_at IS NOT NULL)"),
        Index("inquiry_by_state", "state", "due_date"),
    )
    id: str = text(primary_key=True)
    settlement_id: str = text(foreign_key="settlement.id", index=True)
    asked_of: str = text(foreign_key="participant.id", index=True)
    question: str = text()
    due_date: str = text()
    """The last UTC date on which the answer is in time, ISO 8601."""
    state: str = text()
    version: int = 1
    asked_by: str = text()
    created_at: int = moment()
    closed_by: str | None = text(default=None)
    closed_at: int | None = moment(default=None)


class InquiryEntry(SQLModel, table=True):
    """One turn of an inquiry: the question, an answer, a move. Append-only."""

    __tablename__ = "inquiry_entry"
    id: int | None = big(default=None, primary_key=True)
    inquiry_id: str = text(foreign_key="inquiry.id", index=True)
    move: str = text()
    state: str = text()
    """Where the inquiry stood after it."""
    author: str = text()
    words: str = text(default="")
    at: int = moment()


class InquiryAttachment(SQLModel, table=True):
    """A file that came with an answer. Append-only."""

    __tablename__ = "inquiry_attachment"
    __table_args__ = (
        CheckConstraint("byte_count BETWEEN 1 AND 5242880"),
        # The same file twice in one inquiry is one.
        UniqueConstraint("inquiry_id", "sha256", name="inquiry_attachment_once"),
    )
    id: str = text(primary_key=True)
    inquiry_id: str = text(foreign_key="inquiry.id")
    kind: str = text()
    """What it is: contract, invoice, transport, customs, identity, other."""
    filename: str = text()
    media_type: str = text()
    sha256: str = text()
    byte_count: int
    content: bytes = Field(sa_type=LargeBinary)
    added_by: str = text()
    at: int = moment()
