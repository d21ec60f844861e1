"""Participants' registration: forms, owners, documents, proofs of wallets, changes."""

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the tables of this noun."""


def downgrade() -> None:
    """Refuse: what was booked is not unbooked by a schema."""
    raise NotImplementedError("the way back is a restored backup")
