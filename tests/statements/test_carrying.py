"""Token amounts in a currency's digits: what is exact stays exact, and nothing is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlement.statements.carrying import Scale, carried

SCALES = st.builds(Scale, st.integers(0, 9), st.sampled_from([0, 2, 3, 4]))
MINORS = st.lists(st.integers(-(2**62), 2**62), max_size=20)


@given(scale=SCALES, opening=st.integers(-(2**62), 2**62), minors=MINORS)
def test_opening_and_movements_always_make_the_closing_balance(
    scale: Scale, opening: int, minors: list[int]
) -> None:
    shown = list(carried(scale, opening, minors))

    assert len(shown) == len(minors)
    assert scale.shown(opening) + sum(shown) == scale.shown(opening + sum(minors))


@given(scale=SCALES, opening=st.integers(-(2**62), 2**62), minors=MINORS)
def test_a_movement_is_shown_less_than_one_minor_unit_away_and_never_on_the_other_side(
    scale: Scale, opening: int, minors: list[int]
) -> None:
    for minor, shown in zip(minors, carried(scale, opening, minors), strict=True):
        above = 10 ** max(scale.token_decimals - scale.currency_decimals, 0)
        below = 10 ** max(scale.currency_decimals - scale.token_decimals, 0)
        assert abs(minor * below - shown * above) < above
        assert shown == 0 or (shown > 0) == (minor > 0)
        if scale.rest(minor) == 0:
            assert shown * above == minor * below


@given(scale=SCALES, balance=st.integers(-(2**62), 2**62))
def test_an_account_is_never_shown_to_hold_more_than_it_does(scale: Scale, balance: int) -> None:
    above = 10 ** max(scale.token_decimals - scale.currency_decimals, 0)
    below = 10 ** max(scale.currency_decimals - scale.token_decimals, 0)

    assert scale.shown(balance) * above + scale.rest(balance) == balance * below
    assert 0 <= scale.rest(balance) < above


@pytest.mark.parametrize(
    ("minors", "shown"),
    [
        ([12_340_000], [1234]),
        ([1], [0]),
        ([9_999, 1], [0, 1]),
        ([-1], [-1]),
        ([1, 5_000_000, -1], [0, 500, 0]),
        ([12_345_678, 5_000], [1234, 1]),
    ],
)
def test_parts_of_a_cent_wait_until_they_make_one(minors: list[int], shown: list[int]) -> None:
    assert list(carried(Scale(6, 2), 0, minors)) == shown
