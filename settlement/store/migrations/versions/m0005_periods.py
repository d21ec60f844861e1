"""Accounting periods and balance monitors."""

import sqlalchemy as sa
from alembic import op

from settlement.store.triggers import refuse_changes

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
revision = "0005"
down_revision = "0004"

_NO_ENTRY = "a closed accounting period takes no entry: it is booked in the first open one"
_CLOSED = "a closed accounting period stays as it is: a correction is a reversal in an open one"
_OVERLAP = "an accounting period begins after the one before has ended"
_LAST_DAY = "(SELECT MAX(last_date) FROM accounting_period WHERE state = 'closed')"


def upgrade() -> None:
    """Make the tables of this noun, and the triggers that keep what is closed as it is."""
    _make_periods()
    _make_monitors()
    connection = op.get_bind()
    refuse_changes(connection, ("monitor_crossing",))
    statements = _ON_POSTGRESQL if connection.dialect.name == "postgresql" else _ON_SQLITE
    for statement in statements:
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """Refuse: what was booked is not unbooked by a schema."""
    raise NotImplementedError("the way back is a restored backup")


def _make_periods() -> None:
    op.create_table(
        "accounting_period",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("first_date", sa.Text(), nullable=False),
        sa.Column("last_date", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("trial_sha256", sa.Text(), nullable=False),
        sa.Column("head_seq", BIG, nullable=False),
        sa.Column("closed_by", sa.Text(), nullable=False),
        sa.Column("closed_at", BIG, nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=True),
        sa.Column("approved_at", BIG, nullable=True),
        sa.CheckConstraint("state IN ('open', 'closed')"),
        sa.CheckConstraint("first_date <= last_date"),
        sa.CheckConstraint("closed_by <> approved_by"),
        sa.CheckConstraint("(state = 'closed') = (approved_by IS NOT NULL)"),
        sa.CheckConstraint("(approved_by IS NULL) = (approved_at IS NULL)"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("first_date"),
        sa.UniqueConstraint("last_date"),
    )
    op.create_index(
        "period_open_once",
        "accounting_period",
        ["state"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )


def _make_monitors() -> None:
    op.create_table(
        "balance_monitor",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("pattern", sa.Text(), nullable=False),
        sa.Column("lower_minor", BIG, nullable=True),
        sa.Column("upper_minor", BIG, nullable=True),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("retired_at", BIG, nullable=True),
        sa.Column("checked_seq", BIG, nullable=False),
        sa.CheckConstraint("lower_minor IS NOT NULL OR upper_minor IS NOT NULL"),
        sa.CheckConstraint("lower_minor <= upper_minor"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "monitor_crossing",
        sa.Column("id", BIG, nullable=False),
        sa.Column("monitor_id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("balance_high", BIG, nullable=False),
        sa.Column("balance_minor", BIG, nullable=False),
        sa.Column("entry_seq", BIG, nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.CheckConstraint("side IN ('below', 'within', 'above')"),
        sa.ForeignKeyConstraint(["monitor_id"], ["balance_monitor.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("crossing_by_account", "monitor_crossing", ["monitor_id", "code", "id"])


_ON_SQLITE = (
    "CREATE TRIGGER journal_entry_open_period BEFORE INSERT ON journal_entry"
    f" WHEN NEW.value_date <= {_LAST_DAY} BEGIN SELECT RAISE(ABORT, '{_NO_ENTRY}'); END",
    "CREATE TRIGGER accounting_period_no_overlap BEFORE INSERT ON accounting_period"
    " WHEN NEW.first_date <= (SELECT MAX(last_date) FROM accounting_period)"
    f" BEGIN SELECT RAISE(ABORT, '{_OVERLAP}'); END",
    "CREATE TRIGGER accounting_period_stays_closed BEFORE UPDATE ON accounting_period"
    f" WHEN OLD.state = 'closed' BEGIN SELECT RAISE(ABORT, '{_CLOSED}'); END",
    "CREATE TRIGGER accounting_period_is_kept BEFORE DELETE ON accounting_period"
    f" WHEN OLD.state = 'closed' BEGIN SELECT RAISE(ABORT, '{_CLOSED}'); END",
)
_ON_POSTGRESQL = (
    # Once a statement, not once a row: postings come by the thousand.
    "CREATE FUNCTION refuse_closed_period() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    " IF EXISTS (SELECT 1 FROM fresh WHERE value_date COLLATE \"C\" <="
    " (SELECT MAX(last_date COLLATE \"C\") FROM accounting_period WHERE state = 'closed'))"
    f" THEN RAISE EXCEPTION '{_NO_ENTRY}'; END IF; RETURN NULL; END $$",
    "CREATE TRIGGER journal_entry_open_period AFTER INSERT ON journal_entry"
    " REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION refuse_closed_period()",
    "CREATE FUNCTION keep_closed_period() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    " IF TG_OP = 'INSERT' THEN IF NEW.first_date COLLATE \"C\" <="
    " (SELECT MAX(last_date COLLATE \"C\") FROM accounting_period)"
    f" THEN RAISE EXCEPTION '{_OVERLAP}'; END IF; RETURN NEW; END IF;"
    f" IF OLD.state = 'closed' THEN RAISE EXCEPTION '{_CLOSED}'; END IF;"
    " IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW; END $$",
    "CREATE TRIGGER accounting_period_stays_closed BEFORE INSERT OR UPDATE OR DELETE"
    " ON accounting_period FOR EACH ROW EXECUTE FUNCTION keep_closed_period()",
)  # fmt: skip
