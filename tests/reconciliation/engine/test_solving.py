"""Solving a block: the same answer as trying everything, on thousands of small blocks."""

import random
from itertools import chain, combinations, combinations_with_replacement, product

import pytest

from settlement.reconciliation.engine.rules import Rule, tolerance
from settlement.reconciliation.engine.solving import FOUND_MAX, Item, solve

SEEDS = 400
UNBOUNDED = 8


def a_rule(**changes: object) -> Rule:
    fields: dict[str, object] = {
        "id": "r", "title": "r", "between": (("payment",), ("bank",)), "key": ("end_to_end_id",),
        "must_not_differ": ("end_to_end_id",), "most": (1, 1), "tolerance_micro": 0,
        "percent_ppm": 0, "rounding": "down", "days_before": 1, "days_after": 2,
        "candidates": UNBOUNDED, "score": 100,
    }  # fmt: skip
    return Rule(**{**fields, **changes})  # type: ignore[arg-type]


def an_item(number: int, side: int, amount: int, day: int = 0, given: str | None = None) -> Item:
    return Item(number, side, amount, amount, day, day, (given,))


def a_block(seed: int, sides: int = 2, each: int = 8, *, amounts: int = 9) -> list[Item]:
    """A small block in which much collides; an expected payment has bounds now and then."""
    draw = random.Random(seed)
    items: list[Item] = []
    for side in range(sides):
        for _ in range(draw.randint(1, each)):
            amount = draw.randint(1, amounts) * 10_000
            low = amount - (draw.choice((0, 0, 0, 10_000)) if amount > 10_000 else 0)
            day = draw.randint(0, 4)
            given = draw.choice((None, None, None, "A", "B"))
            last = day + draw.choice((0, 0, 2))
            items.append(Item(len(items), side, low, amount, day, last, (given,)))
    return items


def everything(rule: Rule, items: list[Item]) -> set[frozenset[int]]:
    """The answer by its definition alone: all sets, all splits, all overlaps."""
    sides = [[i for i in items if i.side == side] for side in range(len(rule.most))]
    choices = [
        [frozenset(c) for n in range(1, most + 1) for c in combinations(side, n)]
        for side, most in zip(sides, rule.most, strict=True)
    ]
    found: dict[frozenset[int], list[frozenset[Item]]] = {}
    combos: list[list[frozenset[Item]]] = [[]]
    for options in choices:
        combos = [[*combo, option] for combo in combos for option in options]
    for combo in combos:
        if agrees(rule, combo):
            found[frozenset(i.id for i in chain(*combo))] = combo
    whole = {
        ids for ids in found
        if not any(a | b == ids and not a & b for a, b in combinations(found, 2))
    }  # fmt: skip
    return {ids for ids in whole if not any(ids & other for other in whole if other != ids)}


def agrees(rule: Rule, combo: list[frozenset[Item]]) -> bool:
    first = combo[0]
    for a, b in combinations(range(len(combo)), 2):
        for left in combo[a]:
            for right in combo[b]:
                x, y = left.given[0], right.given[0]
                if x is not None and y is not None and x != y:
                    return False
    low, high = sum(i.low for i in first), sum(i.high for i in first)
    slack = tolerance(rule, high)
    for side in combo[1:]:
        if sum(i.low for i in side) > high + slack or sum(i.high for i in side) < low - slack:
            return False
        for left in first:
            for right in side:
                if right.last < left.first - rule.days_before:
                    return False
                if right.first > left.last + rule.days_after:
                    return False
    return True


def answer(rule: Rule, items: list[Item]) -> set[frozenset[int]]:
    return {frozenset(item.id for item in group) for group in solve(rule, items).groups}


PAIRWISE = [a_rule(), a_rule(tolerance_micro=10_000), a_rule(percent_ppm=150_000, rounding="up")]


@pytest.mark.parametrize("rule", PAIRWISE, ids=["exact", "absolute", "percent"])
def test_one_to_one_is_what_trying_everything_gives(rule: Rule) -> None:
    taken = 0
    for seed in range(SEEDS):
        items = a_block(seed)
        assert answer(rule, items) == everything(rule, items), seed
        taken += len(answer(rule, items))

    assert taken > 50, "blocks in which nothing is ever taken show nothing"


