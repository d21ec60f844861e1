"""Sums of Transfer logs for the tie-out."""

import sqlalchemy as sa
from alembic import op

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the table; it is filled by the first tie-out."""
    op.create_table(
        "transfer_sum",
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("received_high", BIG, nullable=False),
        sa.Column("received_low", BIG, nullable=False),
        sa.Column("paid_high", BIG, nullable=False),
        sa.Column("paid_low", BIG, nullable=False),
        sa.PrimaryKeyConstraint("token", "holder"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Refuse: what was booked is not unbooked by a schema."""
    raise NotImplementedError("the way back is a restored backup")
