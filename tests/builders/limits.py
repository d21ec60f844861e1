"""Limits for tests, in force as if two people had agreed on them; and what is used of them."""

from __future__ import annotations

from typing import Any

from settlement.compliance.limits import changing
from settlement.compliance.limits.changing import Hands, NewLimit
from settlement.compliance.limits.rules import Limit
from settlement.store import transaction
from tests.builders.rail import Rail

CENT = 10_000
"""Of a token with six decimals: what one cent of a claim is there."""


def some_hands(number: int = 1) -> Hands:
    """Two people, and a request that nobody else has made."""
    return Hands("per_maker", "per_checker", f"apr_{number}", "the board's decision")


def a_limit(rail: Rail, max_minor: int, **changes: Any) -> Limit:
    """A limit of the buyer's payments a day in USD's token, in force from now on."""
    number = rail.one("SELECT COUNT(*) FROM payment_limit_change")
    with transaction(rail.engine) as session:
        plain: dict[str, Any] = {
            "name": "the buyer's day",
            "token": usd_token(rail),
            "counted_by": "rule",
            "period": "day",
            "debtor_id": rail.companies.buyer,
        }
        wanted = NewLimit(max_minor=max_minor, **(plain | changes))
        return changing.add(session, rail.ids("lim"), wanted, some_hands(number), now=rail.now)


def usd_token(rail: Rail) -> str:
    """The token in which the test's invoices are paid."""
    return str(rail.one("SELECT address FROM token WHERE currency = 'USD'"))


def used(rail: Rail, limit: Limit) -> dict[str, int]:
    """What is used of a limit, by the last date of each window that has anything."""
    found = rail.rows(
        "SELECT window_end, SUM(used_minor) AS minor FROM limit_counter WHERE limit_id = :id"
        " GROUP BY window_end HAVING SUM(used_minor) <> 0 ORDER BY window_end",
        id=limit.id,
    )
    return {row.window_end: int(row.minor) for row in found}
