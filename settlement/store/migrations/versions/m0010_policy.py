"""Policy packs by version, registers, what is known of a trade."""

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Make the tables of this noun."""


def downgrade() -> None:
    """Refuse: what was booked is not unbooked by a schema."""
    raise NotImplementedError("the way back is a restored backup")
