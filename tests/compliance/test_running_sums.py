"""Sums of one run: what was let pass counts for the next ones, where it is of what is summed."""

from fractions import Fraction

import pytest

from settlement.compliance.policy import Tables, Window
from settlement.compliance.policy.windows import Limit
from settlement.compliance.sums import Running
from tests.compliance.test_baseline_rules import GOOD, NOW, but

SMALL = Window("pair", 7, Limit(Fraction(1_000), "USD"))


@pytest.mark.parametrize(
    ("amount_minor", "summed"),
    [(999_999_999, {SMALL.key: {"USD": 999_999_999_000}}), (1_000_000_000, {})],
)
def test_what_reaches_a_limit_by_itself_is_no_small_payment(
    amount_minor: int, summed: dict[str, dict[str, int]]
) -> None:
    facts = but(GOOD, {"asset.currency": "USD", "payment.amount_minor": amount_minor})
    running = Running(Tables(), NOW)

    running.add(facts, [SMALL])

    assert running.of(facts.pair, [SMALL]) == summed
