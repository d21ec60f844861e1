"""Versions of the policy, what decisions stood on, flags, registers, and declared trades."""

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import SQLModel

from settlement.tables.columns import big, moment, text


class PolicyVersion(SQLModel, table=True):
    """All files of a policy: a draft, or published by a second person from a moment on."""

    __tablename__ = "policy_version"
    __table_args__ = (
        UniqueConstraint("sha256", name="policy_version_content_once"),
        # Nobody puts his own rules in force.
        CheckConstraint("published_by <> author", name="policy_version_second_person"),
        CheckConstraint(
            "(published_by IS NULL) = (in_force_from IS NULL)", name="policy_version_published"
        ),
    )
    version: int = big(primary_key=True)
    sha256: str = text()
    files: str = text()
    """Name and content of every file, as JSON."""
    note: str = text(default="")
    author: str = text()
    created_at: int = moment()
    tried: str | None = text(default=None)
    """What the last trial on history came to, as JSON."""
    published_by: str | None = text(default=None)
    in_force_from: int | None = moment(default=None)


class PolicyInputs(SQLModel, table=True):
    """What was known of two parties and an asset, once for all decisions that stood on it."""

    __tablename__ = "policy_inputs"
    sha256: str = text(primary_key=True)
    body: str = text()


class PolicyFlag(SQLModel, table=True):
    """Something that a rule tells the supervisor; it changed no outcome."""

    __tablename__ = "policy_flag"
    __table_args__ = (
        Index("policy_flag_by_settlement", "settlement_id"),
        Index("policy_flag_by_time", "created_at"),
    )
    rule_id: str = text(primary_key=True)
    subject: str = text(primary_key=True)
    """The settlement; of a sum over time its parties."""
    day: str = text(primary_key=True)
    """ISO 8601; empty where the settlement itself is the subject."""
    settlement_id: str = text(foreign_key="settlement.id")
    clearance_id: str = text()
    found: str = text()
    created_at: int = moment()


class RegisterVersion(SQLModel, table=True):
    """One state of a register, such as that of mining operators. The newest is in force."""

    __tablename__ = "register_version"
    id: str = text(primary_key=True)
    name: str = text(index=True)
    sha256: str = text()
    entry_count: int
    loaded_by: str = text()
    created_at: int = moment()


class RegisterEntry(SQLModel, table=True):
    """What a register has: an id, a code or a name, as it is compared."""

    __tablename__ = "register_entry"
    register_version_id: str = text(primary_key=True, foreign_key="register_version.id")
    value: str = text(primary_key=True)
    detail: str = text(default="")


class TradeDeclaration(SQLModel, table=True):
    """What a party declared of the trade behind an invoice. Append-only; its newest counts."""

    __tablename__ = "trade_declaration"
    id: int | None = big(default=None, primary_key=True)
    invoice_id: str = text(foreign_key="invoice.id", index=True)
    participant_id: str = text(foreign_key="participant.id")
    body: str = text()
    declared_by: str = text()
    at: int = moment()
