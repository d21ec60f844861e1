"""Adding, changing and retiring limits, once a second person has approved it.

A new limit counts what is under way already. Asks nobody: `approvals` holds the two hands apart,
and the database refuses a change by one.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple

from sqlmodel import Session

from settlement.clock import to_micros
from settlement.compliance.limits import reserving
from settlement.compliance.limits.reserving import Use
from settlement.compliance.limits.rules import COLUMNS, Limit, lock_changes
from settlement.compliance.limits.windows import first_counted
from settlement.errors import Conflict, Invalid, NotFound
from settlement.money import MINOR_MAX
from settlement.store.bulk import insert_rows, rows

COUNTED_BY = ("rule", "debtor", "creditor", "pair")
PERIODS = ("payment", "day", "month", "rolling")
DAYS_MAX = 366
NAME_MAX = 100

_CHANGE = (
    "limit_id", "act", "before_minor", "after_minor", "reason", "asked_by", "approved_by",
    "approval_id", "at",
)  # fmt: skip
_UNDER_WAY = (
    "SELECT s.id, s.debtor_id, s.creditor_id, s.amount_minor, s.execution_date, d.country,"
    " c.country, (SELECT MAX(u.business_date) FROM limit_use u WHERE u.settlement_id = s.id)"
    " FROM settlement s JOIN participant d ON d.id = s.debtor_id"
    " JOIN participant c ON c.id = s.creditor_id"
    " WHERE s.token = ? AND s.state NOT IN ('REJECTED', 'CANCELLED')"
    " AND (CAST(? AS TEXT) IS NULL OR s.debtor_id = ?)"
    " AND (CAST(? AS TEXT) IS NULL OR s.creditor_id = ?)"
    " AND (s.state <> 'SETTLED' OR s.execution_date >= ? OR EXISTS (SELECT 1 FROM limit_use u"
    " WHERE u.settlement_id = s.id AND u.business_date >= ?)) ORDER BY s.id"
)


class LimitNotActive(Conflict):
    """A limit that was retired takes no change any more."""

    def __init__(self, limit_id: str) -> None:
        super().__init__(
            f"limit {limit_id} was retired",
            field="limit_id",
            repair="ask for a new limit",
        )


class Hands(NamedTuple):
    """Who asked for a change, who approved it, under which request and why."""

    asked_by: str
    approved_by: str
    approval_id: str
    reason: str


class NewLimit(NamedTuple):
    """A limit that somebody asks for; None does not restrict."""

    name: str
    token: str
    counted_by: str
    period: str
    max_minor: int
    days: int = 0
    debtor_id: str | None = None
    creditor_id: str | None = None
    debtor_country: str | None = None
    creditor_country: str | None = None


def require_sound(session: Session, wanted: NewLimit) -> None:
    """Return quietly if this limit can be put in force.

    Raises:
        Invalid: a period, a sum or a name that is none.
        NotFound: there is no such token or participant.
    """
    _require_words(wanted)
    if not rows(session, "SELECT 1 FROM token WHERE address = ?", (wanted.token,)):
        raise NotFound("token", wanted.token)
    for party in (wanted.debtor_id, wanted.creditor_id):
        known = "SELECT 1 FROM participant WHERE id = ?"
        if party is not None and not rows(session, known, (party,)):
            raise NotFound("participant", party)


def add(session: Session, limit_id: str, wanted: NewLimit, hands: Hands, *, now: datetime) -> Limit:
    """Put a limit in force, with what is under way counted.

    Raises:
        Invalid, NotFound: see `require_sound`.
    """
    require_sound(session, wanted)
    lock_changes(session)
    made = Limit(
        id=limit_id, state="active", version=1, created_at=to_micros(now), **wanted._asdict()
    )
    insert_rows(session, "payment_limit", COLUMNS.split(", "), [tuple(made)])
    _record(session, made.id, "add", None, made.max_minor, hands, now)
    if made.period != "payment":
        reserving.add(session, _under_way(session, made, now.date()), now)
    return made


def change(
    session: Session, limit_id: str, max_minor: int, hands: Hands, *, now: datetime
) -> Limit:
    """Let a limit be higher or lower from now on; what is used stays used.

    Raises:
        Invalid, NotFound, LimitNotActive: nothing is changed.
    """
    require_sum(max_minor)
    before = locked(session, limit_id)
    rows(
        session,
        "UPDATE payment_limit SET max_minor = ?, version = version + 1 WHERE id = ? RETURNING id",
        (max_minor, limit_id),
    )
    _record(session, limit_id, "change", before.max_minor, max_minor, hands, now)
    return before._replace(max_minor=max_minor, version=before.version + 1)


def retire(session: Session, limit_id: str, hands: Hands, *, now: datetime) -> Limit:
    """End a limit; what it counted stays.

    Raises:
        NotFound, LimitNotActive: nothing is changed.
    """
    before = locked(session, limit_id)
    rows(
        session,
        "UPDATE payment_limit SET state = 'retired', version = version + 1 WHERE id = ?"
        " RETURNING id",
        (limit_id,),
    )
    _record(session, limit_id, "retire", before.max_minor, None, hands, now)
    return before._replace(state="retired", version=before.version + 1)


def locked(session: Session, limit_id: str) -> Limit:
    """Return a limit that may be changed, while nobody counts.

    Raises:
        NotFound, LimitNotActive: there is none.
    """
    lock_changes(session)
    found = rows(session, f"SELECT {COLUMNS} FROM payment_limit WHERE id = ?", (limit_id,))
    if not found:
        raise NotFound("limit", limit_id)
    limit = Limit._make(found[0])
    if limit.state != "active":
        raise LimitNotActive(limit_id)
    return limit


def _under_way(session: Session, limit: Limit, today: date) -> list[Use]:
    """Return what is paid or may be paid in windows that still take payments."""
    oldest = first_counted(limit.period, limit.days, today)
    parties = (limit.debtor_id, limit.debtor_id, limit.creditor_id, limit.creditor_id)
    uses = []
    for key, debtor, creditor, minor, execution, *countries, counted in rows(
        session, _UNDER_WAY, (limit.token, *parties, *[oldest.isoformat()] * 2)
    ):
        day = date.fromisoformat(counted or execution)
        if day >= oldest and limit.is_on_the_way(*countries):
            uses.append(Use(key, limit, limit.bucket(debtor, creditor), day, minor))
    return uses


def _record(
    session: Session, limit_id: str, act: str, before: int | None, after: int | None,
    hands: Hands, now: datetime,
) -> None:  # fmt: skip
    row = (
        limit_id, act, before, after, hands.reason, hands.asked_by, hands.approved_by,
        hands.approval_id, to_micros(now),
    )  # fmt: skip
    insert_rows(session, "payment_limit_change", _CHANGE, [row])


def _require_words(wanted: NewLimit) -> None:
    if not 0 < len(wanted.name.strip()) <= NAME_MAX:
        raise Invalid("a limit needs a name", field="name", repair="name it in 100 characters")
    if wanted.counted_by not in COUNTED_BY:
        raise Invalid(
            f"nothing is counted by {wanted.counted_by!r:.40}", field="counted_by",
            repair=f"write one of {', '.join(COUNTED_BY)}",
        )  # fmt: skip
    if wanted.period not in PERIODS:
        raise Invalid(
            f"{wanted.period!r:.40} is no period", field="period",
            repair=f"write one of {', '.join(PERIODS)}",
        )  # fmt: skip
    fits = 2 <= wanted.days <= DAYS_MAX if wanted.period == "rolling" else wanted.days == 0
    if not fits:
        raise Invalid(
            f"a {wanted.period} limit of {wanted.days} days is none", field="days",
            repair=f"give 2 to {DAYS_MAX} days for a rolling limit, and none for another",
        )  # fmt: skip
    require_sum(wanted.max_minor)


def require_sum(minor: int) -> None:
    """Return quietly if this is a limit's sum.

    Raises:
        Invalid: it is none.
    """
    if not 0 < minor <= MINOR_MAX:
        raise Invalid(
            f"{minor} minor units are no limit", field="max",
            repair="give an amount above zero and below 2^63 minor units",
        )  # fmt: skip
