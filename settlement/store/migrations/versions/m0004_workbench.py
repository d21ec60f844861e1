"""Work on breaks: owners, comments, proposals that need a second person."""

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the tables of this noun."""


def downgrade() -> None:
    """Refuse: what was booked is not unbooked by a schema."""
    raise NotImplementedError("the way back is a restored backup")
