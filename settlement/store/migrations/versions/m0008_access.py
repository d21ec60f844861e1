"""Who signs in and calls: people, their keys, sessions."""

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the tables of this noun."""


def downgrade() -> None:
    """Refuse: what was booked is not unbooked by a schema."""
    raise NotImplementedError("the way back is a restored backup")
