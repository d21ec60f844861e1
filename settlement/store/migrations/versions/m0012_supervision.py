"""Travel-rule payloads, requests for information, limits, reports and their deadlines."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from settlement.store.triggers import refuse_changes

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
revision = "0012"
down_revision = "0011"

APPEND_ONLY = ("payment_limit_change", "inquiry_entry", "inquiry_attachment")
_FILE_BYTES_MAX = 5 * 2**20


def upgrade() -> None:
    """Make the tables of this noun."""
    _limits()
    _limit_counters()
    _inquiries()
    _reports()
    _travel_rule()
    refuse_changes(op.get_bind(), APPEND_ONLY)


def downgrade() -> None:
    """Refuse: what was booked is not unbooked by a schema."""
    raise NotImplementedError("the way back is a restored backup")


def _only(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def _text(name: str, *, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=null)


def _big(name: str, *, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, BIG, nullable=null)


def _limits() -> None:
    op.create_table(
        "payment_limit",
        _text("id"),
        _text("name"),
        _text("token"),
        _text("debtor_id", null=True),
        _text("creditor_id", null=True),
        _text("debtor_country", null=True),
        _text("creditor_country", null=True),
        _text("counted_by"),
        _text("period"),
        sa.Column("days", sa.Integer(), nullable=False),
        _big("max_minor"),
        _text("state"),
        sa.Column("version", sa.Integer(), nullable=False),
        _big("created_at"),
        sa.CheckConstraint("counted_by IN ('rule', 'debtor', 'creditor', 'pair')"),
        sa.CheckConstraint("period IN ('payment', 'day', 'month', 'rolling')"),
        sa.CheckConstraint("(period = 'rolling' AND days BETWEEN 2 AND 366) OR days = 0"),
        sa.CheckConstraint("max_minor > 0"),
        sa.CheckConstraint("state IN ('active', 'retired')"),
        sa.ForeignKeyConstraint(["token"], ["token.address"]),
        sa.ForeignKeyConstraint(["debtor_id"], ["participant.id"]),
        sa.ForeignKeyConstraint(["creditor_id"], ["participant.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "payment_limit_change",
        _big("id"),
        _text("limit_id"),
        _text("act"),
        _big("before_minor", null=True),
        _big("after_minor", null=True),
        _text("reason"),
        _text("asked_by"),
        _text("approved_by"),
        _text("approval_id"),
        _big("at"),
        sa.CheckConstraint("act IN ('add', 'change', 'retire')"),
        sa.CheckConstraint("asked_by <> approved_by", name="payment_limit_change_four_eyes"),
        sa.ForeignKeyConstraint(["limit_id"], ["payment_limit.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("approval_id"),
    )
    op.create_index("ix_payment_limit_change_limit_id", "payment_limit_change", ["limit_id"])


def _limit_counters() -> None:
    op.create_table(
        "limit_counter",
        _text("limit_id"),
        _text("bucket"),
        _text("window_end"),
        _big("used_minor"),
        _text("taken_by"),
        sa.CheckConstraint("used_minor >= 0"),
        sa.ForeignKeyConstraint(["limit_id"], ["payment_limit.id"]),
        sa.PrimaryKeyConstraint("limit_id", "bucket", "window_end"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "limit_use",
        _big("id"),
        _text("settlement_id"),
        _text("limit_id"),
        _text("bucket"),
        _text("business_date"),
        _big("amount_minor"),
        sa.Column("live", sa.Boolean(), nullable=False),
        _big("created_at"),
        _big("released_at", null=True),
        sa.CheckConstraint("amount_minor > 0"),
        sa.CheckConstraint("(released_at IS NULL) = live"),
        sa.ForeignKeyConstraint(["settlement_id"], ["settlement.id"]),
        sa.ForeignKeyConstraint(["limit_id"], ["payment_limit.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "limit_use_once", "limit_use", ["settlement_id", "limit_id"], unique=True, **_only("live")
    )
    op.create_index("limit_use_of_settlement", "limit_use", ["settlement_id"])


def _inquiries() -> None:
    op.create_table(
        "inquiry",
        _text("id"),
        _text("settlement_id"),
        _text("asked_of"),
        _text("question"),
        _text("due_date"),
        _text("state"),
        sa.Column("version", sa.Integer(), nullable=False),
        _text("asked_by"),
        _big("created_at"),
        _text("closed_by", null=True),
        _big("closed_at", null=True),
        sa.CheckConstraint("state IN ('OPEN', 'ANSWERED', 'OVERDUE', 'ACCEPTED', 'CANCELLED')"),
        sa.CheckConstraint("(state IN ('ACCEPTED', 'CANCELLED')) = (closed_at IS NOT NULL)"),
        sa.ForeignKeyConstraint(["settlement_id"], ["settlement.id"]),
        sa.ForeignKeyConstraint(["asked_of"], ["participant.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("inquiry_by_state", "inquiry", ["state", "due_date"])
    op.create_index("ix_inquiry_settlement_id", "inquiry", ["settlement_id"])
    op.create_index("ix_inquiry_asked_of", "inquiry", ["asked_of"])
    op.create_table(
        "inquiry_entry",
        _big("id"),
        _text("inquiry_id"),
        _text("move"),
        _text("state"),
        _text("author"),
        _text("words"),
        _big("at"),
        sa.ForeignKeyConstraint(["inquiry_id"], ["inquiry.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_inquiry_entry_inquiry_id", "inquiry_entry", ["inquiry_id"])
    op.create_table(
        "inquiry_attachment",
        _text("id"),
        _text("inquiry_id"),
        _text("kind"),
        _text("filename"),
        _text("media_type"),
        _text("sha256"),
        sa.Column("byte_count", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        _text("added_by"),
        _big("at"),
        sa.CheckConstraint(f"byte_count BETWEEN 1 AND {_FILE_BYTES_MAX}"),
        sa.ForeignKeyConstraint(["inquiry_id"], ["inquiry.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("inquiry_id", "sha256", name="inquiry_attachment_once"),
    )


def _reports() -> None:
    op.create_table(
        "supervisor_report",
        _text("id"),
        _text("kind"),
        _text("subject"),
        _text("settlement_id", null=True),
        _text("title"),
        _text("period_first"),
        _text("period_last"),
        _text("jurisdiction"),
        _text("state"),
        _text("due_date", null=True),
        _text("warn_date", null=True),
        _big("row_count"),
        _text("sha256"),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        _big("written_at"),
        _big("filed_at", null=True),
        _text("filed_by", null=True),
        _text("reference", null=True),
        sa.CheckConstraint("state IN ('written', 'due', 'overdue', 'filed')"),
        sa.CheckConstraint("(state = 'written') = (due_date IS NULL)"),
        sa.CheckConstraint("(state = 'filed') = (reference IS NOT NULL)"),
        sa.CheckConstraint("(reference IS NULL) = (filed_by IS NULL)"),
        sa.CheckConstraint("(reference IS NULL) = (filed_at IS NULL)"),
        sa.ForeignKeyConstraint(["settlement_id"], ["settlement.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("kind", "subject", name="supervisor_report_once"),
    )
    op.create_index("supervisor_report_by_subject", "supervisor_report", ["subject"])
    op.create_index(
        "supervisor_report_due", "supervisor_report", ["due_date"],
        **_only("state IN ('due', 'overdue')"),
    )  # fmt: skip
    # Refused payments are few among all: what has to be reported is found without reading all.
    op.create_index(
        "clearance_refused", "clearance", ["outcome", "created_at"],
        **_only("outcome IN ('REJECT', 'BLOCK')"),
    )  # fmt: skip


def _travel_rule() -> None:
    op.create_table(
        "travel_rule_payload",
        _text("id"),
        _text("sha256"),
        _text("originator_id"),
        _text("beneficiary_id"),
        sa.Column("originator", sa.LargeBinary(), nullable=False),
        sa.Column("beneficiary", sa.LargeBinary(), nullable=False),
        _text("version"),
        _big("created_at"),
        sa.ForeignKeyConstraint(["originator_id"], ["participant.id"]),
        sa.ForeignKeyConstraint(["beneficiary_id"], ["participant.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("sha256"),
    )
    op.create_table(
        "travel_rule_transfer",
        _text("settlement_id"),
        _text("clearance_id"),
        _text("payload_id"),
        _text("state"),
        _big("created_at"),
        sa.CheckConstraint("state IN ('ready', 'sent', 'received', 'refused')"),
        sa.ForeignKeyConstraint(["settlement_id"], ["settlement.id"]),
        sa.ForeignKeyConstraint(["payload_id"], ["travel_rule_payload.id"]),
        sa.PrimaryKeyConstraint("settlement_id"),
    )
