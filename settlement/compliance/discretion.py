"""What companies are told of decisions: what they can act upon, and nothing of anybody's screening.

Knows answers as plain values; decides nothing. Source: FATF Recommendation 21 (tipping-off).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlmodel import Session

from settlement.compliance import policies, policy

WITHHELD = "a check of the rail that is told to no company"
TOLD = frozenset(
    (
        "amount_above", "amount_at_least", "asset_in", "asset_not_in_register",
        "both_countries_in", "contract_missing", "contract_not_registered", "country_in",
        "goods_on_list", "inquiry_open", "legal_form_in", "mined_addresses_missing",
        "mined_in_region", "mined_kwh_missing", "mined_over_kwh", "mined_region_missing",
        "mined_sum_at_least", "mined_unregistered", "over_units", "papers_missing",
        "party_in_register", "payee_change_pending", "purpose_missing",
        "purpose_not_in_register", "residents_not_in_register", "self_hosted",
        "self_hosted_unproved", "small_payments_reach", "source_missing", "sum_at_least",
        "sunrise", "token_not_listed", "travel_rule_missing", "wallet_not_the_partys",
        "wallet_not_usable",
    )
)  # fmt: skip
"""Predicates about the trade, which both sides know."""
TOLD_TO_DEBTOR = frozenset(("funds_short", "mandate_missing", "over_day_cap", "over_payment_cap"))
"""Predicates about the debtor's purse."""
_PIECES = re.compile(r"; (?=\S{2,60}: )")
_RULE = re.compile(
    r"(?:(?=\S*[0-9])[A-Za-z0-9][A-Za-z0-9_.-]{0,59}|[A-Z][A-Z0-9]*(?:-[A-Z0-9]+)+): "
)
"""A rule that is in force no more: its predicate is not known, and nothing of it is told."""


class Discretion:
    """What one company may be told, by the rules in force: read when the first reason is met."""

    def __init__(self, party: str, read: Callable[[], Mapping[str, str]]) -> None:
        self.party = party
        self._read = read

    @cached_property
    def rules(self) -> Mapping[str, str]:
        """Rule to its predicate."""
        return self._read()

    def words(self, text: str | None, *, is_debtor: bool = False) -> str | None:
        """Return a reason without what is not to be told; a person's words stay as they are."""
        if not text or not (_RULE.match(text) or text.partition(": ")[0] in self.rules):
            return text
        pieces = _PIECES.split(text)
        kept = [each for each in pieces if self._tells(each.partition(": ")[0], is_debtor)]
        return "; ".join(kept if len(kept) == len(pieces) else [*kept, WITHHELD])

    def of(self, answer: Any, *, is_debtor: bool = False) -> Any:
        """Return an answer with every `reason` and all `verdicts` in it as they may be told."""
        if isinstance(answer, list | tuple):
            return [self.of(each, is_debtor=is_debtor) for each in answer]
        if not isinstance(answer, Mapping):
            return answer
        is_debtor = is_debtor or self.party in (
            answer.get("debtor_id"), ((answer.get("invoice") or {}).get("buyer") or {}).get("id"),
        )  # fmt: skip
        return {name: self._field(name, value, is_debtor) for name, value in answer.items()}

    def _field(self, name: str, value: Any, is_debtor: bool) -> Any:
        if name in ("reason", "closed_reason") and isinstance(value, str):
            return self.words(value, is_debtor=is_debtor)
        if name == "verdicts" and isinstance(value, list):
            return [each for each in value if self._tells(each["rule"], is_debtor)]
        return self.of(value, is_debtor=is_debtor)

    def _tells(self, rule: str, is_debtor: bool) -> bool:
        predicate = self.rules.get(rule)
        return predicate in TOLD or (is_debtor and predicate in TOLD_TO_DEBTOR)


def discretion(session: Session, party: str, now: datetime) -> Discretion:
    """Return what a participant may be told at `now`, while the database transaction lasts."""

    def read() -> dict[str, str]:
        version = policies.current(session, now)
        found = policy.load() if version is None else policies.parsed(session, version)
        return {rule.id: rule.predicate for rule in found.rules}

    return Discretion(party, read)
