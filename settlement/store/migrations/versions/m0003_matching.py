"""Records to match, rule sets, runs and matches."""

import sqlalchemy as sa
from alembic import op

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables of this noun."""
    _rules()
    _records()
    _expected()
    _matches()


def downgrade() -> None:
    """Refuse: what was booked is not unbooked by a schema."""
    raise NotImplementedError("the way back is a restored backup")


def _rules() -> None:
    op.create_table(
        "recon_rule_set",
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("tried", sa.Text(), nullable=True),
        sa.Column("tried_at", BIG, nullable=True),
        sa.Column("approved_by", sa.Text(), nullable=True),
        sa.Column("in_force_from", BIG, nullable=True),
        sa.CheckConstraint("(approved_by IS NULL) = (in_force_from IS NULL)"),
        sa.CheckConstraint("(tried_at IS NULL) = (tried IS NULL)"),
        sa.CheckConstraint("approved_by <> author"),
        sa.CheckConstraint("approved_by IS NULL OR tried_at IS NOT NULL"),
        sa.PrimaryKeyConstraint("version"),
        sa.UniqueConstraint("sha256"),
    )
    op.create_table(
        "recon_run",
        sa.Column("id", BIG, nullable=False),
        sa.Column("rule_set_version", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.Column("marks", sa.Text(), nullable=False),
        sa.Column("started_at", BIG, nullable=False),
        sa.Column("touched_at", BIG, nullable=False),
        sa.Column("finished_at", BIG, nullable=True),
        sa.CheckConstraint("state IN ('running', 'done', 'superseded')"),
        sa.ForeignKeyConstraint(
            ["rule_set_version"],
            ["recon_rule_set.version"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "recon_run_once",
        "recon_run",
        ["state"],
        unique=True,
        sqlite_where=sa.text("state = 'running'"),
        postgresql_where=sa.text("state = 'running'"),
    )
    op.create_table(
        "recon_mark",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("seq", BIG, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def _records() -> None:
    op.create_table(
        "recon_record",
        sa.Column("id", BIG, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount_micro", BIG, nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("end_to_end_id", sa.Text(), nullable=True),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("counterparty", sa.Text(), nullable=True),
        sa.Column("value_day", sa.Integer(), nullable=False),
        sa.Column("due_day", sa.Integer(), nullable=True),
        sa.Column("first_day", sa.Integer(), nullable=True),
        sa.Column("last_day", sa.Integer(), nullable=True),
        sa.Column("low_micro", BIG, nullable=True),
        sa.Column("high_micro", BIG, nullable=True),
        sa.Column("settlement_id", sa.Text(), nullable=True),
        sa.Column("invoice_id", sa.Text(), nullable=True),
        sa.Column("parent_id", BIG, nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("fresh", sa.Boolean(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.CheckConstraint("state IN ('open', 'matched', 'withdrawn', 'explained', 'split')"),
        sa.CheckConstraint("(first_day IS NULL) = (last_day IS NULL) AND first_day <= last_day"),
        sa.CheckConstraint(
            "(low_micro IS NULL) = (high_micro IS NULL) AND low_micro <= high_micro"
        ),
        sa.CheckConstraint("amount_micro <> 0"),
        sa.CheckConstraint("amount_micro BETWEEN -4000000000000000000 AND 4000000000000000000"),
        sa.ForeignKeyConstraint(
            ["parent_id"],
            ["recon_record.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "recon_record_by_amount", "recon_record", ["source", "owner", "amount_micro"], unique=False
    )
    op.create_index(
        "recon_record_by_end_to_end",
        "recon_record",
        ["end_to_end_id"],
        unique=False,
        sqlite_where=sa.text("end_to_end_id IS NOT NULL"),
        postgresql_where=sa.text("end_to_end_id IS NOT NULL"),
    )
    op.create_index(
        "recon_record_by_invoice",
        "recon_record",
        ["invoice_id"],
        unique=False,
        sqlite_where=sa.text("source = 'invoice'"),
        postgresql_where=sa.text("source = 'invoice'"),
    )
    op.create_index(
        "recon_record_by_reference",
        "recon_record",
        ["reference"],
        unique=False,
        sqlite_where=sa.text("reference IS NOT NULL"),
        postgresql_where=sa.text("reference IS NOT NULL"),
    )
    op.create_index(
        "recon_record_fresh",
        "recon_record",
        ["id"],
        unique=False,
        sqlite_where=sa.text("fresh"),
        postgresql_where=sa.text("fresh"),
    )
    op.create_index("recon_record_once", "recon_record", ["origin", "source"], unique=True)
    op.create_index(
        "recon_record_open",
        "recon_record",
        ["id"],
        unique=False,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index(
        "recon_record_parts",
        "recon_record",
        ["parent_id"],
        unique=False,
        sqlite_where=sa.text("parent_id IS NOT NULL"),
        postgresql_where=sa.text("parent_id IS NOT NULL"),
    )


def _expected() -> None:
    op.create_table(
        "expected_payment",
        sa.Column("id", BIG, nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("low_minor", BIG, nullable=False),
        sa.Column("high_minor", BIG, nullable=False),
        sa.Column("first_day", sa.Text(), nullable=False),
        sa.Column("last_day", sa.Text(), nullable=False),
        sa.Column("end_to_end_id", sa.Text(), nullable=True),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("counterparty", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("cancelled_by", sa.Text(), nullable=True),
        sa.Column("cancelled_at", BIG, nullable=True),
        sa.CheckConstraint("direction IN ('credit', 'debit')"),
        sa.CheckConstraint("(cancelled_at IS NULL) = (cancelled_by IS NULL)"),
        sa.CheckConstraint("first_day <= last_day"),
        sa.CheckConstraint("low_minor > 0 AND low_minor <= high_minor"),
        sa.ForeignKeyConstraint(
            ["owner_id"],
            ["participant.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "expected_payment_cancelled",
        "expected_payment",
        ["id"],
        unique=False,
        sqlite_where=sa.text("cancelled_at IS NOT NULL"),
        postgresql_where=sa.text("cancelled_at IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_expected_payment_owner_id"), "expected_payment", ["owner_id"], unique=False
    )


def _matches() -> None:
    op.create_table(
        "recon_match",
        sa.Column("id", BIG, nullable=False),
        sa.Column("rule_set_version", sa.Integer(), nullable=True),
        sa.Column("rule_id", sa.Text(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("lead_id", BIG, nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("undone_at", BIG, nullable=True),
        sa.Column("undone_by", sa.Text(), nullable=True),
        sa.Column("undone_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("(rule_set_version IS NULL) = (kind = 'manual')"),
        sa.CheckConstraint("kind IN ('auto', 'manual')"),
        sa.CheckConstraint("(undone_at IS NULL) = live"),
        sa.CheckConstraint("score BETWEEN 0 AND 100 AND size >= 1"),
        sa.ForeignKeyConstraint(
            ["lead_id"],
            ["recon_record.id"],
        ),
        sa.ForeignKeyConstraint(
            ["rule_set_version"],
            ["recon_rule_set.version"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "recon_match_lead_once",
        "recon_match",
        ["lead_id"],
        unique=True,
        sqlite_where=sa.text("live"),
        postgresql_where=sa.text("live"),
    )
    op.create_table(
        "recon_member",
        sa.Column("match_id", BIG, nullable=False),
        sa.Column("record_id", BIG, nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["match_id"],
            ["recon_match.id"],
        ),
        sa.ForeignKeyConstraint(
            ["record_id"],
            ["recon_record.id"],
        ),
        sa.PrimaryKeyConstraint("match_id", "record_id"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "recon_member_once",
        "recon_member",
        ["record_id"],
        unique=True,
        sqlite_where=sa.text("live"),
        postgresql_where=sa.text("live"),
    )
    op.create_index(
        "recon_match_undone",
        "recon_match",
        ["lead_id"],
        unique=False,
        sqlite_where=sa.text("NOT live"),
        postgresql_where=sa.text("NOT live"),
    )
    op.create_index(
        "match_undone",
        "settlement_match",
        ["id"],
        unique=False,
        sqlite_where=sa.text("NOT live"),
        postgresql_where=sa.text("NOT live"),
    )
