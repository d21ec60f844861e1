"""What can be broken in limits: a world without any is given one, as it would stand."""

from __future__ import annotations

from tests.verify.planting import FIRST, Planted, sql

_LIMIT = (
    "INSERT INTO payment_limit (id, name, token, counted_by, period, days, max_minor, state,"
    " version, created_at) SELECT 'lim_1', 'two days', token, 'rule', 'rolling', 2, 1000000000000,"
    f" 'active', 1, 0 FROM settlement WHERE id = {FIRST}"
)
_USE = (
    "INSERT INTO limit_use (settlement_id, limit_id, bucket, business_date, amount_minor, live,"
    " created_at) SELECT id, 'lim_1', '', '2026-12-31', amount_minor, true, 0 FROM settlement"
    f" WHERE id = {FIRST}"
)
_COUNTERS = (
    "INSERT INTO limit_counter (limit_id, bucket, window_end, used_minor, taken_by)"
    " SELECT 'lim_1', '', '{0}', amount_minor, '' FROM settlement"
    f" WHERE id = {FIRST}"
)
WHOLE = (_LIMIT, _USE, _COUNTERS.format("2026-12-31"), _COUNTERS.format("2027-01-01"))
"""Statements after which every check still holds."""

IN_LIMITS = (
    Planted("a limit counts what nobody takes", sql(*WHOLE, "DELETE FROM limit_use"), ("LIMITS",)),
    Planted(
        "a limit has lost a window", sql(*WHOLE[:3]), ("LIMITS",),
    ),
    Planted(
        "a limit counts less than was taken",
        sql(*WHOLE, "UPDATE limit_counter SET used_minor = 0 WHERE window_end = '2027-01-01'"),
        ("LIMITS",),
    ),
    Planted(
        "a payment takes less of a limit than it pays",
        sql(
            *WHOLE,
            "UPDATE limit_use SET amount_minor = 1",
            "UPDATE limit_counter SET used_minor = 1",
        ),
        ("LIMITS",),
    ),
)  # fmt: skip
