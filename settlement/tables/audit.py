"""The trail of every act: who, what, when, from where, and how it ended; chained by hashes."""

from sqlalchemy import CheckConstraint, Index
from sqlmodel import SQLModel

from settlement.tables.columns import KEYED, big, moment, text


class AuditEvent(SQLModel, table=True):
    """One act, or a number of refused attempts that were alike. Append-only."""

    __tablename__ = "audit_event"
    __table_args__ = (
        CheckConstraint("repeated >= 1", name="audit_event_repeated"),
        CheckConstraint("length(hash) = 64", name="audit_event_hash"),
        Index("audit_by_hand", "hand", "seq"),
        Index("audit_by_act", "act", "seq"),
    )
    seq: int = big(primary_key=True)
    """From 1 without gaps."""
    at: int = moment()
    hand: str = text()
    """A person, a machine's key, `os:…` for whoever stands at the machine, or empty: unknown."""
    role: str = text()
    key_prefix: str = text()
    """Which key or session it came with."""
    act: str = text()
    """`POST /v1/settlements`, `settle lane pause`, `sign-in`, …"""
    subjects: str = text()
    """Ids of what it was about, as JSON."""
    origin: str = text()
    """The client's address; of a person only sealed under their own key (`sealed:…`)."""
    request_id: str | None = text(default=None)
    idempotency_key: str | None = text(default=None)
    body_hash: str | None = text(default=None)
    outcome: str = text()
    """HTTP's status, or a word."""
    problem: str | None = text(default=None)
    """The kind of refusal."""
    repeated: int = 1
    """How many attempts that were alike it stands for."""
    changes: str | None = text(default=None)
    """`{subject: {field: [before, after]}}` as JSON; personal values only sealed."""
    prev_hash: str = text()
    hash: str = text()


class AuditSubject(SQLModel, table=True):
    """Where the trail speaks of an id. Derived from the events; the checker compares."""

    __tablename__ = "audit_subject"
    __table_args__ = (KEYED,)
    subject: str = text(primary_key=True)
    seq: int = big(primary_key=True)


class AuditHead(SQLModel, table=True):
    """The newest event. One row: its lock is what lets gateways write one chain."""

    __tablename__ = "audit_head"
    __table_args__ = (CheckConstraint("id = 1", name="audit_head_alone"),)
    id: int = big(primary_key=True)
    seq: int = big()
    hash: str = text()
