"""Spans of time over which payments are summed, and bounds in one currency for tokens of another.

Exact: whole numbers and fractions alone. Reads nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from math import ceil, floor

from settlement.compliance.policy.subject import Asset, Facts

SUM_DECIMALS = 9
"""Sums are kept in billionths of a whole unit: no token has more decimals."""


@dataclass(frozen=True, slots=True)
class Tables:
    """What rules look up beside the facts: rates to the euro, and lists of goods."""

    rates: Mapping[str, Fraction] = field(default_factory=dict)
    """Units of a currency for one euro, as of one day."""
    goods: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By the list's name the prefixes of HS codes on it."""


@dataclass(frozen=True, slots=True)
class Limit:
    """So many whole units of a currency."""

    units: Fraction
    currency: str

    def __str__(self) -> str:
        whole, part = divmod(int(self.units * 10**SUM_DECIMALS), 10**SUM_DECIMALS)
        digits = str(part).rjust(SUM_DECIMALS, "0").rstrip("0")
        return f"{whole}.{digits} {self.currency}" if digits else f"{whole} {self.currency}"


@dataclass(frozen=True, slots=True)
class Window:
    """Which payments are summed: whose, how far back, and below which amount each."""

    per: str
    """`debtor`, `creditor` or `pair`."""
    days: int
    """Rolling days, today included; 0: the calendar month."""
    below: Limit | None = None

    @property
    def key(self) -> str:
        """How `Payment.sums` names it."""
        span = f"{self.days}d" if self.days else "month"
        return f"{self.per}:{span}" + (f"<{self.below}" if self.below else "")

    def first_day(self, today: date) -> date:
        """Return the first day that counts."""
        return today - timedelta(days=self.days - 1) if self.days else today.replace(day=1)


class Bound:
    """A limit, compared with amounts of any token by the policy's rates."""

    def __init__(self, limit: Limit, tables: Tables) -> None:
        self.limit, self._rates = limit, tables.rates
        self._known: dict[tuple[str, int], Fraction | None] = {}

    def minor(self, asset: Asset) -> Fraction | None:
        """Return the limit in minor units of a token, exact; None where there is no rate."""
        key = (asset.currency, asset.decimals)
        if key not in self._known:
            rate = self._rate(asset.currency)
            self._known[key] = None if rate is None else self.limit.units * rate * 10 ** key[1]
        return self._known[key]

    def smallest_at(self, asset: Asset) -> int:
        """Return the least amount that reaches the limit; without a rate every amount does."""
        minor = self.minor(asset)
        return 0 if minor is None else ceil(minor)

    def largest_within(self, asset: Asset) -> int:
        """Return the greatest amount that is not above the limit; without a rate none is."""
        minor = self.minor(asset)
        return -1 if minor is None else floor(minor)

    def is_reached_by(self, sums: dict[str, int]) -> bool:
        """Whether billionths of units, by currency, reach the limit together."""
        total = Fraction(0)
        for currency, parts in sums.items():
            rate = self._rate(currency)
            if rate is None:
                return bool(parts)
            total += Fraction(parts, 10**SUM_DECIMALS) / rate
        return total >= self.limit.units

    def _rate(self, currency: str) -> Fraction | None:
        """Return units of `currency` for one of the limit's."""
        if currency == self.limit.currency:
            return Fraction(1)
        theirs, ours = self._rates.get(currency), self._rates.get(self.limit.currency)
        return None if theirs is None or ours is None else theirs / ours


def with_this(facts: Facts, window: Window) -> dict[str, int]:
    """Return a window's sums by currency, with this payment among them."""
    asset = facts.pair.asset
    sums = dict(facts.payment.sums.get(window.key, {}))
    scale: int = 10 ** (SUM_DECIMALS - asset.decimals)
    own = facts.payment.amount_minor * scale
    sums[asset.currency] = sums.get(asset.currency, 0) + own
    return sums
