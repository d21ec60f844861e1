"""Token amounts in a currency's digits: exact where they are, carried where they are not.

A balance of tokens is shown as the whole minor units of the currency that it holds (rounded down),
and a movement as the difference of two such balances. What is exact comes out exact, whatever went
before; a part below one minor unit is carried on until it makes one: never rounded away, never
counted twice. Source: docs/decisions/0007-token-amounts-in-statements.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """From minor units of a token to minor units of its currency."""

    token_decimals: int
    currency_decimals: int

    def shown(self, minor: int) -> int:
        """Return how many minor units of the currency a balance holds, rounded down."""
        if self.token_decimals <= self.currency_decimals:
            return minor * self._finer()
        return minor // self._coarser()

    def rest(self, minor: int) -> int:
        """Return what `shown` leaves out: minor units of the token, never below zero."""
        if self.token_decimals <= self.currency_decimals:
            return 0
        return minor % self._coarser()

    def _finer(self) -> int:
        return int(10 ** (self.currency_decimals - self.token_decimals))

    def _coarser(self) -> int:
        return int(10 ** (self.token_decimals - self.currency_decimals))


def carried(scale: Scale, opening_minor: int, movements: Iterable[int]) -> Iterator[int]:
    """Yield each movement in minor units of the currency.

    Their sum is what the balances differ by as shown; each is less than one minor unit away from
    what was moved, and exact if that was.
    """
    balance = opening_minor
    before = scale.shown(balance)
    for minor in movements:
        balance += minor
        after = scale.shown(balance)
        yield after - before
        before = after
