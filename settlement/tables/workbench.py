"""Work on breaks: its history, its parts, what was done about it, what needs a second person."""

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint
from sqlmodel import SQLModel

from settlement.tables.columns import big, moment, only, text


class BreakEvent(SQLModel, table=True):
    """One thing that happened to a break: opened, assigned, decided, undone. Append-only."""

    __tablename__ = "break_event"
    id: int | None = big(default=None, primary_key=True)
    break_id: str = text(foreign_key="settlement_break.id", index=True)
    move: str = text()
    actor: str = text()
    """`rail`, or the role and key of a person."""
    reason: str | None = text(default=None)
    detail: str = text(default="{}")
    act_key: str | None = text(default=None, unique=True)
    """What may come again, and then does nothing: a row of a sheet."""
    at: int = moment()


class BreakPart(SQLModel, table=True):
    """A part into which the amount of a break was split, to be dealt with on its own."""

    __tablename__ = "break_part"
    __table_args__ = (
        CheckConstraint("amount_minor > 0"),
        Index("break_part_once", "break_id", "place", unique=True, **only("live")),
    )
    id: int | None = big(default=None, primary_key=True)
    break_id: str = text(foreign_key="settlement_break.id")
    place: int
    """From 1."""
    amount_minor: int = big()
    note: str = text(default="")
    live: bool = True
    created_at: int = moment()


class BreakEffect(SQLModel, table=True):
    """What an act has changed elsewhere; an undo takes back exactly that."""

    __tablename__ = "break_effect"
    __table_args__ = (
        CheckConstraint("(undone_at IS NULL) = live"),
        CheckConstraint("amount_minor > 0"),
        CheckConstraint("claim_minor > 0"),
        # A part of a break is used once.
        Index("break_effect_part_once", "break_id", "part", unique=True, **only("live")),
        Index("break_effect_of_invoice", "invoice_id", **only("live")),
    )
    id: str = text(primary_key=True)
    break_id: str = text(foreign_key="settlement_break.id", index=True)
    act: str = text()
    """match, attribute, return, write_off, adjust."""
    amount_minor: int | None = big(default=None)
    """How much of the break's amount it has dealt with, in the break's unit, unsigned."""
    part: int | None = None
    invoice_id: str | None = text(foreign_key="invoice.id", default=None)
    claim_minor: int | None = big(default=None)
    """What was counted as settled of the invoice, in its currency."""
    source_key: str | None = text(default=None)
    """Of the journal entry that it posted."""
    match_id: int | None = big(default=None)
    settlement_id: str | None = text(default=None)
    """The settlement that returns the money."""
    live: bool = True
    created_at: int = moment()
    created_by: str = text()
    undone_at: int | None = moment(default=None)
    undone_by: str | None = text(default=None)
    undone_reason: str | None = text(default=None)


class BreakProposal(SQLModel, table=True):
    """An act that needs a second person, bound to what its proposer saw."""

    __tablename__ = "break_proposal"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'approved', 'refused', 'withdrawn')"),
        CheckConstraint("needed IN (1, 2)"),
        CheckConstraint("amount_minor > 0"),
        # Nobody decides about what he has proposed himself.
        CheckConstraint("decided_by <> proposed_by", name="break_proposal_four_eyes"),
        CheckConstraint(
            "(state IN ('approved', 'refused')) = (decided_by IS NOT NULL)",
            name="break_proposal_decided",
        ),
        # What a decision's foreign key points at.
        UniqueConstraint("id", "proposed_by", name="break_proposal_proposer"),
        Index("break_proposal_open_once", "break_id", unique=True, **only("state = 'open'")),
    )
    id: str = text(primary_key=True)
    break_id: str = text(foreign_key="settlement_break.id", index=True)
    act: str = text()
    """write_off or adjust."""
    terms: str = text()
    """Canonical JSON of what is to be done."""
    amount_minor: int = big()
    unit: str = text()
    what_hash: str = text()
    """SHA-256 over the break's version and the terms: a change in between makes it void."""
    needed: int
    """How many approvers: the limits say so."""
    state: str = text(default="open")
    reason: str = text()
    proposed_by: str = text()
    decided_by: str | None = text(default=None)
    """Whose decision was the last."""
    created_at: int = moment()
    ended_at: int | None = moment(default=None)


class BreakDecision(SQLModel, table=True):
    """What one other person said to a proposal. Append-only."""

    __tablename__ = "break_decision"
    __table_args__ = (
        CheckConstraint("verdict IN ('approve', 'refuse')"),
        CheckConstraint("decided_by <> proposed_by", name="break_decision_four_eyes"),
        # The proposer is the proposal's own, whatever a program writes here.
        ForeignKeyConstraint(
            ["proposal_id", "proposed_by"], ["break_proposal.id", "break_proposal.proposed_by"]
        ),
        UniqueConstraint("proposal_id", "decided_by", name="break_decision_once"),
    )
    id: int | None = big(default=None, primary_key=True)
    proposal_id: str = text()
    proposed_by: str = text()
    decided_by: str = text()
    verdict: str = text()
    reason: str = text()
    at: int = moment()
