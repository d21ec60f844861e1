"""Work on breaks: owners, comments, proposals that need a second person."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from settlement.store.triggers import refuse_changes

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
revision = "0004"
down_revision = "0003"

APPEND_ONLY = ("break_event", "break_decision")


def upgrade() -> None:
    """Make the tables of this noun."""
    _events_and_parts()
    _effects()
    _proposals()
    refuse_changes(op.get_bind(), APPEND_ONLY)


def downgrade() -> None:
    """Refuse: what was booked is not unbooked by a schema."""
    raise NotImplementedError("the way back is a restored backup")


def _only(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def _index(table: str, column: str) -> None:
    op.create_index(op.f(f"ix_{table}_{column}"), table, [column], unique=False)


def _events_and_parts() -> None:
    op.create_table(
        "break_event",
        sa.Column("id", BIG, nullable=False),
        sa.Column("break_id", sa.Text(), nullable=False),
        sa.Column("move", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("act_key", sa.Text(), nullable=True),
        sa.Column("at", BIG, nullable=False),
        sa.ForeignKeyConstraint(["break_id"], ["settlement_break.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("act_key"),
    )
    _index("break_event", "break_id")
    op.create_table(
        "break_part",
        sa.Column("id", BIG, nullable=False),
        sa.Column("break_id", sa.Text(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("amount_minor", BIG, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.CheckConstraint("amount_minor > 0"),
        sa.ForeignKeyConstraint(["break_id"], ["settlement_break.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "break_part_once", "break_part", ["break_id", "place"], unique=True, **_only("live")
    )


def _effects() -> None:
    op.create_table(
        "break_effect",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("break_id", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("amount_minor", BIG, nullable=True),
        sa.Column("part", sa.Integer(), nullable=True),
        sa.Column("invoice_id", sa.Text(), nullable=True),
        sa.Column("claim_minor", BIG, nullable=True),
        sa.Column("source_key", sa.Text(), nullable=True),
        sa.Column("match_id", BIG, nullable=True),
        sa.Column("settlement_id", sa.Text(), nullable=True),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("undone_at", BIG, nullable=True),
        sa.Column("undone_by", sa.Text(), nullable=True),
        sa.Column("undone_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("(undone_at IS NULL) = live"),
        sa.CheckConstraint("amount_minor > 0"),
        sa.CheckConstraint("claim_minor > 0"),
        sa.ForeignKeyConstraint(["break_id"], ["settlement_break.id"]),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    _index("break_effect", "break_id")
    op.create_index(
        "break_effect_part_once",
        "break_effect",
        ["break_id", "part"],
        unique=True,
        **_only("live"),
    )
    op.create_index(
        "break_effect_of_invoice", "break_effect", ["invoice_id"], unique=False, **_only("live")
    )


def _proposals() -> None:
    op.create_table(
        "break_proposal",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("break_id", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("amount_minor", BIG, nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("what_hash", sa.Text(), nullable=False),
        sa.Column("needed", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("ended_at", BIG, nullable=True),
        sa.CheckConstraint("state IN ('open', 'approved', 'refused', 'withdrawn')"),
        sa.CheckConstraint("needed IN (1, 2)"),
        sa.CheckConstraint("amount_minor > 0"),
        sa.CheckConstraint("decided_by <> proposed_by", name="break_proposal_four_eyes"),
        sa.CheckConstraint(
            "(state IN ('approved', 'refused')) = (decided_by IS NOT NULL)",
            name="break_proposal_decided",
        ),
        sa.ForeignKeyConstraint(["break_id"], ["settlement_break.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("id", "proposed_by", name="break_proposal_proposer"),
    )
    _index("break_proposal", "break_id")
    op.create_index(
        "break_proposal_open_once",
        "break_proposal",
        ["break_id"],
        unique=True,
        **_only("state = 'open'"),
    )
    op.create_table(
        "break_decision",
        sa.Column("id", BIG, nullable=False),
        sa.Column("proposal_id", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.CheckConstraint("verdict IN ('approve', 'refuse')"),
        sa.CheckConstraint("decided_by <> proposed_by", name="break_decision_four_eyes"),
        sa.ForeignKeyConstraint(
            ["proposal_id", "proposed_by"], ["break_proposal.id", "break_proposal.proposed_by"]
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("proposal_id", "decided_by", name="break_decision_once"),
    )
