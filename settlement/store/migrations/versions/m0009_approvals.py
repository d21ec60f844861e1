"""Approvals by a second person, and the trail of every act."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from settlement.store.triggers import refuse_changes

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
revision = "0009"
down_revision = "0008"

APPEND_ONLY = ("approval_decision", "audit_event")

_NOT_OPEN = "an approval that has ended, or whose time is over, takes no decision"
_ENDED = "an approval stays as it ended, and its terms as they were asked"
_SHORT = "nothing is approved with fewer approvals than it needs, or refused without a refusal"
_UNAPPROVED = "a settlement is cleared once it is approved"
_NOT_GIVEN = "a settlement is approved by the policy, or by an approval that was given"
_FROZEN = "the terms of a settlement that people approved stay as they were approved"
_ONE_PAIR = "nobody decides about what his own hand has made, whatever the role or key"
_FRESH = "an approval begins open; only what needs nobody begins approved"


def upgrade() -> None:
    """Make the tables of this noun, and the triggers that hold four eyes."""
    _requests()
    _decisions()
    _audit()
    connection = op.get_bind()
    # What was instructed before there were approvals goes on.
    connection.exec_driver_sql(
        "UPDATE settlement SET approved_by = 'policy' WHERE approved_by IS NULL"
    )
    refuse_changes(connection, APPEND_ONLY)
    statements = _ON_POSTGRESQL if connection.dialect.name == "postgresql" else _ON_SQLITE
    for statement in statements:
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """Refuse: what was booked is not unbooked by a schema."""
    raise NotImplementedError("the way back is a restored backup")


def _only(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def _requests() -> None:
    op.create_table(
        "approval_request",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("what_hash", sa.Text(), nullable=False),
        sa.Column("amount_minor", BIG, nullable=True),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("maker", sa.Text(), nullable=False),
        sa.Column("maker_role", sa.Text(), nullable=False),
        sa.Column("approver_roles", sa.Text(), nullable=False),
        sa.Column("needed", sa.Integer(), nullable=False),
        sa.Column("matrix_version", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("expires_at", BIG, nullable=False),
        sa.Column("ended_at", BIG, nullable=True),
        sa.Column("ended_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('open', 'approved', 'refused', 'withdrawn', 'lapsed', 'void')",
            name="approval_request_state",
        ),
        sa.CheckConstraint("needed BETWEEN 0 AND 9", name="approval_request_needed"),
        sa.CheckConstraint("needed > 0 OR state = 'approved'", name="approval_request_of_nobody"),
        sa.CheckConstraint("(state = 'open') = (ended_at IS NULL)", name="approval_request_ended"),
        sa.CheckConstraint("expires_at > created_at", name="approval_request_expires"),
        sa.CheckConstraint("length(what_hash) = 64", name="approval_request_hash"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("id", "maker", "what_hash", name="approval_request_seen"),
    )
    op.create_index(
        "approval_open_once",
        "approval_request",
        ["kind", "subject"],
        unique=True,
        **_only("state = 'open'"),
    )
    op.create_index("approval_by_subject", "approval_request", ["subject"])
    op.create_index(
        "approval_waiting", "approval_request", ["expires_at"], **_only("state = 'open'")
    )


def _decisions() -> None:
    op.create_table(
        "approval_decision",
        sa.Column("id", BIG, nullable=False),
        sa.Column("approval_id", sa.Text(), nullable=False),
        sa.Column("maker", sa.Text(), nullable=False),
        sa.Column("what_hash", sa.Text(), nullable=False),
        sa.Column("checker", sa.Text(), nullable=False),
        sa.Column("checker_role", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.CheckConstraint("verdict IN ('approve', 'refuse')", name="approval_decision_verdict"),
        sa.CheckConstraint("checker <> maker", name="approval_decision_four_eyes"),
        sa.ForeignKeyConstraint(
            ["approval_id", "maker", "what_hash"],
            ["approval_request.id", "approval_request.maker", "approval_request.what_hash"],
            name="approval_decision_of_request",
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("approval_id", "checker", name="approval_decision_once"),
    )


def _audit() -> None:
    op.create_table(
        "audit_event",
        sa.Column("seq", BIG, nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("hand", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("key_prefix", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("subjects", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("body_hash", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("repeated", sa.Integer(), nullable=False),
        sa.Column("changes", sa.Text(), nullable=True),
        sa.Column("prev_hash", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.CheckConstraint("repeated >= 1", name="audit_event_repeated"),
        sa.CheckConstraint("length(hash) = 64", name="audit_event_hash"),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index("audit_by_hand", "audit_event", ["hand", "seq"])
    op.create_index("audit_by_act", "audit_event", ["act", "seq"])
    op.create_table(
        "audit_subject",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("seq", BIG, nullable=False),
        sa.PrimaryKeyConstraint("subject", "seq"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "audit_head",
        sa.Column("id", BIG, nullable=False),
        sa.Column("seq", BIG, nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.CheckConstraint("id = 1", name="audit_head_alone"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.execute(f"INSERT INTO audit_head (id, seq, hash) VALUES (1, 0, '{'0' * 64}')")


_FIXED = (
    "id", "kind", "subject", "terms", "what_hash", "amount_minor", "unit", "maker", "maker_role",
    "approver_roles", "needed", "matrix_version", "reason", "created_at", "expires_at",
)  # fmt: skip
_SAID = (
    "(SELECT COUNT(*) FROM approval_decision d WHERE d.approval_id = NEW.id AND d.verdict = '{}')"
)
_TOO_SHORT = (
    f"(NEW.state = 'approved' AND ({_SAID.format('approve')} < NEW.needed"
    f" OR {_SAID.format('refuse')} > 0))"
    f" OR (NEW.state = 'refused' AND {_SAID.format('refuse')} = 0)"
)


def _moved(distinct: str) -> str:
    """Return what says that a fixed column changes; `distinct` compares with NULL as a value."""
    return " OR ".join(f"NEW.{column} {distinct} OLD.{column}" for column in _FIXED)


_TERMS = (
    "invoice_id, rail, token, debtor_id, creditor_id, debtor_wallet, creditor_wallet, sequence,"
    " amount_minor, claim_minor, reference, document_sha256, execution_date"
)
_CLEARS = "NEW.state = 'CLEARED' AND NEW.approved_by IS NULL"
_BY_NOBODY = (
    "NEW.approved_by IS NOT NULL AND NEW.approved_by <> 'policy' AND NOT EXISTS (SELECT 1 FROM"
    " approval_request a WHERE a.kind = 'settlement' AND a.subject = NEW.id"
    " AND a.state = 'approved' AND a.needed > 0)"
)
_WAVED_ON = "OLD.approved_by IS NULL AND NEW.approved_by = 'policy'"
_BY_PEOPLE = "OLD.approved_by IS NOT NULL AND OLD.approved_by <> 'policy'"

_TWO_HANDS = (
    # Table, who made it, who decides, when the database looks.
    ("break_proposal", "proposed_by", "decided_by", "UPDATE"),
    ("break_decision", "proposed_by", "decided_by", "INSERT"),
    ("accounting_period", "closed_by", "approved_by", "UPDATE"),
    ("recon_rule_set", "author", "approved_by", "UPDATE"),
)


def _hand(column: str, place: str) -> str:
    """Return the hand in `role:hand`; a word without a role is its own."""
    return f"substr(NEW.{column}, {place}(NEW.{column}, ':') + 1)"


def _same(maker: str, checker: str, place: str) -> str:
    return f"NEW.{checker} IS NOT NULL AND {_hand(maker, place)} = {_hand(checker, place)}"


_SQLITE_HANDS = tuple(
    f"CREATE TRIGGER {table}_two_hands BEFORE {act} ON {table}"
    f" WHEN {_same(maker, checker, 'instr')} BEGIN SELECT RAISE(ABORT, '{_ONE_PAIR}'); END"
    for table, maker, checker, act in _TWO_HANDS
)
_POSTGRESQL_HANDS = (
    "CREATE FUNCTION refuse_one_hand() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    f" RAISE EXCEPTION '{_ONE_PAIR}' USING ERRCODE = 'check_violation'; END $$",
    *(
        f"CREATE TRIGGER {table}_two_hands BEFORE {act} ON {table} FOR EACH ROW"
        f" WHEN ({_same(maker, checker, 'strpos')}) EXECUTE FUNCTION refuse_one_hand()"
        for table, maker, checker, act in _TWO_HANDS
    ),
)

_ON_SQLITE = (
    *_SQLITE_HANDS,
    "CREATE TRIGGER settlement_is_approved BEFORE UPDATE OF state ON settlement"
    f" WHEN {_CLEARS} BEGIN SELECT RAISE(ABORT, '{_UNAPPROVED}'); END",
    "CREATE TRIGGER settlement_approval_was_given BEFORE UPDATE OF approved_by ON settlement"
    f" WHEN {_WAVED_ON} OR ({_BY_NOBODY}) BEGIN SELECT RAISE(ABORT, '{_NOT_GIVEN}'); END",
    "CREATE TRIGGER settlement_begins_unapproved BEFORE INSERT ON settlement"
    f" WHEN {_BY_NOBODY} BEGIN SELECT RAISE(ABORT, '{_NOT_GIVEN}'); END",
    f"CREATE TRIGGER settlement_terms_stay BEFORE UPDATE OF {_TERMS} ON settlement"
    f" WHEN {_BY_PEOPLE} BEGIN SELECT RAISE(ABORT, '{_FROZEN}'); END",
    "CREATE TRIGGER approval_request_begins BEFORE INSERT ON approval_request"
    " WHEN NEW.state <> 'open' AND NOT (NEW.state = 'approved' AND NEW.needed = 0)"
    f" BEGIN SELECT RAISE(ABORT, '{_FRESH}'); END",
    "CREATE TRIGGER approval_request_stays BEFORE UPDATE ON approval_request"
    f" WHEN OLD.state <> 'open' OR {_moved('IS NOT')}"
    f" BEGIN SELECT RAISE(ABORT, '{_ENDED}'); END",
    "CREATE TRIGGER approval_request_counts BEFORE UPDATE ON approval_request"
    f" WHEN {_TOO_SHORT} BEGIN SELECT RAISE(ABORT, '{_SHORT}'); END",
    "CREATE TRIGGER approval_request_is_kept BEFORE DELETE ON approval_request"
    f" BEGIN SELECT RAISE(ABORT, '{_ENDED}'); END",
    "CREATE TRIGGER approval_decision_on_open BEFORE INSERT ON approval_decision"
    " WHEN NOT EXISTS (SELECT 1 FROM approval_request a WHERE a.id = NEW.approval_id"
    " AND a.state = 'open' AND a.expires_at > NEW.at)"
    f" BEGIN SELECT RAISE(ABORT, '{_NOT_OPEN}'); END",
)
_ON_POSTGRESQL = (
    *_POSTGRESQL_HANDS,
    "CREATE FUNCTION refuse_unapproved() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    f" RAISE EXCEPTION '{_UNAPPROVED}'; END $$",
    "CREATE TRIGGER settlement_is_approved BEFORE UPDATE OF state ON settlement"
    f" FOR EACH ROW WHEN ({_CLEARS}) EXECUTE FUNCTION refuse_unapproved()",
    "CREATE FUNCTION refuse_not_given() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    f" IF {_BY_NOBODY} THEN RAISE EXCEPTION '{_NOT_GIVEN}'; END IF;"
    f" IF TG_OP = 'UPDATE' THEN IF {_WAVED_ON} THEN RAISE EXCEPTION '{_NOT_GIVEN}'; END IF;"
    " END IF; RETURN NEW; END $$",
    "CREATE TRIGGER settlement_approval_was_given BEFORE UPDATE OF approved_by ON settlement"
    " FOR EACH ROW EXECUTE FUNCTION refuse_not_given()",
    "CREATE TRIGGER settlement_begins_unapproved BEFORE INSERT ON settlement FOR EACH ROW"
    " WHEN (NEW.approved_by IS NOT NULL AND NEW.approved_by <> 'policy')"
    " EXECUTE FUNCTION refuse_not_given()",
    "CREATE FUNCTION keep_approved_terms() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    f" RAISE EXCEPTION '{_FROZEN}'; END $$",
    f"CREATE TRIGGER settlement_terms_stay BEFORE UPDATE OF {_TERMS} ON settlement"
    f" FOR EACH ROW WHEN ({_BY_PEOPLE}) EXECUTE FUNCTION keep_approved_terms()",
    "CREATE FUNCTION keep_approval_request() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    " IF TG_OP = 'INSERT' THEN IF NEW.state <> 'open' AND NOT (NEW.state = 'approved'"
    f" AND NEW.needed = 0) THEN RAISE EXCEPTION '{_FRESH}'; END IF; RETURN NEW; END IF;"
    f" IF TG_OP = 'DELETE' THEN RAISE EXCEPTION '{_ENDED}'; END IF;"
    f" IF OLD.state <> 'open' OR {_moved('IS DISTINCT FROM')}"
    f" THEN RAISE EXCEPTION '{_ENDED}'; END IF;"
    f" IF {_TOO_SHORT} THEN RAISE EXCEPTION '{_SHORT}'; END IF; RETURN NEW; END $$",
    "CREATE TRIGGER approval_request_stays BEFORE INSERT OR UPDATE OR DELETE ON approval_request"
    " FOR EACH ROW EXECUTE FUNCTION keep_approval_request()",
    "CREATE FUNCTION refuse_truncation() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    f" RAISE EXCEPTION '{_ENDED}'; END $$",
    "CREATE TRIGGER approval_request_is_kept BEFORE TRUNCATE ON approval_request"
    " FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncation()",
    # The lock keeps the request open until this decision is committed or gone.
    "CREATE FUNCTION refuse_late_decision() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    " PERFORM 1 FROM approval_request a WHERE a.id = NEW.approval_id AND a.state = 'open'"
    " AND a.expires_at > NEW.at FOR UPDATE;"
    f" IF NOT FOUND THEN RAISE EXCEPTION '{_NOT_OPEN}'; END IF; RETURN NEW; END $$",
    "CREATE TRIGGER approval_decision_on_open BEFORE INSERT ON approval_decision"
    " FOR EACH ROW EXECUTE FUNCTION refuse_late_decision()",
)
