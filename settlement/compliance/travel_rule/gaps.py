"""What the data that must travel with a payment lack, for many settlements at once.

Decides nothing: a pack says what follows.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlmodel import Session

from settlement.compliance.travel_rule.building import lacks_as_beneficiary, lacks_as_originator
from settlement.compliance.travel_rule.registered import Pair, pairs


def gaps(session: Session, settlement_ids: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return, by settlement, what is missing in words; those that lack nothing are absent."""
    judged: dict[int, tuple[str, ...]] = {}
    found = {}
    for settlement_id, pair in pairs(session, settlement_ids).items():
        if id(pair) not in judged:
            judged[id(pair)] = lacks(pair)
        if judged[id(pair)]:
            found[settlement_id] = judged[id(pair)]
    return found


def lacks(pair: Pair) -> tuple[str, ...]:
    """Return what is missing of two parties. Pure."""
    debtor, creditor = pair
    return (*lacks_as_originator(debtor), *lacks_as_beneficiary(creditor))
