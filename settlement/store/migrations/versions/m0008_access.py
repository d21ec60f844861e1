"""Who signs in and calls: people, their keys, sessions."""

import sqlalchemy as sa
from alembic import op

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ROLES = (
    "role IN ('exporter', 'importer', 'treasury', 'approver', 'compliance', 'overseer', 'admin')"
)
revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the tables of this noun; API keys get new columns and one more role."""
    _people()
    _credentials()
    _sessions()
    _api_keys()


def _people() -> None:
    op.create_table(
        "personal_key",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("erased_at", BIG, nullable=True),
        sa.CheckConstraint(
            "(wrapped IS NULL) = (erased_at IS NOT NULL)", name="ck_personal_key_erased"
        ),
        sa.PrimaryKeyConstraint("subject"),
    )
    op.create_table(
        "person",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("email_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("email_digest", sa.Text(), nullable=True),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("participant_id", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("oidc_issuer", sa.Text(), nullable=True),
        sa.Column("oidc_subject", sa.Text(), nullable=True),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("changed_at", BIG, nullable=False),
        sa.Column("erased_at", BIG, nullable=True),
        sa.CheckConstraint("state IN ('active', 'disabled', 'erased')", name="ck_person_state"),
        sa.CheckConstraint(ROLES, name="ck_person_role"),
        sa.CheckConstraint(
            "(state = 'erased') = (erased_at IS NOT NULL)", name="ck_person_erased_at"
        ),
        sa.ForeignKeyConstraint(["participant_id"], ["participant.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    for name, columns, condition in (
        ("ux_person_email", ["email_digest"], "email_digest IS NOT NULL"),
        ("ux_person_oidc", ["oidc_issuer", "oidc_subject"], "oidc_subject IS NOT NULL"),
    ):
        where = sa.text(condition)
        op.create_index(
            name, "person", columns, unique=True, sqlite_where=where, postgresql_where=where
        )


def _credentials() -> None:
    op.create_table(
        "credential",
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("password_set_at", BIG, nullable=True),
        sa.Column("must_change", sa.Boolean(), nullable=False),
        sa.Column("totp_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("totp_confirmed_at", BIG, nullable=True),
        sa.Column("totp_last_step", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.PrimaryKeyConstraint("person_id"),
    )
    op.create_table(
        "recovery_code",
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("code_hash", sa.Text(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("used_at", BIG, nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.PrimaryKeyConstraint("person_id", "code_hash"),
    )


def _sessions() -> None:
    op.create_table(
        "person_session",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("last_seen_at", BIG, nullable=False),
        sa.Column("expires_at", BIG, nullable=False),
        sa.Column("revoked_at", BIG, nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token_hash"),
    )
    op.create_index("ix_person_session_person_id", "person_session", ["person_id"])
    op.create_table(
        "sign_in_failure",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("blocked_until", BIG, nullable=False),
        sa.Column("last_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("subject"),
    )
    op.create_index("ix_sign_in_failure_last_at", "sign_in_failure", ["last_at"])
    op.create_table(
        "oidc_flow",
        sa.Column("state_hash", sa.Text(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("verifier", sa.Text(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("state_hash"),
    )
    op.create_index("ix_oidc_flow_created_at", "oidc_flow", ["created_at"])


def _api_keys() -> None:
    """Make the table anew and carry the rows over: its old CHECK had no name to be changed by."""
    op.rename_table("api_key", "api_key_before")
    op.create_table(
        "api_key",
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("key_hash", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("participant_id", sa.Text(), nullable=True),
        sa.Column("person_id", sa.Text(), nullable=True),
        sa.Column("scopes", sa.Text(), nullable=False, server_default=""),
        sa.Column("label", sa.Text(), nullable=False, server_default=""),
        sa.Column("per_minute", sa.Integer(), nullable=True),
        sa.Column("issued_by", sa.Text(), nullable=False, server_default=""),
        sa.Column("rotated_from", sa.Text(), nullable=True),
        sa.Column("last_used_at", BIG, nullable=True),
        sa.Column("expires_at", BIG, nullable=True),
        sa.Column("revoked_at", BIG, nullable=True),
        sa.Column("revoked_by", sa.Text(), nullable=False, server_default=""),
        sa.Column("created_at", BIG, nullable=False),
        sa.CheckConstraint(ROLES, name="ck_api_key_role"),
        sa.ForeignKeyConstraint(["participant_id"], ["participant.id"]),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.PrimaryKeyConstraint("prefix", name="pk_api_key"),
    )
    op.create_index("ix_api_key_person_id", "api_key", ["person_id"])
    columns = "prefix, key_hash, role, participant_id, expires_at, revoked_at, created_at"
    op.execute(f"INSERT INTO api_key ({columns}) SELECT {columns} FROM api_key_before")
    op.drop_table("api_key_before")


def downgrade() -> None:
    """Refuse: what was booked is not unbooked by a schema."""
    raise NotImplementedError("the way back is a restored backup")
