"""What needs a second person: the request with what was seen, and what others said to it."""

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint
from sqlmodel import SQLModel

from settlement.tables.columns import big, moment, only, text


class ApprovalRequest(SQLModel, table=True):
    """Something that one hand wants and others have to approve; bound to what was seen.

    Triggers hold: terms never change, what has ended stays as it ended, and nothing is called
    approved without as many approvals as it needs.
    """

    __tablename__ = "approval_request"
    __table_args__ = (
        CheckConstraint(
            "state IN ('open', 'approved', 'refused', 'withdrawn', 'lapsed', 'void')",
            name="approval_request_state",
        ),
        CheckConstraint("needed BETWEEN 0 AND 9", name="approval_request_needed"),
        # What needs nobody was never open.
        CheckConstraint("needed > 0 OR state = 'approved'", name="approval_request_of_nobody"),
        CheckConstraint("(state = 'open') = (ended_at IS NULL)", name="approval_request_ended"),
        CheckConstraint("expires_at > created_at", name="approval_request_expires"),
        CheckConstraint("length(what_hash) = 64", name="approval_request_hash"),
        # What a decision's foreign key points at: maker and hash are the request's own there.
        UniqueConstraint("id", "maker", "what_hash", name="approval_request_seen"),
        Index("approval_open_once", "kind", "subject", unique=True, **only("state = 'open'")),
        Index("approval_by_subject", "subject"),
        Index("approval_waiting", "expires_at", **only("state = 'open'")),
    )
    id: str = text(primary_key=True)
    kind: str = text()
    """settlement, payee, participant, limit, policy …: the matrix knows them."""
    subject: str = text()
    """The id of what it is about."""
    terms: str = text()
    """Canonical JSON of all that there is to be seen, the subject's version among it."""
    what_hash: str = text()
    """SHA-256 over kind, subject and terms."""
    amount_minor: int | None = big(default=None)
    unit: str | None = text(default=None)
    maker: str = text()
    """The hand that wants it: a person, or a machine's key."""
    maker_role: str = text()
    approver_roles: str = text()
    """Who may decide, as JSON: the matrix said so when it was asked."""
    needed: int
    """How many distinct hands have to approve."""
    matrix_version: str = text()
    state: str = text(default="open")
    reason: str = text()
    created_at: int = moment()
    expires_at: int = moment()
    ended_at: int | None = moment(default=None)
    ended_reason: str | None = text(default=None)


class ApprovalDecision(SQLModel, table=True):
    """What one other hand said to a request. Append-only."""

    __tablename__ = "approval_decision"
    __table_args__ = (
        CheckConstraint("verdict IN ('approve', 'refuse')", name="approval_decision_verdict"),
        # Nobody decides about what he has made himself.
        CheckConstraint("checker <> maker", name="approval_decision_four_eyes"),
        # Maker and hash are the request's own, whatever a program writes here.
        ForeignKeyConstraint(
            ["approval_id", "maker", "what_hash"],
            ["approval_request.id", "approval_request.maker", "approval_request.what_hash"],
            name="approval_decision_of_request",
        ),
        UniqueConstraint("approval_id", "checker", name="approval_decision_once"),
    )
    id: int | None = big(default=None, primary_key=True)
    approval_id: str = text()
    maker: str = text()
    what_hash: str = text()
    """What the checker has seen."""
    checker: str = text()
    checker_role: str = text()
    verdict: str = text()
    reason: str = text()
    at: int = moment()
