"""Indexes of what most rows do not have yet hold only the rows that have it."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

_NARROWED = (
    ("settlement_by_chain_tx", "settlement", "chain_tx_id"),
    ("settlement_by_block", "settlement", "block_number"),
    ("journal_entry_by_settlement", "journal_entry", "settlement_id"),
    ("journal_entry_by_block", "journal_entry", "block_number"),
    ("ix_journal_entry_tx_hash", "journal_entry", "tx_hash"),
    ("chain_log_by_reference", "chain_log", "reference"),
)


def upgrade() -> None:
    """Make each index anew."""
    for name, table, column in _NARROWED:
        where = sa.text(f"{column} IS NOT NULL")
        op.drop_index(name, table_name=table)
        op.create_index(name, table, [column], sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    """Refuse: what was booked is not unbooked by a schema."""
    raise NotImplementedError("the way back is a restored backup")
