"""Who of the listed controls a participant, beside what they own of it."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add the column; whoever somebody controls is compared anew before its next payment."""
    op.add_column(
        "screening_subject",
        sa.Column("listed_controllers", sa.Text(), nullable=False, server_default="[]"),
    )
    op.get_bind().exec_driver_sql(
        "UPDATE screening_subject SET lists_hash = '' WHERE participant_id IN"
        " (SELECT participant_id FROM participant_owner WHERE role = 'controller' AND live)"
    )


def downgrade() -> None:
    """Refuse: what was booked is not unbooked by a schema."""
    raise NotImplementedError("the way back is a restored backup")
