"""Lists in full, hits and what people decided about them."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from settlement.store.triggers import refuse_changes

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
revision = "0011"
down_revision = "0010"

APPEND_ONLY = ("screening_hit_event",)


def upgrade() -> None:
    """Make the tables of this noun."""
    _older_tables()
    _parties()
    _hits()
    _logs()
    refuse_changes(op.get_bind(), APPEND_ONLY)


def downgrade() -> None:
    """Refuse: what was booked is not unbooked by a schema."""
    raise NotImplementedError("the way back is a restored backup")


def _only(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def _older_tables() -> None:
    for name, default in (("format", "plain"), ("stats", "{}"), ("loaded_by", "rail")):
        column = sa.Column(name, sa.Text(), nullable=False, server_default=default)
        op.add_column("list_version", column)
    op.add_column("list_entry", sa.Column("ended_by", sa.Text(), nullable=True))
    # Until now each version held all of its entries: the next one ended them all.
    op.execute(
        "UPDATE list_entry SET ended_by = (SELECT MIN(w.id) FROM list_version v"
        " JOIN list_version w ON w.name = v.name AND w.id > v.id"
        " WHERE v.id = list_entry.list_version_id)"
    )
    op.create_index(
        "list_entry_in_force", "list_entry", ["value"], unique=False, **_only("ended_by IS NULL")
    )


def _parties() -> None:
    op.create_table(
        "list_party",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("list_name", sa.Text(), nullable=False),
        sa.Column("entry_key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("version_id", sa.Text(), nullable=False),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["version_id"], ["list_version.id"]),
        sa.ForeignKeyConstraint(["ended_by"], ["list_version.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "list_party_once",
        "list_party",
        ["list_name", "entry_key"],
        unique=True,
        **_only("ended_by IS NULL"),
    )
    op.create_index(
        "list_party_ended",
        "list_party",
        ["ended_by"],
        unique=False,
        **_only("ended_by IS NOT NULL"),
    )
    op.create_index("list_party_since", "list_party", ["version_id"], unique=False)
    op.create_table(
        "list_name",
        sa.Column("party_id", sa.Text(), nullable=False),
        sa.Column("place", BIG, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["party_id"], ["list_party.id"]),
        sa.PrimaryKeyConstraint("party_id", "place"),
    )
    op.create_table(
        "list_address",
        sa.Column("party_id", sa.Text(), nullable=False),
        sa.Column("place", BIG, nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["party_id"], ["list_party.id"]),
        sa.PrimaryKeyConstraint("party_id", "place"),
    )
    op.create_table(
        "list_identifier",
        sa.Column("party_id", sa.Text(), nullable=False),
        sa.Column("place", BIG, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["party_id"], ["list_party.id"]),
        sa.PrimaryKeyConstraint("party_id", "place"),
    )
    op.create_index("list_identifier_value", "list_identifier", ["value"], unique=False)
    op.create_table(
        "list_link",
        sa.Column("party_id", sa.Text(), nullable=False),
        sa.Column("place", BIG, nullable=False),
        sa.Column("relation", sa.Text(), nullable=False),
        sa.Column("other", sa.Text(), nullable=False),
        sa.Column("share_bp", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["party_id"], ["list_party.id"]),
        sa.PrimaryKeyConstraint("party_id", "place"),
    )


def _hits() -> None:
    op.create_table(
        "screening_subject",
        sa.Column("participant_id", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("lists_hash", sa.Text(), nullable=False),
        sa.Column("listed_ownership_bp", sa.Integer(), nullable=False),
        sa.Column("listed_owners", sa.Text(), nullable=False),
        sa.Column("screened_at", BIG, nullable=False),
        sa.CheckConstraint("listed_ownership_bp BETWEEN 0 AND 10000"),
        sa.ForeignKeyConstraint(["participant_id"], ["participant.id"]),
        sa.PrimaryKeyConstraint("participant_id"),
    )
    op.create_index(
        "ix_screening_subject_lists_hash", "screening_subject", ["lists_hash"], unique=False
    )
    op.create_table(
        "screening_hit",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("participant_id", sa.Text(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False),
        sa.Column("subject_key", sa.Text(), nullable=False),
        sa.Column("subject_text", sa.Text(), nullable=False),
        sa.Column("list_name", sa.Text(), nullable=False),
        sa.Column("entry_key", sa.Text(), nullable=False),
        sa.Column("party_id", sa.Text(), nullable=False),
        sa.Column("entry_text", sa.Text(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("parts", sa.Text(), nullable=False),
        sa.Column("subject_hash", sa.Text(), nullable=False),
        sa.Column("entry_hash", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("assigned_to", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", BIG, nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("updated_at", BIG, nullable=False),
        sa.CheckConstraint("state IN ('open', 'cleared', 'confirmed', 'lapsed')"),
        sa.CheckConstraint("subject_kind IN ('name', 'owner', 'wallet', 'identifier')"),
        sa.CheckConstraint("score BETWEEN 0 AND 100"),
        sa.CheckConstraint(
            "state NOT IN ('cleared', 'confirmed') OR"
            " (decided_by IS NOT NULL AND reason IS NOT NULL)"
        ),
        sa.ForeignKeyConstraint(["participant_id"], ["participant.id"]),
        sa.ForeignKeyConstraint(["party_id"], ["list_party.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint(
            "participant_id",
            "subject_kind",
            "subject_key",
            "list_name",
            "entry_key",
            name="screening_hit_once",
        ),
    )
    op.create_index(
        "screening_hit_entry", "screening_hit", ["list_name", "entry_key"], unique=False
    )
    op.create_index(
        "screening_hit_waiting",
        "screening_hit",
        ["participant_id"],
        unique=False,
        **_only("state IN ('open', 'confirmed')"),
    )


def _logs() -> None:
    op.create_table(
        "screening_hit_event",
        sa.Column("id", BIG, nullable=False),
        sa.Column("hit_id", sa.Text(), nullable=False),
        sa.Column("move", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.ForeignKeyConstraint(["hit_id"], ["screening_hit.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "ix_screening_hit_event_hit_id", "screening_hit_event", ["hit_id"], unique=False
    )
    op.create_table(
        "screening_run",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("list_versions", sa.Text(), nullable=False),
        sa.Column("lists_hash", sa.Text(), nullable=False),
        sa.Column("after_id", sa.Text(), nullable=False),
        sa.Column("compared", sa.Integer(), nullable=False),
        sa.Column("found", sa.Integer(), nullable=False),
        sa.Column("reopened", sa.Integer(), nullable=False),
        sa.Column("lapsed", sa.Integer(), nullable=False),
        sa.Column("held", sa.Integer(), nullable=False),
        sa.Column("started_at", BIG, nullable=False),
        sa.Column("finished_at", BIG, nullable=True),
        sa.CheckConstraint("kind IN ('diff', 'all', 'changed')"),
        sa.CheckConstraint("state IN ('running', 'done', 'overtaken')"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "screening_run_once", "screening_run", ["kind"], unique=True, **_only("state = 'running'")
    )
