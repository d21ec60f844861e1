"""Records to match, rule sets, runs and matches."""

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables of this noun."""


def downgrade() -> None:
    """Refuse: what was booked is not unbooked by a schema."""
    raise NotImplementedError("the way back is a restored backup")
