"""What payments take of limits when they are instructed, and give back when they end unpaid.

Exact however many ask at once: a counter goes up only by an UPDATE that itself looks for room.
What is taken of a limit is kept by settlement, so that it is given back once, whatever has become
of the limit since.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlmodel import Session

from settlement.clock import to_micros
from settlement.compliance.limits.rules import Limit, LimitBook, active, hold_still
from settlement.compliance.limits.windows import window_ends
from settlement.errors import Conflict
from settlement.money import MINOR_MAX
from settlement.store.bulk import insert_rows, rows_by_key, run_many

_COUNTER = ("limit_id", "bucket", "window_end", "used_minor", "taken_by")
_USE = (
    "settlement_id", "limit_id", "bucket", "business_date", "amount_minor", "live", "created_at",
)  # fmt: skip
_UP = (
    "UPDATE limit_counter SET used_minor = used_minor + :minor, taken_by = :taken_by"
    " WHERE limit_id = :limit_id AND bucket = :bucket AND window_end = :window_end"
    " AND used_minor <= :most"
)
_DOWN = (
    "UPDATE limit_counter SET used_minor = used_minor - :minor"
    " WHERE limit_id = :limit_id AND bucket = :bucket AND window_end = :window_end"
)
_TAKEN = (
    "SELECT limit_id, bucket, window_end FROM limit_counter WHERE limit_id {keys} AND taken_by = ?"
)
_COUNTRIES = "SELECT id, country FROM participant WHERE id {keys}"
_PERIODS = "SELECT id, period, days FROM payment_limit WHERE id {keys}"


class LimitExceeded(Conflict):
    """A payment, or the batch that it is in, is more than a limit has room for."""

    def __init__(self, limit: Limit) -> None:
        super().__init__(
            f"limit {limit.id} ({limit.name}) is exceeded",
            field="amount",
            repair="nothing was instructed; a limit is changed by two people: GET /v1/limits",
        )
        self.limit_id = limit.id


class Payment(NamedTuple):
    """What a limit looks at; `day` is the UTC date on which the payment counts."""

    settlement_id: str
    debtor_id: str
    creditor_id: str
    token: str
    amount_minor: int
    day: date


class Use(NamedTuple):
    """What one payment takes of one limit."""

    settlement_id: str
    limit: Limit
    bucket: str
    day: date
    minor: int


Counters = dict[tuple[str, str, str], int]
"""Minor units by (limit, bucket, window)."""


def take(session: Session, payments: Sequence[Payment], now: datetime) -> None:
    """Reserve room in every limit that the payments fall under; all or nothing.

    One UPDATE per counter, however many payments share it.

    Raises:
        LimitExceeded: one of the limits has not enough room left for all of them.
    """
    uses, limits = _uses(session, payments)
    for use in uses:
        if use.minor > use.limit.max_minor:
            raise LimitExceeded(use.limit)
    counted = [use for use in uses if use.limit.period != "payment"]
    mark = f"{uses[0].settlement_id}@{to_micros(now)}" if uses else ""
    _raise_counters(session, _sums(counted), limits, mark)
    _store(session, counted, now)


def count(session: Session, payments: Sequence[Payment], now: datetime) -> None:
    """Count payments that cannot be refused any more: they were made already."""
    uses, _ = _uses(session, payments)
    counted = [use for use in uses if use.limit.period != "payment"]
    add(session, counted, now)


def add(session: Session, uses: Sequence[Use], now: datetime) -> None:
    """Store uses and raise their counters, whether or not there is room."""
    sums = _sums(uses)
    _open_counters(session, sums)
    rows = [
        {**_named(key), "minor": minor, "taken_by": "", "most": MINOR_MAX - minor}
        for key, minor in sorted(sums.items())
    ]
    raised = run_many(session, _UP, rows)
    assert raised == len(rows), "a counter would leave 64 bits"
    _store(session, uses, now)


def release(session: Session, settlement_ids: Sequence[str], now: datetime) -> None:
    """Give back what these settlements hold of limits: they have ended without payment.

    A second call finds nothing to give back.
    """
    ended = rows_by_key(
        session,
        f"UPDATE limit_use SET live = false, released_at = {to_micros(now)}"
        " WHERE settlement_id {keys} AND live"
        " RETURNING limit_id, bucket, business_date, amount_minor",
        settlement_ids,
    )
    if not ended:
        return
    periods = {
        key: (period, days)
        for key, period, days in rows_by_key(session, _PERIODS, {row[0] for row in ended})
    }
    sums: Counters = {}
    for limit_id, bucket, day, minor in ended:
        for end in window_ends(*periods[limit_id], date.fromisoformat(day)):
            key = (limit_id, bucket, end)
            sums[key] = sums.get(key, 0) + minor
    rows = [{**_named(key), "minor": minor} for key, minor in sorted(sums.items())]
    lowered = run_many(session, _DOWN, rows)
    assert lowered == len(rows), "what was taken has its counters"


def _uses(session: Session, payments: Sequence[Payment]) -> tuple[list[Use], dict[str, Limit]]:
    """Return what each payment takes of each limit that it falls under, and those limits."""
    hold_still(session)
    limits = active(session)
    book = LimitBook(limits)
    if not book:
        return [], {}
    countries = _countries(session, payments) if book.has_corridors else {}
    uses = [
        Use(each.settlement_id, limit, limit.bucket(each.debtor_id, each.creditor_id), each.day,
            each.amount_minor)
        for each in payments
        for limit in book.of(each.token, each.debtor_id, each.creditor_id, countries)
    ]  # fmt: skip
    return uses, {limit.id: limit for limit in limits}


def _countries(session: Session, payments: Iterable[Payment]) -> dict[str, str]:
    parties = {key for each in payments for key in (each.debtor_id, each.creditor_id)}
    return dict(rows_by_key(session, _COUNTRIES, parties))


def _sums(uses: Iterable[Use]) -> Counters:
    by_day: dict[tuple[Limit, str, date], int] = {}
    for use in uses:
        place = (use.limit, use.bucket, use.day)
        by_day[place] = by_day.get(place, 0) + use.minor
    sums: Counters = {}
    for (limit, bucket, day), minor in by_day.items():
        for end in window_ends(limit.period, limit.days, day):
            key = (limit.id, bucket, end)
            sums[key] = sums.get(key, 0) + minor
    return sums


def _raise_counters(
    session: Session, sums: Counters, limits: Mapping[str, Limit], mark: str
) -> None:
    if not sums:
        return
    for (limit_id, _bucket, _end), minor in sums.items():
        # Before the database is asked: a sum of a batch may be more than 64 bits hold.
        if minor > limits[limit_id].max_minor:
            raise LimitExceeded(limits[limit_id])
    _open_counters(session, sums)
    # By key: two who raise the same counters never wait for each other in a ring.
    wanted = [
        {
            **_named(key),
            "minor": minor,
            "taken_by": mark,
            "most": limits[key[0]].max_minor - minor,
        }
        for key, minor in sorted(sums.items())
    ]
    if run_many(session, _UP, wanted) == len(wanted):
        return
    raised = set(rows_by_key(session, _TAKEN, {key[0] for key in sums}, mark))
    full = [key for key in sorted(sums) if key not in raised]
    assert full, "a counter that was not raised has another mark"
    raise LimitExceeded(limits[full[0][0]])


def _open_counters(session: Session, sums: Counters) -> None:
    insert_rows(
        session,
        "limit_counter",
        _COUNTER,
        [(*key, 0, "") for key in sorted(sums)],
        "ON CONFLICT DO NOTHING",
    )


def _store(session: Session, uses: Iterable[Use], now: datetime) -> None:
    at = to_micros(now)
    stored = [
        (use.settlement_id, use.limit.id, use.bucket, use.day.isoformat(), use.minor, True, at)
        for use in uses
    ]
    insert_rows(session, "limit_use", _USE, stored)


def _named(key: tuple[str, str, str]) -> dict[str, str]:
    return dict(zip(("limit_id", "bucket", "window_end"), key, strict=True))
