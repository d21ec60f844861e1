"""Travel-rule payloads, requests for information, limits, reports and their deadlines."""

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Make the tables of this noun."""


def downgrade() -> None:
    """Refuse: what was booked is not unbooked by a schema."""
    raise NotImplementedError("the way back is a restored backup")
