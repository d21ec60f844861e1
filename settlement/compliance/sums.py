"""What parties have paid and have under way, over the spans of days that rules ask for.

Counts what may still be paid as if it were. In billionths of whole units, by currency.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time
from typing import Any

from sqlmodel import Session

from settlement.clock import from_micros, to_micros
from settlement.compliance.policy import Asset, Facts, Pair, Tables, Window
from settlement.compliance.policy.windows import SUM_DECIMALS, Bound
from settlement.store.bulk import rows, rows_by_key

_COUNTED = "'CLEARED', 'CLAIMED', 'SUBMITTED', 'CONFIRMING', 'BOOKED', 'SETTLED', 'NEEDS_REVIEW'"
_DAY = 86_400_000_000

Key = tuple[str, ...]
Sums = dict[str, dict[str, int]]


class Running:
    """Sums of one run: what the database has, and what this run has let pass since."""

    def __init__(self, tables: Tables, now: datetime) -> None:
        self._tables, self._today = tables, now.astimezone(UTC).date()
        self._sums: dict[tuple[str, Key], dict[str, int]] = {}
        self._bounds: dict[str, Bound] = {}

    def read(self, session: Session, wanted: Sequence[tuple[Pair, Sequence[Window]]]) -> None:
        """Add up, once, what the windows of these pairs hold in the database."""
        by_side: dict[str, set[str]] = {"debtor": set(), "creditor": set()}
        windows: dict[str, Window] = {}
        for pair, asked in wanted:
            for window in asked:
                windows[window.key] = window
                side = "creditor" if window.per == "creditor" else "debtor"
                by_side[side].add(getattr(pair, side).participant_id)
        for side, parties in by_side.items():
            of_side = [w for w in windows.values() if (w.per == "creditor") == (side == "creditor")]
            if parties and of_side:
                self._read(session, side, sorted(parties), of_side)

    def of(self, pair: Pair, windows: Iterable[Window]) -> Sums:
        """Return what the windows of a pair hold now."""
        return {
            window.key: found
            for window in windows
            if (found := self._sums.get((window.key, _key(window, pair))))
        }

    def add(self, facts: Facts, windows: Iterable[Window]) -> None:
        """Count a payment that was let pass."""
        asset = facts.pair.asset
        scale: int = 10 ** (SUM_DECIMALS - asset.decimals)
        for window in windows:
            if self._counts(window, facts.pair, facts.payment.amount_minor):
                self._put(
                    window, _key(window, facts.pair), asset.currency,
                    facts.payment.amount_minor * scale,
                )  # fmt: skip

    def _counts(self, window: Window, pair: Pair, amount_minor: int) -> bool:
        return window.below is None or amount_minor < self._bound(window).smallest_at(pair.asset)

    def _bound(self, window: Window) -> Bound:
        known = self._bounds.get(window.key)
        if known is None:
            assert window.below is not None
            known = self._bounds[window.key] = Bound(window.below, self._tables)
        return known

    def _put(self, window: Window, key: Key, currency: str, parts: int) -> None:
        # A new mapping each time: facts that were judged keep the sums that they were judged by.
        old = self._sums.get((window.key, key), {})
        self._sums[window.key, key] = {**old, currency: old.get(currency, 0) + parts}

    def _read(
        self, session: Session, side: str, parties: Sequence[str], windows: Sequence[Window]
    ) -> None:
        limits = {w.below.words: w.below for w in windows if w.below}
        tokens = rows(session, "SELECT address, currency, decimals FROM token")
        columns = "".join(
            f", CAST(SUM(CASE WHEN {_below(Bound(limit, self._tables), tokens)}"
            " THEN s.amount_minor ELSE 0 END) AS BIGINT)"
            for limit in limits.values()
        )
        first = min(window.first_day(self._today) for window in windows)
        found = rows_by_key(
            session,
            f"SELECT s.debtor_id, s.creditor_id, s.token, s.created_at / {_DAY} AS day,"
            f" CAST(SUM(s.amount_minor) AS BIGINT){columns} FROM settlement s"
            f" WHERE s.{side}_id {{keys}} AND s.created_at >= ? AND s.state IN ({_COUNTED})"
            " GROUP BY 1, 2, 3, 4",
            parties,
            to_micros(datetime.combine(first, time(), UTC)),
        )
        known = {address: (currency, decimals) for address, currency, decimals in tokens}
        for debtor, creditor, token, day, total, *smaller in found:
            currency, decimals = known[token]
            scale: int = 10 ** (SUM_DECIMALS - decimals)
            on = from_micros(day * _DAY).date()
            sums = dict(zip(limits, smaller, strict=True))
            for window in windows:
                minor = total if window.below is None else sums[window.below.words]
                if minor and on >= window.first_day(self._today):
                    key = {"debtor": (debtor,), "creditor": (creditor,)}.get(
                        window.per, (debtor, creditor)
                    )
                    self._put(window, key, currency, minor * scale)


def _below(bound: Bound, tokens: Sequence[Any]) -> str:
    """Return SQL that holds where an amount is below a limit; numbers and addresses of ours."""
    cases = [
        f"(s.token = '{address}' AND s.amount_minor <"
        f" {bound.smallest_at(Asset(address, '', currency, decimals, True))})"
        for address, currency, decimals in tokens
    ]
    return " OR ".join(cases) or "FALSE"


def _key(window: Window, pair: Pair) -> Key:
    if window.per == "debtor":
        return (pair.debtor.participant_id,)
    if window.per == "creditor":
        return (pair.creditor.participant_id,)
    return (pair.debtor.participant_id, pair.creditor.participant_id)
