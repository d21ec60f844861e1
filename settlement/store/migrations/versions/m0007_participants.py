"""Participants' registration: forms, owners, documents, proofs of wallets, changes."""

import warnings
from typing import Any

import sqlalchemy as sa
from alembic import op

from settlement.store.triggers import refuse_changes

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
revision = "0007"
down_revision = "0006"

APPEND_ONLY = ("participant_event", "wallet_proof")
_DEFAULTS = {
    "legal_form": "legal_entity",
    "subdivision": "",
    "building_number": "",
    "known_by": "operator",
    "applied_by": "operator",
}


def upgrade() -> None:
    """Make the tables of this noun."""
    _widen_participant()
    _widen_wallet()
    _make_events_and_names()
    _make_owners()
    _make_documents()
    _make_accounts()
    _make_proofs()
    _make_changes()
    refuse_changes(op.get_bind(), APPEND_ONLY)


def downgrade() -> None:
    """Refuse: what was booked is not unbooked by a schema."""
    raise NotImplementedError("the way back is a restored backup")


def _only(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def _widen_participant() -> None:
    """Let there be more forms and states; who was there is told by it."""
    if op.get_bind().dialect.name == "postgresql":
        # SQLite's copy below leaves the old check behind by itself.
        op.drop_constraint("participant_state_check", "participant")
    for name in ("legal_form", "subdivision", "building_number", "tax_id", "known_by"):
        op.add_column("participant", sa.Column(name, sa.Text(), nullable=True))
    op.add_column("participant", sa.Column("review_on", sa.Text(), nullable=True))
    op.add_column("participant", sa.Column("kyb_valid_until", BIG, nullable=True))
    op.add_column("participant", sa.Column("applied_by", sa.Text(), nullable=True))
    op.execute(
        "UPDATE participant SET legal_form = 'legal_entity', subdivision = '',"
        " building_number = '', known_by = 'migration', applied_by = 'migration'"
    )
    with warnings.catch_warnings(), op.batch_alter_table("participant") as batch:
        # The unnamed check of the states is to be left behind.
        warnings.simplefilter("ignore")
        batch.alter_column("lei", existing_type=sa.Text(), nullable=True)
        for name, default in _DEFAULTS.items():
            batch.alter_column(
                name, existing_type=sa.Text(), nullable=False, server_default=default
            )
        batch.create_check_constraint(
            "participant_state_known",
            "state IN ('applied', 'active', 'suspended', 'expired', 'closed')",
        )
        batch.create_check_constraint(
            "participant_form_known",
            "legal_form IN ('legal_entity', 'sole_proprietor', 'individual')",
        )
        batch.create_check_constraint(
            "participant_entity_has_lei", "lei IS NOT NULL OR legal_form <> 'legal_entity'"
        )
        batch.create_check_constraint(
            "participant_known_by", "known_by IN ('documents', 'operator', 'migration')"
        )


def _widen_wallet() -> None:
    """What was registered before proofs were asked for goes on, and is told by it."""
    for name in ("kind", "provider", "proved_by"):
        op.add_column("wallet", sa.Column(name, sa.Text(), nullable=True))
    for name in ("usable_from", "retired_at"):
        op.add_column("wallet", sa.Column(name, BIG, nullable=True))
    op.execute(
        "UPDATE wallet SET kind = 'self_hosted', proved_by = 'migration', usable_from = created_at"
    )
    with op.batch_alter_table("wallet") as batch:
        for name, default in (("kind", "self_hosted"), ("proved_by", "operator")):
            batch.alter_column(
                name, existing_type=sa.Text(), nullable=False, server_default=default
            )
        batch.create_check_constraint("wallet_kind_known", "kind IN ('custodial', 'self_hosted')")
        batch.create_check_constraint(
            "wallet_proof_known", "proved_by IN ('signature', 'contract', 'operator', 'migration')"
        )


def _make_events_and_names() -> None:
    op.create_table(
        "participant_event",
        sa.Column("id", BIG, nullable=False),
        sa.Column("participant_id", sa.Text(), nullable=False),
        sa.Column("move", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["participant_id"],
            ["participant.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        op.f("ix_participant_event_participant_id"),
        "participant_event",
        ["participant_id"],
        unique=False,
    )
    op.create_table(
        "participant_alias",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("participant_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.CheckConstraint("kind IN ('trading', 'former', 'other')"),
        sa.ForeignKeyConstraint(
            ["participant_id"],
            ["participant.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        op.f("ix_participant_alias_participant_id"),
        "participant_alias",
        ["participant_id"],
        unique=False,
    )


def _make_owners() -> None:
    op.create_table(
        "natural_person",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("birth_date", sa.Text(), nullable=True),
        sa.Column("document_number", sa.Text(), nullable=True),
        sa.Column("salt", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("erased_at", BIG, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_natural_person_key_id"), "natural_person", ["key_id"], unique=False)
    op.create_table(
        "participant_owner",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("participant_id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("share_bp", sa.Integer(), nullable=False),
        sa.Column("owner_participant_id", sa.Text(), nullable=True),
        sa.Column("person_id", sa.Text(), nullable=True),
        sa.Column("company_name", sa.Text(), nullable=True),
        sa.Column("company_country", sa.Text(), nullable=True),
        sa.Column("company_number", sa.Text(), nullable=True),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.CheckConstraint("role <> 'owner' OR share_bp > 0"),
        sa.CheckConstraint("role IN ('owner', 'controller')"),
        sa.CheckConstraint(
            "(owner_participant_id IS NOT NULL AND person_id IS NULL AND company_name IS NULL)"
            " OR (owner_participant_id IS NULL AND person_id IS NOT NULL AND company_name IS NULL)"
            " OR (owner_participant_id IS NULL AND person_id IS NULL AND company_name IS NOT NULL)"
        ),
        sa.CheckConstraint("owner_participant_id <> participant_id"),
        sa.CheckConstraint("share_bp BETWEEN 0 AND 10000"),
        sa.ForeignKeyConstraint(
            ["owner_participant_id"],
            ["participant.id"],
        ),
        sa.ForeignKeyConstraint(
            ["participant_id"],
            ["participant.id"],
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["natural_person.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "owner_of_participant",
        "participant_owner",
        ["participant_id"],
        unique=False,
        **_only("live"),
    )
    op.create_index(
        "owner_who_takes_part",
        "participant_owner",
        ["owner_participant_id"],
        unique=False,
        **_only("live"),
    )


def _make_documents() -> None:
    op.create_table(
        "participant_document",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("participant_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Text(), nullable=True),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("issued_on", sa.Text(), nullable=False),
        sa.Column("expires_on", sa.Text(), nullable=True),
        sa.Column("valid_from", BIG, nullable=False),
        sa.Column("valid_until", BIG, nullable=True),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("offered_by", sa.Text(), nullable=False),
        sa.Column("accepted_by", sa.Text(), nullable=True),
        sa.Column("accepted_at", BIG, nullable=True),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.CheckConstraint("(accepted_at IS NULL) = (accepted_by IS NULL)"),
        sa.CheckConstraint("accepted_by IS NULL OR accepted_by <> offered_by"),
        sa.CheckConstraint("valid_until IS NULL OR valid_until > valid_from"),
        sa.ForeignKeyConstraint(
            ["participant_id"],
            ["participant.id"],
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["natural_person.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "document_file_once",
        "participant_document",
        ["participant_id", "kind", "sha256"],
        unique=True,
        **_only("live"),
    )
    op.create_index(
        "document_of_participant",
        "participant_document",
        ["participant_id"],
        unique=False,
        **_only("live"),
    )


def _make_accounts() -> None:
    op.create_table(
        "participant_account",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("participant_id", sa.Text(), nullable=False),
        sa.Column("iban", sa.Text(), nullable=True),
        sa.Column("account_number", sa.Text(), nullable=True),
        sa.Column("clearing_system", sa.Text(), nullable=True),
        sa.Column("clearing_code", sa.Text(), nullable=True),
        sa.Column("bic", sa.Text(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("usable_from", BIG, nullable=True),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.CheckConstraint("(clearing_code IS NULL) = (account_number IS NULL)"),
        sa.CheckConstraint("(clearing_system IS NULL) = (account_number IS NULL)"),
        sa.CheckConstraint("(iban IS NULL) <> (account_number IS NULL)"),
        sa.ForeignKeyConstraint(
            ["participant_id"],
            ["participant.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "account_iban_once",
        "participant_account",
        ["iban", "currency"],
        unique=True,
        **_only("live"),
    )
    op.create_index(
        "account_number_once",
        "participant_account",
        ["clearing_system", "clearing_code", "account_number", "currency"],
        unique=True,
        **_only("live"),
    )
    op.create_index(
        op.f("ix_participant_account_participant_id"),
        "participant_account",
        ["participant_id"],
        unique=False,
    )


def _make_proofs() -> None:
    op.create_table(
        "wallet_challenge",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("participant_id", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("chain_id", BIG, nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=True),
        sa.Column("issued_by", sa.Text(), nullable=False),
        sa.Column("issued_at", BIG, nullable=False),
        sa.Column("expires_at", BIG, nullable=False),
        sa.Column("used_at", BIG, nullable=True),
        sa.CheckConstraint("kind IN ('custodial', 'self_hosted')"),
        sa.ForeignKeyConstraint(
            ["participant_id"],
            ["participant.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        op.f("ix_wallet_challenge_participant_id"),
        "wallet_challenge",
        ["participant_id"],
        unique=False,
    )
    op.create_table(
        "wallet_proof",
        sa.Column("challenge_id", sa.Text(), nullable=False),
        sa.Column("participant_id", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("chain_id", BIG, nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.Column("proved_by", sa.Text(), nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.CheckConstraint("method IN ('eip191', 'eip712', 'eip1271')"),
        sa.ForeignKeyConstraint(
            ["challenge_id"],
            ["wallet_challenge.id"],
        ),
        sa.ForeignKeyConstraint(
            ["participant_id"],
            ["participant.id"],
        ),
        sa.PrimaryKeyConstraint("challenge_id"),
    )
    op.create_index(op.f("ix_wallet_proof_address"), "wallet_proof", ["address"], unique=False)
    op.create_index(
        op.f("ix_wallet_proof_participant_id"), "wallet_proof", ["participant_id"], unique=False
    )


def _make_changes() -> None:
    op.create_table(
        "participant_change",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("participant_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_at", BIG, nullable=False),
        sa.Column("approval_id", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", BIG, nullable=True),
        sa.Column("usable_from", BIG, nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint("(decided_at IS NULL) = (state = 'pending')"),
        sa.CheckConstraint(
            "kind IN ('wallet', 'wallet_removal', 'bank_account', 'bank_account_removal',"
            " 'name', 'address', 'owners', 'aliases')"
        ),
        sa.CheckConstraint("state <> 'approved' OR decided_by <> asked_by"),
        sa.CheckConstraint("state <> 'effective' OR decided_by <> asked_by"),
        sa.CheckConstraint("state IN ('pending', 'approved', 'effective', 'refused', 'withdrawn')"),
        sa.ForeignKeyConstraint(
            ["participant_id"],
            ["participant.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "change_cooling",
        "participant_change",
        ["usable_from"],
        unique=False,
        **_only("state = 'approved'"),
    )
    op.create_index(
        "change_pending_once",
        "participant_change",
        ["participant_id", "kind", "subject"],
        unique=True,
        **_only("state = 'pending'"),
    )
    op.create_index(
        op.f("ix_participant_change_approval_id"),
        "participant_change",
        ["approval_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_participant_change_participant_id"),
        "participant_change",
        ["participant_id"],
        unique=False,
    )
