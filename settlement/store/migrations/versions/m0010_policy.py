"""Policy packs by version, registers, what is known of a trade, and what decisions stood on."""

import sqlalchemy as sa
from alembic import op

from settlement.store.triggers import refuse_changes

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
revision = "0010"
down_revision = "0009"

APPEND_ONLY = ("trade_declaration", "policy_inputs")


def upgrade() -> None:
    """Make the tables of this noun."""
    _versions()
    _decisions()
    _registers()
    _trade()
    refuse_changes(op.get_bind(), APPEND_ONLY)


def downgrade() -> None:
    """Refuse: what was booked is not unbooked by a schema."""
    raise NotImplementedError("the way back is a restored backup")


def _versions() -> None:
    op.create_table(
        "policy_version",
        sa.Column("version", BIG, nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("files", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("tried", sa.Text(), nullable=True),
        sa.Column("published_by", sa.Text(), nullable=True),
        sa.Column("in_force_from", BIG, nullable=True),
        sa.PrimaryKeyConstraint("version"),
        sa.UniqueConstraint("sha256", name="policy_version_content_once"),
        sa.CheckConstraint("published_by <> author", name="policy_version_second_person"),
        sa.CheckConstraint(
            "(published_by IS NULL) = (in_force_from IS NULL)", name="policy_version_published"
        ),
    )


def _decisions() -> None:
    op.create_table(
        "policy_inputs",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sha256"),
    )
    op.add_column("clearance", sa.Column("pair_sha256", sa.Text(), nullable=True))
    op.add_column("clearance", sa.Column("inputs", sa.Text(), nullable=True))
    op.create_table(
        "policy_flag",
        sa.Column("rule_id", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("settlement_id", sa.Text(), nullable=False),
        sa.Column("clearance_id", sa.Text(), nullable=False),
        sa.Column("found", sa.Text(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(["settlement_id"], ["settlement.id"]),
        sa.PrimaryKeyConstraint("rule_id", "subject", "day"),
    )
    op.create_index("policy_flag_by_settlement", "policy_flag", ["settlement_id"], unique=False)
    op.create_index("policy_flag_by_time", "policy_flag", ["created_at"], unique=False)
    # Sums over a span of days read that span alone.
    op.create_index(
        "settlement_by_debtor_time", "settlement", ["debtor_id", "created_at"], unique=False
    )


def _registers() -> None:
    op.create_table(
        "register_version",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("entry_count", sa.Integer(), nullable=False),
        sa.Column("loaded_by", sa.Text(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_register_version_name"), "register_version", ["name"], unique=False)
    op.create_table(
        "register_entry",
        sa.Column("register_version_id", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["register_version_id"], ["register_version.id"]),
        sa.PrimaryKeyConstraint("register_version_id", "value"),
    )


def _trade() -> None:
    op.create_table(
        "trade_declaration",
        sa.Column("id", BIG, nullable=False),
        sa.Column("invoice_id", sa.Text(), nullable=False),
        sa.Column("participant_id", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("declared_by", sa.Text(), nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"]),
        sa.ForeignKeyConstraint(["participant_id"], ["participant.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        op.f("ix_trade_declaration_invoice_id"), "trade_declaration", ["invoice_id"], unique=False
    )
