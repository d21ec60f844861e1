"""The two parties of each settlement as they are registered, read for many at once.

Changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlmodel import Session

from settlement.compliance.travel_rule.building import Registered
from settlement.store.bulk import rows_by_key

Pair = tuple[Registered, Registered]

_FIELDS = (
    "id", "legal_form", "name", "country", "subdivision", "street", "building_number", "post_code",
    "town", "lei", "vat_id", "tax_id",
)  # fmt: skip
_SETTLEMENTS = (
    "SELECT id, debtor_id, debtor_wallet, creditor_id, creditor_wallet FROM settlement"
    " WHERE id {keys}"
)
_PARTIES = f"SELECT {', '.join(_FIELDS)} FROM participant WHERE id {{keys}}"
_PROVIDERS = "SELECT address, provider FROM wallet WHERE address {keys}"


def pairs(session: Session, settlement_ids: Iterable[str]) -> dict[str, Pair]:
    """Return debtor and creditor by settlement; the same pair is the same object."""
    found = rows_by_key(session, _SETTLEMENTS, list(settlement_ids))
    ids = {key for row in found for key in (row[1], row[3])}
    wallets = {key for row in found for key in (row[2], row[4])}
    parties = {row[0]: row for row in rows_by_key(session, _PARTIES, ids)}
    providers: dict[str, str | None] = dict(rows_by_key(session, _PROVIDERS, wallets))

    def registered(party: str, wallet: str) -> Registered:
        return Registered._make((*parties[party], wallet, providers.get(wallet)))

    known: dict[tuple[str, ...], Pair] = {}
    by_settlement: dict[str, Pair] = {}
    for settlement_id, *key in found:
        names = tuple(key)
        if names not in known:
            known[names] = (registered(*names[:2]), registered(*names[2:]))
        by_settlement[settlement_id] = known[names]
    return by_settlement
