"""Outcomes, rules, packs and a policy as values. Reads no file and judges nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Any

from settlement.compliance.policy.subject import Facts, Pair
from settlement.compliance.policy.windows import Tables, Window
from settlement.errors import Invalid

if TYPE_CHECKING:
    from sqlmodel import Session


class Outcome(IntEnum):
    """What a rule says, in order of strictness."""

    ALLOW = 0
    ALLOW_WITH_DATA = 1
    HOLD = 2
    REJECT = 3
    BLOCK = 4


class Status(StrEnum):
    """Whether a rule is in force; what is only proposed flags, and changes no outcome."""

    IN_FORCE = "in_force"
    PROPOSED = "proposed"


class Confidence(StrEnum):
    """How well a rule's text is known."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


_FAULT_MAX = 500
"""A file may say a million letters where a word is wanted."""


class PackInvalid(Invalid):
    """A policy file cannot be used: nothing is cleared under half a policy."""

    def __init__(self, name: str, fault: str, line: int | None = None) -> None:
        where = name if line is None else f"{name}:{line}"
        fault = fault if len(fault) <= _FAULT_MAX else f"{fault[:_FAULT_MAX]}…"
        super().__init__(
            f"policy pack {where}: {fault}",
            field=where,
            repair="correct the file at this line; docs/policy.md has what a pack may say",
        )
        self.name, self.fault, self.line = name, fault, line


PairCheck = Callable[[Pair], str]
"""Says what it found, in words; empty: nothing."""
PaymentCheck = Callable[[Facts], str]


@dataclass(frozen=True, slots=True)
class Condition:
    """One way in which a pack meets a payment: all that it names must hold."""

    party_countries: frozenset[str] = frozenset()
    both_countries: frozenset[str] = frozenset()
    currencies: frozenset[str] = frozenset()
    assets: frozenset[str] = frozenset()
    registers: frozenset[str] = frozenset()
    wallets: frozenset[str] = frozenset()
    """Kinds of wallet, or addresses."""

    def meets(self, pair: Pair) -> bool:
        """Whether all that the condition names holds of the pair."""
        debtor, creditor, asset = pair.debtor, pair.creditor, pair.asset
        countries = {debtor.country, creditor.country}
        if self.party_countries and not countries & self.party_countries:
            return False
        if self.both_countries and not countries <= self.both_countries:
            return False
        if self.currencies and asset.currency not in self.currencies:
            return False
        if self.assets and not {asset.symbol, asset.token} & self.assets:
            return False
        if self.registers and not {*debtor.registers, *creditor.registers} & self.registers:
            return False
        kinds = {debtor.wallet_kind, creditor.wallet_kind, debtor.wallet, creditor.wallet}
        return not self.wallets or bool(kinds & self.wallets)


@dataclass(frozen=True, slots=True)
class Span:
    """The days on which something holds, both included; None: without a bound."""

    first: date | None = None
    last: date | None = None

    def holds(self, day: date) -> bool:
        """Whether `day` is one of them."""
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of a pack: if the predicate finds something, the outcome holds."""

    id: str
    title: str
    predicate: str
    outcome: Outcome
    """Of a flag: what it would be if it were in force."""
    is_flag: bool
    """It tells the supervisor, and changes no outcome."""
    options: Mapping[str, Any]
    """As the file says them."""
    pair_check: PairCheck | None
    payment_check: PaymentCheck | None
    windows: tuple[Window, ...]
    """Sums of payments that it asks for."""
    is_of_the_moment: bool
    """It looks at caps and funds, which a payment that was cleared has used up itself."""
    status: Status
    confidence: Confidence
    source: str
    span: Span = Span()


@dataclass(frozen=True, slots=True)
class Pack:
    """One file of rules, with where and when they apply."""

    id: str
    version: str
    title: str
    status: Status
    source: str
    as_of: date
    confidence: Confidence
    span: Span
    applies_to: tuple[Condition, ...]
    """One of them is enough; none at all: it always applies."""
    rules: tuple[Rule, ...]
    sha256: str

    def meets(self, pair: Pair) -> bool:
        """Whether the pack applies to what these two pay each other in this asset."""
        return not self.applies_to or any(each.meets(pair) for each in self.applies_to)


@dataclass(frozen=True, slots=True)
class Policy:
    """All packs together. `version` names them and their content."""

    version: str
    packs: tuple[Pack, ...]
    tables: Tables = field(default_factory=Tables)
    remembered: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    """Which rules apply to whom, as `Judge` has found it; another policy begins with nothing."""

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Every rule of every pack, in order."""
        return tuple(rule for pack in self.packs for rule in pack.rules)

    def at(self, _session: Session, _now: datetime) -> Policy:
        """Return itself: one policy may stand for the policy in force."""
        return self


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one rule found; a flag tells the supervisor and changes nothing."""

    rule_id: str
    outcome: Outcome
    found: str
    is_flag: bool = False
