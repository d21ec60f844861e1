"""Bank accounts, their statements and entries."""

import sqlalchemy as sa
from alembic import op

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables of this noun."""
    op.create_table(
        "statement_file",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("mapping_sha256", sa.Text(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("line_reached", BIG, nullable=False),
        sa.Column("statement_count", BIG, nullable=False),
        sa.Column("entry_count", BIG, nullable=False),
        sa.Column("duplicate_count", BIG, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.CheckConstraint("state IN ('complete')"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("sha256"),
    )
    op.create_table(
        "bank_account",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("iban", sa.Text(), nullable=False),
        sa.Column("servicer_bic", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("reserve_of", sa.Text(), nullable=True),
        sa.Column("payout_days", sa.Integer(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.CheckConstraint("(role = 'reserve') = (reserve_of IS NOT NULL)"),
        sa.CheckConstraint("role IN ('payout', 'reserve', 'nostro')"),
        sa.CheckConstraint("payout_days BETWEEN 0 AND 366"),
        sa.ForeignKeyConstraint(
            ["owner_id"],
            ["participant.id"],
        ),
        sa.ForeignKeyConstraint(
            ["reserve_of"],
            ["token.address"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("iban", "currency"),
        sa.UniqueConstraint("reserve_of"),
    )
    op.create_index(op.f("ix_bank_account_owner_id"), "bank_account", ["owner_id"], unique=False)
    op.create_table(
        "bank_mapping",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("set_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["bank_account.id"],
        ),
        sa.PrimaryKeyConstraint("account_id"),
    )
    op.create_table(
        "statement",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("file_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("statement_id", sa.Text(), nullable=False),
        sa.Column("sequence", BIG, nullable=True),
        sa.Column("from_date", sa.Text(), nullable=True),
        sa.Column("to_date", sa.Text(), nullable=True),
        sa.Column("opening_minor", BIG, nullable=True),
        sa.Column("closing_minor", BIG, nullable=True),
        sa.Column("opening_date", sa.Text(), nullable=True),
        sa.Column("closing_date", sa.Text(), nullable=True),
        sa.Column("entry_count", BIG, nullable=False),
        sa.Column("content_sha256", sa.Text(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.CheckConstraint("kind IN ('statement', 'notification')"),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["bank_account.id"],
        ),
        sa.ForeignKeyConstraint(
            ["file_id"],
            ["statement_file.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account_id", "kind", "statement_id"),
    )
    op.create_index(op.f("ix_statement_file_id"), "statement", ["file_id"], unique=False)
    op.create_index(
        "statement_by_closing", "statement", ["account_id", "closing_date"], unique=False
    )
    op.create_table(
        "bank_entry",
        sa.Column("id", BIG, nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("statement_id", sa.Text(), nullable=False),
        sa.Column("file_id", sa.Text(), nullable=False),
        sa.Column("source_line", BIG, nullable=False),
        sa.Column("entry_index", sa.Integer(), nullable=False),
        sa.Column("detail_index", sa.Integer(), nullable=False),
        sa.Column("amount_minor", BIG, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("booking_date", sa.Text(), nullable=False),
        sa.Column("value_date", sa.Text(), nullable=False),
        sa.Column("end_to_end_id", sa.Text(), nullable=True),
        sa.Column("instruction_id", sa.Text(), nullable=True),
        sa.Column("uetr", sa.Text(), nullable=True),
        sa.Column("bank_reference", sa.Text(), nullable=True),
        sa.Column("creditor_reference", sa.Text(), nullable=True),
        sa.Column("remittance", sa.Text(), nullable=True),
        sa.Column("counterparty_name", sa.Text(), nullable=True),
        sa.Column("counterparty_account", sa.Text(), nullable=True),
        sa.Column("transaction_code", sa.Text(), nullable=True),
        sa.Column("charges_minor", BIG, nullable=False),
        sa.Column("is_reversal", sa.Boolean(), nullable=False),
        sa.Column("return_reason", sa.Text(), nullable=True),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("duplicate_of", BIG, nullable=True),
        sa.Column("posted_seq", BIG, nullable=True),
        sa.CheckConstraint("status IN ('BOOK', 'PDNG', 'INFO')"),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["bank_account.id"],
        ),
        sa.ForeignKeyConstraint(
            ["duplicate_of"],
            ["bank_entry.id"],
        ),
        sa.ForeignKeyConstraint(
            ["posted_seq"],
            ["journal_entry.seq"],
        ),
        sa.ForeignKeyConstraint(
            ["statement_id"],
            ["statement.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "bank_entry_by_statement",
        "bank_entry",
        ["statement_id", "entry_index", "detail_index"],
        unique=False,
    )
    op.create_index(
        "bank_entry_duplicates",
        "bank_entry",
        ["duplicate_of"],
        unique=False,
        sqlite_where=sa.text("duplicate_of IS NOT NULL"),
        postgresql_where=sa.text("duplicate_of IS NOT NULL"),
    )
    op.create_index(
        "bank_entry_once",
        "bank_entry",
        ["account_id", "fingerprint"],
        unique=True,
        sqlite_where=sa.text("duplicate_of IS NULL"),
        postgresql_where=sa.text("duplicate_of IS NULL"),
    )
    op.create_index(
        "bank_entry_unposted",
        "bank_entry",
        ["id"],
        unique=False,
        sqlite_where=sa.text("posted_seq IS NULL AND duplicate_of IS NULL AND status = 'BOOK'"),
        postgresql_where=sa.text("posted_seq IS NULL AND duplicate_of IS NULL AND status = 'BOOK'"),
    )


def downgrade() -> None:
    """Refuse: what was booked is not unbooked by a schema."""
    raise NotImplementedError("the way back is a restored backup")
