"""What is listed on the chain, and the lane that lists it."""

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Make the tables of this noun."""


def downgrade() -> None:
    """Refuse: what was booked is not unbooked by a schema."""
    raise NotImplementedError("the way back is a restored backup")
