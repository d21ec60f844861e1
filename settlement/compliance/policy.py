"""Policy packs: dated data files, checked when read, and evaluated over one settlement's facts.

Pure but for `load`; knows no database. The strictest outcome of all rules wins.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from settlement.errors import Fatal

PACKS = Path(__file__).parent / "packs"


class Outcome(IntEnum):
    """What a rule says, in order of strictness."""

    ALLOW = 0
    ALLOW_WITH_DATA = 1
    HOLD = 2
    REJECT = 3
    BLOCK = 4


class PackInvalid(Fatal):
    """A policy pack cannot be used: nothing is cleared under half a policy."""

    def __init__(self, name: str, fault: str) -> None:
        super().__init__(f"policy pack {name}: {fault}")


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules look at, of one settlement. Amounts are minor units of the token."""

    settlement_id: str
    debtor_state: str
    creditor_state: str
    debtor_name: str
    creditor_name: str
    debtor_country: str
    creditor_country: str
    debtor_owns_wallet: bool
    creditor_owns_wallet: bool
    token_listed: bool
    amount_minor: int
    token_decimals: int
    names_listed: tuple[str, ...]
    """List entries that equal a party's name: `list name: entry`."""
    addresses_listed: tuple[str, ...]
    mandate_cap_payment_minor: int | None
    """None: no mandate that lives."""
    mandate_left_today_minor: int
    funds_available_minor: int


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of a pack: if the predicate finds something, the outcome holds."""

    id: str
    title: str
    predicate: str
    outcome: Outcome
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Policy:
    """All packs in force. `version` names them and their content."""

    version: str
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one rule found; empty `found` means that it has nothing against the settlement."""

    rule_id: str
    outcome: Outcome
    found: str


def load(folder: Path = PACKS) -> Policy:
    """Read all packs of a folder.

    Raises:
        PackInvalid: unknown keys, predicates or outcomes, or a rule id used twice.
    """
    rules: list[Rule] = []
    versions: list[str] = []
    for path in sorted(folder.glob("*.yaml")):
        content = path.read_bytes()
        pack = yaml.safe_load(content)
        if not isinstance(pack, dict) or not {"id", "version", "status", "rules"} <= set(pack):
            raise PackInvalid(path.name, "needs id, version, status and rules")
        rules += [_rule(path.name, raw) for raw in pack["rules"]]
        digest = hashlib.sha256(content).hexdigest()[:12]
        versions.append(f"{pack['id']}@{pack['version']}#{digest}")
    seen = [rule.id for rule in rules]
    if len(seen) != len(set(seen)):
        raise PackInvalid(folder.name, "a rule id is used twice")
    if not rules:
        raise PackInvalid(folder.name, "holds no rule: nothing could be cleared")
    return Policy(version=" ".join(versions), rules=tuple(rules))


def evaluate(policy: Policy, facts: Facts) -> tuple[Outcome, list[Verdict]]:
    """Return the strictest outcome and every rule that found something."""
    verdicts = [
        Verdict(rule.id, rule.outcome, found)
        for rule in policy.rules
        if (found := _PREDICATES[rule.predicate](facts, rule.options))
    ]
    return max((verdict.outcome for verdict in verdicts), default=Outcome.ALLOW), verdicts


@lru_cache(maxsize=16_384)
def fold(name: str) -> str:
    """Return a name as it is compared: case, accents, white space and punctuation do not count."""
    letters = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
    plain = (letter for letter in letters if not unicodedata.combining(letter))
    return " ".join("".join(each if each.isalnum() else " " for each in plain).split())


def _rule(pack: str, raw: Any) -> Rule:
    if not isinstance(raw, dict) or set(raw) - {"id", "title", "predicate", "outcome", "with"}:
        raise PackInvalid(pack, f"rule {raw!r:.80} has unknown keys")
    missing = {"id", "title", "predicate", "outcome"} - set(raw)
    if missing:
        raise PackInvalid(pack, f"rule {raw.get('id')} lacks {', '.join(sorted(missing))}")
    if raw["predicate"] not in _PREDICATES:
        raise PackInvalid(pack, f"rule {raw['id']}: there is no predicate {raw['predicate']!r}")
    if raw["outcome"] not in Outcome.__members__:
        raise PackInvalid(pack, f"rule {raw['id']}: there is no outcome {raw['outcome']!r}")
    return Rule(
        raw["id"], raw["title"], raw["predicate"], Outcome[raw["outcome"]], raw.get("with", {})
    )


Predicate = Callable[[Facts, Mapping[str, Any]], str]


def _party_inactive(facts: Facts, _: Mapping[str, Any]) -> str:
    if facts.debtor_state != "active":
        return f"the debtor is {facts.debtor_state}"
    return "" if facts.creditor_state == "active" else f"the creditor is {facts.creditor_state}"


def _wallet_not_the_partys(facts: Facts, _: Mapping[str, Any]) -> str:
    if not facts.debtor_owns_wallet:
        return "the debtor's wallet is not registered to the debtor"
    return "" if facts.creditor_owns_wallet else "the creditor's wallet is not the creditor's"


def _token_not_listed(facts: Facts, _: Mapping[str, Any]) -> str:
    return "" if facts.token_listed else "the token is not listed"


def _country_in(facts: Facts, options: Mapping[str, Any]) -> str:
    hits: Sequence[str] = [
        country
        for country in (facts.debtor_country, facts.creditor_country)
        if country in options["countries"]
    ]
    return f"no payments to or from {', '.join(hits)}" if hits else ""


def _name_listed(facts: Facts, _: Mapping[str, Any]) -> str:
    return "; ".join(facts.names_listed)


def _address_listed(facts: Facts, _: Mapping[str, Any]) -> str:
    return "; ".join(facts.addresses_listed)


def _mandate_missing(facts: Facts, _: Mapping[str, Any]) -> str:
    return "" if facts.mandate_cap_payment_minor is not None else "no mandate that lives"


def _over_payment_cap(facts: Facts, _: Mapping[str, Any]) -> str:
    cap = facts.mandate_cap_payment_minor
    if cap is None or facts.amount_minor <= cap:
        return ""
    return f"{facts.amount_minor} is over the mandate's {cap} per payment (minor units)"


def _over_day_cap(facts: Facts, _: Mapping[str, Any]) -> str:
    left = facts.mandate_left_today_minor
    if facts.mandate_cap_payment_minor is None or facts.amount_minor <= left:
        return ""
    return f"{facts.amount_minor} is over the {left} left of the mandate's day (minor units)"


def _funds_short(facts: Facts, _: Mapping[str, Any]) -> str:
    available = facts.funds_available_minor
    if facts.amount_minor <= available:
        return ""
    return f"{facts.amount_minor} is over the {available} that is not reserved (minor units)"


def _over_units(facts: Facts, options: Mapping[str, Any]) -> str:
    units = options["units"]
    return "" if facts.amount_minor <= units * 10**facts.token_decimals else f"over {units} units"


_PREDICATES: Mapping[str, Predicate] = {
    "party_inactive": _party_inactive,
    "wallet_not_the_partys": _wallet_not_the_partys,
    "token_not_listed": _token_not_listed,
    "country_in": _country_in,
    "name_listed": _name_listed,
    "address_listed": _address_listed,
    "mandate_missing": _mandate_missing,
    "over_payment_cap": _over_payment_cap,
    "over_day_cap": _over_day_cap,
    "funds_short": _funds_short,
    "over_units": _over_units,
}
