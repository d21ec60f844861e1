"""Spans of time over which payments are summed, and bounds in one currency for tokens of another.

Exact: whole numbers and fractions alone. Reads nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from math import ceil, floor, lcm

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


class Limit:
    """So many whole units of a currency."""

    __slots__ = ("currency", "units", "words")

    def __init__(self, units: Fraction, currency: str) -> None:
        self.units, self.currency = units, currency
        whole, part = divmod(int(units * 10**SUM_DECIMALS), 10**SUM_DECIMALS)
        digits = str(part).rjust(SUM_DECIMALS, "0").rstrip("0")
        # Written once: it is in every finding.
        self.words = f"{whole}.{digits} {currency}" if digits else f"{whole} {currency}"

    def __str__(self) -> str:
        return self.words


class Window:
    """Which payments are summed: whose, how far back, and below which amount each."""

    __slots__ = ("below", "days", "key", "per")

    def __init__(self, per: str, days: int, below: Limit | None = None) -> None:
        self.per = per
        """`debtor`, `creditor` or `pair`."""
        self.days = days
        """Rolling days, today included; 0: the calendar month."""
        self.below = below
        self.key = f"{per}:{f'{days}d' if days else 'month'}" + (f"<{below}" if below else "")
        """How `Payment.sums` names it: two windows of one key are the same."""

    def first_day(self, today: date) -> date:
        """Return the first day that counts."""
        return today - timedelta(days=self.days - 1) if self.days else today.replace(day=1)


class Bound:
    """A limit, compared with amounts of any token by the policy's rates."""

    def __init__(self, limit: Limit, tables: Tables) -> None:
        self.limit, self._rates = limit, tables.rates
        self._smallest: dict[tuple[str, int], int] = {}
        self._largest: dict[tuple[str, int], int] = {}
        # Of each currency's unit so many of the limit's, all over one denominator: sums of
        # several currencies are whole numbers too.
        shares = {
            currency: 1 / rate
            for currency in {*tables.rates, limit.currency}
            if (rate := self._rate(currency))
        }
        common = lcm(*(share.denominator for share in shares.values()))
        self._weights = {currency: int(share * common) for currency, share in shares.items()}
        self._weighed = limit.units * common * 10**SUM_DECIMALS

    def smallest_at(self, asset: Asset) -> int:
        """Return the least amount that reaches the limit; without a rate every amount does."""
        return self._least(asset.currency, asset.decimals)

    def largest_within(self, asset: Asset) -> int:
        """Return the greatest amount that is not above the limit; without a rate none is."""
        key = (asset.currency, asset.decimals)
        known = self._largest.get(key)
        if known is None:
            minor = self._minor(*key)
            known = self._largest[key] = -1 if minor is None else floor(minor)
        return known

    def is_reached_by(self, sums: Mapping[str, int]) -> bool:
        """Whether billionths of units, by currency, reach the limit together."""
        if len(sums) == 1:
            ((currency, parts),) = sums.items()
            return parts >= self._least(currency, SUM_DECIMALS)
        total = 0
        for currency, parts in sums.items():
            weight = self._weights.get(currency)
            if weight is None:
                return bool(parts)
            total += parts * weight
        return total >= self._weighed

    def _least(self, currency: str, decimals: int) -> int:
        known = self._smallest.get((currency, decimals))
        if known is None:
            minor = self._minor(currency, decimals)
            known = 0 if minor is None else ceil(minor)
            self._smallest[currency, decimals] = known
        return known

    def _minor(self, currency: str, decimals: int) -> Fraction | None:
        """Return the limit in minor units, exact; None where there is no rate."""
        rate = self._rate(currency)
        scale: int = 10**decimals
        return None if rate is None else self.limit.units * rate * scale

    def _rate(self, currency: str) -> Fraction | None:
        """Return units of `currency` for one of the limit's."""
        if currency == self.limit.currency:
            return Fraction(1)
        theirs, ours = self._rates.get(currency), self._rates.get(self.limit.currency)
        return None if theirs is None or ours is None else theirs / ours


def with_this(facts: Facts, window: Window) -> Mapping[str, int]:
    """Return a window's sums by currency, with this payment among them."""
    asset = facts.pair.asset
    scale: int = 10 ** (SUM_DECIMALS - asset.decimals)
    own = facts.payment.amount_minor * scale
    sums = facts.payment.sums.get(window.key)
    if not sums:
        return {asset.currency: own}
    return {**sums, asset.currency: sums.get(asset.currency, 0) + own}
