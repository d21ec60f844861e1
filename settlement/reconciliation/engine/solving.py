"""Which records of one block are one match: pure, exact and bounded; where two answers fit, none.

A block holds records with equal keys, one currency and one sign. A *candidate* is a set of records
of every side whose sums agree within the tolerance, whose days lie within the window, and that is
not itself made of two candidates. One is taken when no other candidate shares a record with it.
Content decides; ids only name the records, and their order says nothing.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import NamedTuple

from settlement.reconciliation.engine.rules import Rule, tolerance

FOUND_MAX = 1_000
"""Candidates of one block; where there are more, nothing in it is taken."""
TRIPLES_MAX = 20_000
LOOKED_AT_MAX = 2_000
"""Records of the other side that one record is compared with."""


class Item(NamedTuple):
    """A record of a block. Amounts in millionths, from `low` to `high`; days likewise."""

    id: int
    side: int
    low: int
    high: int
    first: int
    last: int
    given: tuple[str | None, ...]
    """Its values of the fields that must not differ."""


@dataclass(frozen=True, slots=True)
class Solved:
    """The matches of a block, each with its records in the order of sides."""

    groups: tuple[tuple[Item, ...], ...]
    is_cut: bool
    """More work than is done for one block: nothing was taken for that reason alone."""


def solve(rule: Rule, items: Sequence[Item]) -> Solved:
    """Return every candidate of the block that stands alone."""
    sides = [[item for item in items if item.side == side] for side in range(len(rule.most))]
    if not all(sides):
        return Solved((), False)
    if rule.is_pairwise and len(sides) == 2:
        return _pairs(rule, *sides)
    return _triples(rule, sides) if rule.is_pairwise else _groups(rule, sides)


def fits(rule: Rule, sides: Sequence[Sequence[Item]]) -> bool:
    """Whether these records, all together, agree under the rule."""
    first = sides[0]
    if not _given_agree(sides):
        return False
    if not all(_days_agree(rule, a, b) for side in sides[1:] for a in first for b in side):
        return False
    low, high = sum(item.low for item in first), sum(item.high for item in first)
    allowed = tolerance(rule, max(abs(low), abs(high)))
    return all(
        low - sum(b.high for b in side) <= allowed and sum(b.low for b in side) - high <= allowed
        for side in sides[1:]
    )


def _days_agree(rule: Rule, a: Item, b: Item) -> bool:
    return b.last >= a.first - rule.days_before and b.first <= a.last + rule.days_after


def _given_agree(sides: Sequence[Sequence[Item]]) -> bool:
    """Whether no side says another thing than the other; within a side they may differ."""
    for place in range(len(sides[0][0].given)):
        said = [{item.given[place] for item in side} - {None} for side in sides]
        if sum(map(bool, said)) > 1 and len(set().union(*said)) > 1:
            return False
    return True


def _pairs(rule: Rule, left: list[Item], right: list[Item]) -> Solved:
    """One to one: taken where each is the only one that the other fits."""
    rights = _Sorted(rule, right, is_first=False)
    lefts = _Sorted(rule, left, is_first=True)
    groups = []
    for a in left:
        of_a = rights.two_that_fit(a)
        if of_a is None:
            return Solved((), True)
        if len(of_a) != 1:
            continue
        of_b = lefts.two_that_fit(of_a[0])
        if of_b is None:
            return Solved((), True)
        if len(of_b) == 1:
            groups.append((a, of_a[0]))
    return Solved(tuple(groups), False)


class _Sorted:
    """One side in an order in which what fits a record lies close together."""

    def __init__(self, rule: Rule, items: list[Item], *, is_first: bool) -> None:
        self._rule, self._is_first = rule, is_first
        amounts = {(item.low, item.high) for item in items}
        # Of one amount, days tell them apart; else amounts do.
        self._by_days = len(amounts) == 1
        self._items = sorted(items, key=lambda item: item.first if self._by_days else item.low)
        self._starts = [item.first if self._by_days else item.low for item in self._items]
        self._width = max(
            item.last - item.first if self._by_days else item.high - item.low for item in items
        )
        self._largest = max(max(abs(item.low), abs(item.high)) for item in items)

    def two_that_fit(self, other: Item) -> list[Item] | None:
        """Return up to two that fit; None where too many would have to be looked at."""
        low, high = self._window(other)
        begin = bisect_left(self._starts, low - self._width)
        end = bisect_right(self._starts, high)
        found = []
        for looked_at, item in enumerate(self._items[begin:end]):
            if looked_at >= LOOKED_AT_MAX:
                return None
            pair = ([item], [other]) if self._is_first else ([other], [item])
            if fits(self._rule, pair):
                found.append(item)
                if len(found) == 2:
                    break
        return found

    def _window(self, other: Item) -> tuple[int, int]:
        before, after = self._rule.days_before, self._rule.days_after
        if self._by_days and self._is_first:
            return other.first - after, other.last + before
        if self._by_days:
            return other.first - before, other.last + after
        magnitude = self._largest if self._is_first else max(abs(other.low), abs(other.high))
        allowed = tolerance(self._rule, magnitude)
        return other.low - allowed, other.high + allowed


def _triples(rule: Rule, sides: list[list[Item]]) -> Solved:
    size = 1
    for side in sides:
        size *= len(side)
    if size > TRIPLES_MAX:
        return Solved((), True)
    found = [one for one in product(*sides) if fits(rule, [[item] for item in one])]
    return Solved(tuple(_alone(found)), False)


def _groups(rule: Rule, sides: list[list[Item]]) -> Solved:
    """Sums on either side that agree, looked for where days are close enough.

    Every candidate is found at the earliest record of its second side. Where more records lie
    close to that one than a search is made among, they are left alone, and so is all they touch.
    """
    left, right = sides[0], sorted(sides[1], key=lambda item: item.first)
    found: list[tuple[tuple[Item, ...], tuple[Item, ...]]] = []
    passed_over: set[int] = set()
    for place, anchor in enumerate(right):
        near = [a for a in left if _days_agree(rule, a, anchor)]
        later = [
            b for b in right
            if b.first >= anchor.first and any(_days_agree(rule, a, b) for a in near)
        ]  # fmt: skip
        if max(len(near), len(later)) > rule.candidates:
            passed_over |= {item.id for item in (*near, *later)}
            continue
        others = [b for b in right[place + 1 :] if b in later]
        found += _sums(rule, near, anchor, others)
        if len(found) > FOUND_MAX:
            return Solved((), True)
    taken = [
        group
        for group in _alone(_irreducible(found))
        if not passed_over.intersection(item.id for item in group)
    ]
    return Solved(tuple(taken), bool(passed_over))


def _sums(
    rule: Rule, near: list[Item], anchor: Item, others: list[Item]
) -> Iterator[tuple[tuple[Item, ...], tuple[Item, ...]]]:
    """Yield every fit of some of `near` with the anchor and some of `others`."""
    left = sorted(_sets(near, 1, rule.most[0]), key=lambda one: one[0])
    starts = [low for low, _high, _items in left]
    width = max((high - low for low, high, _items in left), default=0)
    largest = max((max(abs(low), abs(high)) for low, high, _items in left), default=0)
    allowed = tolerance(rule, largest)
    for low, high, more in _sets(others, 0, rule.most[1] - 1):
        begin = bisect_left(starts, low + anchor.low - allowed - width)
        end = bisect_right(starts, high + anchor.high + allowed)
        for _low, _high, a in left[begin:end]:
            if fits(rule, (a, (anchor, *more))):
                yield a, (anchor, *more)


def _sets(items: list[Item], least: int, most: int) -> Iterator[tuple[int, int, tuple[Item, ...]]]:
    for size in range(least, min(most, len(items)) + 1):
        for chosen in combinations(items, size):
            yield sum(i.low for i in chosen), sum(i.high for i in chosen), chosen


def _irreducible(
    found: list[tuple[tuple[Item, ...], tuple[Item, ...]]],
) -> list[tuple[Item, ...]]:
    """Leave out what is two candidates side by side."""
    by_ids = {frozenset(item.id for item in (*a, *b)): (*a, *b) for a, b in found}
    return [
        items
        for ids, items in by_ids.items()
        if not any(part < ids and ids - part in by_ids for part in by_ids)
    ]


def _alone(found: list[tuple[Item, ...]]) -> Iterator[tuple[Item, ...]]:
    """Yield those that share no record with another one."""
    times: dict[int, int] = {}
    for group in found:
        for item in group:
            times[item.id] = times.get(item.id, 0) + 1
    for group in found:
        if all(times[item.id] == 1 for item in group):
            yield group
