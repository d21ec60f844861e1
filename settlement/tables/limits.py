"""How much may be paid by whom to whom in a period, what is used of it, and by which payments."""

from sqlalchemy import CheckConstraint, Index
from sqlmodel import SQLModel

from settlement.tables.columns import KEYED, big, moment, only, text


class PaymentLimit(SQLModel, table=True):
    """A limit as it stands; only its largest sum changes, and only by a second person."""

    __tablename__ = "payment_limit"
    __table_args__ = (
        CheckConstraint("counted_by IN ('rule', 'debtor', 'creditor', 'pair')"),
        CheckConstraint("period IN ('payment', 'day', 'month', 'rolling')"),
        CheckConstraint("(period = 'rolling' AND days BETWEEN 2 AND 366) OR days = 0"),
        CheckConstraint("max_minor > 0"),
        CheckConstraint("state IN ('active', 'retired')"),
    )
    id: str = text(primary_key=True)
    name: str = text()
    token: str = text(foreign_key="token.address")
    """The asset: a sum has one unit."""
    debtor_id: str | None = text(foreign_key="participant.id", default=None)
    """Whose payments; null: anybody's. Likewise the three below."""
    creditor_id: str | None = text(foreign_key="participant.id", default=None)
    debtor_country: str | None = text(default=None)
    creditor_country: str | None = text(default=None)
    counted_by: str = text()
    """Whose payments add up: all together (rule), or each debtor's, creditor's or pair's own."""
    period: str = text()
    days: int = 0
    """Of a rolling period: how many UTC business dates, the payment's own included; else 0."""
    max_minor: int = big()
    state: str = text(default="active")
    version: int = 1
    created_at: int = moment()


class PaymentLimitChange(SQLModel, table=True):
    """One approved change of a limit. Append-only."""

    __tablename__ = "payment_limit_change"
    __table_args__ = (
        CheckConstraint("act IN ('add', 'change', 'retire')"),
        CheckConstraint("asked_by <> approved_by", name="payment_limit_change_four_eyes"),
    )
    id: int | None = big(default=None, primary_key=True)
    limit_id: str = text(foreign_key="payment_limit.id", index=True)
    act: str = text()
    before_minor: int | None = big(default=None)
    after_minor: int | None = big(default=None)
    reason: str = text()
    asked_by: str = text()
    approved_by: str = text()
    approval_id: str = text(unique=True)
    at: int = moment()


class LimitCounter(SQLModel, table=True):
    """What is used of a limit in one window. A guarded UPDATE of this row is the only way up."""

    __tablename__ = "limit_counter"
    __table_args__ = (CheckConstraint("used_minor >= 0"), KEYED)
    limit_id: str = text(primary_key=True, foreign_key="payment_limit.id")
    bucket: str = text(primary_key=True)
    """Of which debtor, creditor or pair; empty where the rule counts all together."""
    window_end: str = text(primary_key=True)
    """The last UTC date that this window counts, ISO 8601."""
    used_minor: int = big(default=0)
    taken_by: str = text(default="")
    """First settlement of the batch that was counted last: tells which counters had no room."""


class LimitUse(SQLModel, table=True):
    """What one settlement takes of one limit; ends once, when it ends without payment."""

    __tablename__ = "limit_use"
    __table_args__ = (
        CheckConstraint("amount_minor > 0"),
        CheckConstraint("(released_at IS NULL) = live"),
        Index("limit_use_once", "settlement_id", "limit_id", unique=True, **only("live")),
        Index("limit_use_of_settlement", "settlement_id"),
    )
    id: int | None = big(default=None, primary_key=True)
    settlement_id: str = text(foreign_key="settlement.id")
    limit_id: str = text(foreign_key="payment_limit.id")
    bucket: str = text()
    business_date: str = text()
    """The UTC date on which it counts: the requested execution date, or a later retry's."""
    amount_minor: int = big()
    live: bool = True
    created_at: int = moment()
    released_at: int | None = moment(default=None)
