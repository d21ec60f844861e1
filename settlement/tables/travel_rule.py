"""What travels with payments by the travel rule: sealed by party, referred to by payment."""

from sqlalchemy import CheckConstraint, LargeBinary
from sqlmodel import Field, SQLModel

from settlement.tables.columns import moment, text


class TravelRulePayload(SQLModel, table=True):
    """What is told of two parties; the same for all payments between them while nothing changes."""

    __tablename__ = "travel_rule_payload"
    id: str = text(primary_key=True)
    sha256: str = text(unique=True)
    """Over the canonical plaintext, each side's salt included; stays when a side is erased."""
    originator_id: str = text(foreign_key="participant.id")
    beneficiary_id: str = text(foreign_key="participant.id")
    originator: bytes = Field(sa_type=LargeBinary)
    """Sealed under the party's key: AES-256-GCM."""
    beneficiary: bytes = Field(sa_type=LargeBinary)
    version: str = text()
    created_at: int = moment()


class TravelRuleTransfer(SQLModel, table=True):
    """Which payload goes with a payment, and whether it was handed over."""

    __tablename__ = "travel_rule_transfer"
    __table_args__ = (CheckConstraint("state IN ('ready', 'sent', 'received', 'refused')"),)
    settlement_id: str = text(primary_key=True, foreign_key="settlement.id")
    clearance_id: str = text()
    """The newest decision that asked for it."""
    payload_id: str = text(foreign_key="travel_rule_payload.id")
    state: str = text()
    created_at: int = moment()
