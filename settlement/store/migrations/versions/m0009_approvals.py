"""Approvals by a second person, and the trail of every act."""

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make the tables of this noun."""


def downgrade() -> None:
    """Refuse: what was booked is not unbooked by a schema."""
    raise NotImplementedError("the way back is a restored backup")
