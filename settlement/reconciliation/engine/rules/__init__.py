"""Rule sets: data files that say what may be matched with what, checked when they are read.

name: …
rules:                      tried in this order; what one has matched, the next does not see
  - id, title
    between: [[payment], [bank]]      sources of each side
    key: [end_to_end_id, owner]       equal in all; currency and sign always are
    must_not_differ: [reference]      equal wherever given
    cardinality: "1:1"                1:1, 1:N, N:1, N:M, 1:1:1
    tolerance: {amount: "0.05", percent: "0.1", rounding: down}
    days: {before: 3, after: 10}      other sides' days, seen from the first side's
    group: {members: 4, candidates: 12}
    score: 100
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from settlement.reconciliation.engine.rules.model import (
    KEYS,
    MICRO_OF_A_CENT,
    ROUNDINGS,
    SOURCES,
    STRONG_KEYS,
    Rule,
    RuleSet,
    canonical,
    cardinality,
    tolerance,
)
from settlement.reconciliation.engine.rules.reading import Place, RuleSetInvalid, document

__all__ = [
    "Rule", "RuleSet", "RuleSetInvalid", "canonical", "cardinality", "load", "shipped", "tolerance",
    "validate",
]  # fmt: skip

_SHIPPED = Path(__file__).parent / "default.yaml"
_CARDINALITIES = ("1:1", "1:N", "N:1", "N:M", "1:1:1")
_UNIT = 100 * MICRO_OF_A_CENT
_PERCENT = 10_000
RULES_MAX = 50
MEMBERS_MAX, CANDIDATES_MAX = 6, 16
"""Bounds of the search for sums: at most 14,892 sets of one side are looked at."""


@lru_cache(maxsize=1)
def shipped() -> RuleSet:
    """Return the rule set that is in force until another one is approved."""
    return load(_SHIPPED.read_bytes())


def validate(content: bytes) -> RuleSet:
    """Return the rule set, or say what is wrong with it; another word for `load`."""
    return load(content)


def load(content: bytes) -> RuleSet:
    """Return the rule set of a YAML or JSON text.

    Raises:
        RuleSetInvalid: with the line, and what to do about it.
    """
    fields = document(content).fields(("name", "rules"))
    places = fields["rules"].items(least=1, most=RULES_MAX)
    read = [_rule(place) for place in places]
    for i, rule in enumerate(read):
        if rule.id in {other.id for other in read[:i]}:
            places[i].refuse(f"has the id {rule.id!r} of another one", "give it its own")
    return RuleSet(fields["name"].text(most=60), tuple(read))


def _rule(place: Place) -> Rule:
    fields = place.fields(
        ("id", "between", "key", "cardinality", "days", "score"),
        ("title", "must_not_differ", "tolerance", "group"),
    )
    between = _between(fields["between"])
    cardinality_said = fields["cardinality"].one_of(_CARDINALITIES)
    if (cardinality_said == "1:1:1") != (len(between) == 3):
        fields["cardinality"].refuse("does not fit the sides", "1:1:1 for three sides, only there")
    members, candidates = _group(fields.get("group"))
    days = fields["days"].fields(("before", "after"))
    amount, percent, rounding = _tolerance(fields.get("tolerance"))
    differ = fields.get("must_not_differ")
    rule = Rule(
        id=fields["id"].text(most=40),
        title=fields["title"].text() if "title" in fields else fields["id"].text(most=40),
        between=between,
        key=fields["key"].words(KEYS, least=0),
        must_not_differ=() if differ is None else differ.words(KEYS, least=0),
        most=tuple(1 if one == "1" else members for one in cardinality_said.split(":")),
        tolerance_micro=amount,
        percent_ppm=percent,
        rounding=rounding,
        days_before=days["before"].whole(least=0, most=366),
        days_after=days["after"].whole(least=0, most=366),
        candidates=candidates,
        score=fields["score"].whole(least=1, most=100),
    )
    _refuse_too_wide(rule, place, fields)
    return rule


def _between(place: Place) -> tuple[tuple[str, ...], ...]:
    sides = tuple(side.words(SOURCES, least=1) for side in place.items(least=2, most=3))
    named = [source for side in sides for source in side]
    if len(set(named)) != len(named):
        place.refuse("names a source on two sides", "a record never meets its own kind")
    return sides


def _group(place: Place | None) -> tuple[int, int]:
    if place is None:
        return 4, 12
    fields = place.fields(("members", "candidates"))
    members = fields["members"].whole(least=2, most=MEMBERS_MAX)
    return members, fields["candidates"].whole(least=2, most=CANDIDATES_MAX)


def _tolerance(place: Place | None) -> tuple[int, int, str]:
    if place is None:
        return 0, 0, "down"
    fields = place.fields(("amount", "percent", "rounding"))
    rounding = fields["rounding"].one_of(ROUNDINGS)
    return fields["amount"].decimal(6), fields["percent"].decimal(4), rounding


def _refuse_too_wide(rule: Rule, place: Place, fields: dict[str, Place]) -> None:
    """Refuse what would match things that have nothing to do with each other."""
    if not rule.key:
        fields["key"].refuse(
            "is empty: the rule would match everything of one amount",
            f"name at least one of {', '.join(KEYS)}",
        )
    is_strong = any(key in STRONG_KEYS for key in rule.key)
    amount_max, percent_max = (
        (1_000 * _UNIT, 10 * _PERCENT) if is_strong else (_UNIT, _PERCENT // 2)
    )
    at = fields.get("tolerance", place)
    if rule.tolerance_micro > amount_max or rule.percent_ppm > percent_max:
        at.refuse(
            "is too wide: the rule would match what only looks alike",
            f"at most {amount_max // _UNIT} units and {percent_max * 100 // _PERCENT} hundredths"
            " of a percent with this key",
        )
    if not is_strong and rule.days_before + rule.days_after > 62:
        fields["days"].refuse("are too many without a payment's own id", "at most 62 in all")
    if not is_strong and not rule.is_pairwise and not rule.is_exact:
        at.refuse("makes a search for sums without a payment's own id a guess", "leave it out")