@pytest.mark.parametrize("most", [(1, 3), (3, 1), (3, 3)], ids=["1:N", "N:1", "N:M"])
def test_sums_are_what_trying_everything_gives(most: tuple[int, int]) -> None:
    taken = 0
    for seed in range(SEEDS // 2):
        rule = a_rule(most=most, tolerance_micro=10_000 * (seed % 5 == 0))
        items = a_block(seed, each=3 + seed % 3, amounts=40)
        solved = solve(rule, items)
        assert not solved.is_cut
        assert answer(rule, items) == everything(rule, items), seed
        taken += len(solved.groups)

    assert taken > 20


def test_eight_to_eight_is_what_trying_everything_gives() -> None:
    rule = a_rule(most=(2, 2), days_before=0, days_after=1)
    for seed in range(12):
        items = a_block(seed, each=8, amounts=900)
        assert answer(rule, items) == everything(rule, items), seed


def test_three_sides_are_what_trying_everything_gives() -> None:
    rule = a_rule(between=(("invoice",), ("expected",), ("bank",)), most=(1, 1, 1))
    taken = 0
    for seed in range(SEEDS):
        items = a_block(seed, sides=3, each=3)
        assert answer(rule, items) == everything(rule, items), seed
        taken += len(answer(rule, items))

    assert taken > 20


@pytest.mark.parametrize("most", [(1, 1), (1, 3), (3, 1), (3, 3)])
def test_every_block_of_three_to_three_is_what_trying_everything_gives(
    most: tuple[int, int],
) -> None:
    rule = a_rule(most=most)
    kinds = list(product((10_000, 20_000), (0, 3)))
    sides = [c for size in (1, 2, 3) for c in combinations_with_replacement(kinds, size)]
    taken = 0
    for left, right in product(sides, sides):
        told = [(0, *kind) for kind in left] + [(1, *kind) for kind in right]
        items = [an_item(number, *each) for number, each in enumerate(told)]
        assert answer(rule, items) == everything(rule, items), told
        taken += len(answer(rule, items))

    assert len(sides) ** 2 == 1_156 and taken > 50


@pytest.mark.parametrize("most", [(1, 1), (1, 3), (3, 3)])
def test_neither_order_nor_ids_say_anything(most: tuple[int, int]) -> None:
    rule = a_rule(most=most)
    for seed in range(60):
        items = a_block(seed, each=5, amounts=30)
        draw = random.Random(seed)
        numbers = draw.sample(range(1_000), len(items))
        renamed = [item._replace(id=numbers[item.id]) for item in items]
        draw.shuffle(renamed)

        expected = {frozenset(numbers[i] for i in group) for group in answer(rule, items)}

        assert answer(rule, renamed) == expected, seed


def test_two_that_fit_equally_well_are_both_left() -> None:
    items = [an_item(0, 0, 500), an_item(1, 1, 500), an_item(2, 1, 500)]

    assert answer(a_rule(), items) == set()


def test_a_nearer_amount_within_the_tolerance_is_still_a_tie() -> None:
    items = [an_item(0, 0, 500), an_item(1, 1, 500), an_item(2, 1, 501)]

    assert answer(a_rule(tolerance_micro=1), items) == set()


def test_of_two_sums_that_fit_none_is_taken() -> None:
    rights = [an_item(n, 1, amount) for n, amount in enumerate((100, 400, 200, 300), 1)]

    assert answer(a_rule(most=(1, 3)), [an_item(0, 0, 500), *rights]) == set()
    assert answer(a_rule(most=(1, 3)), [an_item(0, 0, 500), *rights[:3]]) == {frozenset({0, 1, 2})}


def test_what_says_another_payment_is_no_candidate() -> None:
    items = [an_item(0, 0, 500, given="A"), an_item(1, 1, 500, given="B"), an_item(2, 1, 500)]

    assert answer(a_rule(), items) == {frozenset({0, 2})}


def test_more_records_than_are_searched_among_are_left_and_said() -> None:
    rule = a_rule(most=(4, 4), candidates=4)
    crowd = [an_item(n, 1, 10**n) for n in range(1, 6)]

    solved = solve(rule, [an_item(0, 0, 110), *crowd])

    assert (solved.groups, solved.is_cut) == ((), True)


def test_a_crowd_elsewhere_in_time_keeps_nothing_from_being_found() -> None:
    rule = a_rule(most=(4, 4), candidates=4)
    crowd = [an_item(n, n % 2, 10**n, day=100) for n in range(3, 13)]
    here = [an_item(0, 0, 30), an_item(1, 1, 10), an_item(2, 1, 20)]

    solved = solve(rule, [*here, *crowd])

    assert {frozenset(i.id for i in g) for g in solved.groups} == {frozenset({0, 1, 2})}
    assert solved.is_cut


def test_more_answers_than_are_kept_are_none() -> None:
    items = [an_item(n, n % 2, 100) for n in range(2 * UNBOUNDED)]

    solved = solve(a_rule(most=(4, 4)), items)

    assert (solved.groups, solved.is_cut) == ((), True)
    assert FOUND_MAX == 1_000


def test_thousands_of_one_amount_are_told_apart_by_their_days() -> None:
    items = [an_item(n, n % 2, 100, day=10 * (n // 2)) for n in range(10_000)]

    assert len(solve(a_rule(), items).groups) == 5_000


@pytest.mark.parametrize(
    ("rounding", "amount", "expected"),
    [
        ("down", 1_990_000, 10_000), ("up", 1_910_000, 20_000), ("half_up", 1_490_000, 10_000),
        ("half_up", 1_500_000, 20_000), ("up", 1_000_000, 10_000),
        ("down", 3_999_999_000_000_000_000, 39_999_990_000_000_000),
    ],
)  # fmt: skip
def test_a_tolerance_in_percent_is_rounded_as_the_rule_says(
    rounding: str, amount: int, expected: int
) -> None:
    rule = a_rule(percent_ppm=10_000, rounding=rounding)

    assert tolerance(rule, amount) == expected
