"""What a rule says, and a rule set as a value with a canonical text and its hash.

Reads no file and no table.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from hashlib import sha256

import orjson

SOURCES = (
    "payment", "mint", "burn", "deposit", "withdrawal", "invoice", "expected", "bank",
)  # fmt: skip
STRONG_KEYS = ("end_to_end_id", "reference")
"""Keys that name the very payment."""
PARTY_KEYS = ("owner", "account", "counterparty")
"""Keys that name somebody, who has many payments."""
KEYS = (*STRONG_KEYS, *PARTY_KEYS)
ROUNDINGS = ("down", "up", "half_up")
MICRO_OF_A_CENT = 10_000
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Rule:
    """Which records may be one match. Currency and sign are always equal; that is no option."""

    id: str
    title: str
    between: tuple[tuple[str, ...], ...]
    """The sources of each side, two or three of them."""
    key: tuple[str, ...]
    """Fields that are equal in all records of a match."""
    must_not_differ: tuple[str, ...]
    """Fields that are equal wherever they are given."""
    most: tuple[int, ...]
    """How many records of each side a match may have."""
    tolerance_micro: int
    percent_ppm: int
    """Tolerance in millionths of the first side's amount; the wider of both tolerances holds."""
    rounding: str
    """How a tolerance in percent is rounded to a hundredth of the currency's unit."""
    days_before: int
    days_after: int
    """How many days the other sides' days may lie before and after the first side's."""
    candidates: int
    """Largest number of records of one side among which a sum is searched for."""
    score: int

    @property
    def is_exact(self) -> bool:
        """Whether amounts are equal to the last digit."""
        return self.tolerance_micro == 0 and self.percent_ppm == 0

    @property
    def is_pairwise(self) -> bool:
        """Whether a match has one record of each side."""
        return set(self.most) == {1}


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Rules in the order in which they are tried."""

    name: str
    rules: tuple[Rule, ...]

    @property
    def sha256(self) -> str:
        """The hash of the canonical text: the same rules have the same one, however written."""
        return sha256(canonical(self)).hexdigest()


def tolerance(rule: Rule, magnitude_micro: int) -> int:
    """Return by how much a sum may miss `magnitude_micro`, in millionths of one unit."""
    share = magnitude_micro * rule.percent_ppm
    step = _MILLION * MICRO_OF_A_CENT
    extra = {"down": 0, "up": step - 1, "half_up": step // 2}[rule.rounding]
    return max(rule.tolerance_micro, (share + extra) // step * MICRO_OF_A_CENT)


def canonical(rules: RuleSet) -> bytes:
    """Return the one JSON text of a rule set, readable again by `rules.load`."""
    return orjson.dumps(
        {"name": rules.name, "rules": [_plain(rule) for rule in rules.rules]},
        option=orjson.OPT_SORT_KEYS,
    )


def cardinality(rule: Rule) -> str:
    """Return `1:1`, `1:N`, `N:1`, `N:M` or `1:1:1`."""
    if len(rule.most) == 3:
        return "1:1:1"
    return {(False, False): "1:1", (False, True): "1:N", (True, False): "N:1"}.get(
        (rule.most[0] > 1, rule.most[1] > 1), "N:M"
    )


def _plain(rule: Rule) -> dict[str, object]:
    """The rule as it is written in a file, nothing left out."""
    said = asdict(rule)
    return {
        **{name: said[name] for name in ("id", "title", "between", "key", "score")},
        "must_not_differ": said["must_not_differ"],
        "cardinality": cardinality(rule),
        "tolerance": {
            "amount": _decimal(rule.tolerance_micro, 6),
            "percent": _decimal(rule.percent_ppm, 4),
            "rounding": rule.rounding,
        },
        "days": {"before": rule.days_before, "after": rule.days_after},
        "group": {"members": max(*rule.most, 2), "candidates": rule.candidates},
    }


def _decimal(number: int, decimals: int) -> str:
    whole, rest = divmod(number, 10**decimals)
    return f"{whole}.{rest:0{decimals}d}".rstrip("0").rstrip(".")
