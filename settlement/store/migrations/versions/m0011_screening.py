"""Lists in full, hits and what people decided about them."""

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Make the tables of this noun."""


def downgrade() -> None:
    """Refuse: what was booked is not unbooked by a schema."""
    raise NotImplementedError("the way back is a restored backup")
