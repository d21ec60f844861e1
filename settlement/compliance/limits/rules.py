"""The limits in force, and which of them a payment falls under.

Counts nothing: `reserving` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from sqlmodel import Session

from settlement.store.bulk import rows

COLUMNS = (
    "id, name, token, debtor_id, creditor_id, debtor_country, creditor_country, counted_by,"
    " period, days, max_minor, state, version, created_at"
)
_CHANGES_LOCK = 0x6C696D697473
"""Key of the advisory lock under which limits change: "limits" in ASCII."""


class Limit(NamedTuple):
    """One limit; `max_minor` in minor units of its token, `created_at` in microseconds."""

    id: str
    name: str
    token: str
    debtor_id: str | None
    creditor_id: str | None
    debtor_country: str | None
    creditor_country: str | None
    counted_by: str
    period: str
    days: int
    max_minor: int
    state: str
    version: int
    created_at: int

    @property
    def has_corridor(self) -> bool:
        """Whether it asks where the parties are."""
        return self.debtor_country is not None or self.creditor_country is not None

    def bucket(self, debtor_id: str, creditor_id: str) -> str:
        """Return whose payments a payment is added to."""
        return {
            "rule": "",
            "debtor": debtor_id,
            "creditor": creditor_id,
            "pair": f"{debtor_id}:{creditor_id}",
        }[self.counted_by]

    def is_on_the_way(self, debtor_country: str | None, creditor_country: str | None) -> bool:
        """Whether a payment between these countries is in its corridor."""
        return self.debtor_country in (None, debtor_country) and self.creditor_country in (
            None,
            creditor_country,
        )


class LimitBook:
    """Limits by what they name, so that a payment meets only those that may concern it."""

    def __init__(self, limits: Iterable[Limit]) -> None:
        self._by_names: dict[tuple[str, str | None, str | None], list[Limit]] = {}
        for limit in limits:
            key = (limit.token, limit.debtor_id, limit.creditor_id)
            self._by_names.setdefault(key, []).append(limit)
        self.has_corridors = any(
            limit.has_corridor for group in self._by_names.values() for limit in group
        )

    def __bool__(self) -> bool:
        return bool(self._by_names)

    def of(
        self, token: str, debtor_id: str, creditor_id: str, countries: Mapping[str, str]
    ) -> Iterator[Limit]:
        """Yield every limit that a payment falls under; `countries` by participant."""
        for debtor in (debtor_id, None):
            for creditor in (creditor_id, None):
                for limit in self._by_names.get((token, debtor, creditor), ()):
                    if not limit.has_corridor or limit.is_on_the_way(
                        countries.get(debtor_id), countries.get(creditor_id)
                    ):
                        yield limit


def active(session: Session) -> list[Limit]:
    """Return the limits in force, oldest first."""
    found = rows(session, f"SELECT {COLUMNS} FROM payment_limit WHERE state = 'active' ORDER BY id")
    return [Limit._make(row) for row in found]


def hold_still(session: Session) -> None:
    """Let no limit change until this database transaction ends; any number may hold at once."""
    if session.get_bind().dialect.name == "postgresql":
        rows(session, f"SELECT pg_advisory_xact_lock_shared({_CHANGES_LOCK})")


def lock_changes(session: Session) -> None:
    """Wait for everybody who is counting, and let nobody begin until this one ends."""
    if session.get_bind().dialect.name == "postgresql":
        rows(session, f"SELECT pg_advisory_xact_lock({_CHANGES_LOCK})")
