"""Limits with what is used of them; a company sees those that count its own payments alone.

Changes nothing.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from sqlmodel import Session

from settlement.compliance.limits.rules import COLUMNS, Limit
from settlement.compliance.limits.windows import current_end
from settlement.errors import NotFound
from settlement.store.bulk import rows, rows_by_key

LISTED_MAX = 1_000
"""So many limits, and so many counters of one, are shown."""

_USED = (
    "SELECT limit_id, bucket, used_minor FROM limit_counter WHERE limit_id {keys}"
    " AND window_end = ? ORDER BY used_minor DESC, bucket LIMIT ?"
)
_CHANGES = (
    "SELECT act, before_minor, after_minor, reason, asked_by, approved_by, approval_id, at"
    " FROM payment_limit_change WHERE limit_id = ? ORDER BY id"
)


class Used(NamedTuple):
    """How much of a limit one party or pair has used; of all together where `bucket` is empty."""

    bucket: str
    used_minor: int


class LimitChange(NamedTuple):
    """One approved change; `at` in microseconds."""

    act: str
    before_minor: int | None
    after_minor: int | None
    reason: str
    asked_by: str
    approved_by: str
    approval_id: str
    at: int


class Standing(NamedTuple):
    """A limit and what is used of it in the window that `window_end` names."""

    limit: Limit
    window_end: str | None
    used: tuple[Used, ...]


def listed(
    session: Session, today: date, *, party: str | None = None, state: str | None = "active"
) -> list[Standing]:
    """Return limits, oldest first, as they stand on `today`; with `party` only that company's."""
    wanted = (
        "SELECT " + COLUMNS + " FROM payment_limit WHERE (CAST(? AS TEXT) IS NULL OR state = ?)"
    )
    found = rows(session, f"{wanted} ORDER BY id LIMIT ?", (state, state, LISTED_MAX))
    limits = [Limit._make(row) for row in found]
    return [
        standing
        for limit in limits
        if (standing := _standing(session, limit, today, party)) is not None
    ]


def found(session: Session, limit_id: str, today: date, *, party: str | None = None) -> Standing:
    """Return one limit as it stands.

    Raises:
        NotFound: there is none, or it is not this company's to see.
    """
    there = rows(session, f"SELECT {COLUMNS} FROM payment_limit WHERE id = ?", (limit_id,))
    standing = _standing(session, Limit._make(there[0]), today, party) if there else None
    if standing is None:
        raise NotFound("limit", limit_id)
    return standing


def changes(session: Session, limit_id: str) -> list[LimitChange]:
    """Return every change of a limit, oldest first."""
    return [LimitChange._make(row) for row in rows(session, _CHANGES, (limit_id,))]


def _standing(session: Session, limit: Limit, today: date, party: str | None) -> Standing | None:
    """Return a limit with its counters of today; None where the party is not to know of it."""
    if party is not None and not _is_the_partys(limit, party):
        return None
    if limit.period == "payment":
        return Standing(limit, None, ())
    end = current_end(limit.period, limit.days, today)
    used = [
        Used(bucket, minor)
        for _limit, bucket, minor in rows_by_key(session, _USED, [limit.id], end, LISTED_MAX)
        if party in (None, limit.debtor_id, bucket.partition(":")[0])
    ]
    return Standing(limit, end, tuple(used))


def _is_the_partys(limit: Limit, party: str) -> bool:
    """Whether a limit counts this company's payments alone: others' sums are not told."""
    if limit.period == "payment":
        return limit.debtor_id in (None, party)
    if limit.debtor_id == party:
        return True
    return limit.debtor_id is None and limit.counted_by in ("debtor", "pair")
