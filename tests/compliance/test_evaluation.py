"""How rules are put together: days, places, flags, sums and bounds, each at its edge. Pure."""

from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest

from settlement.compliance import policy
from settlement.compliance.policy import Judge, Outcome, Policy, Tables, Window
from settlement.compliance.policy.model import Condition, Span
from settlement.compliance.policy.windows import Bound, Limit, with_this
from tests.compliance.test_baseline_rules import GOOD, NOW, but

DAY = NOW.date()
BEFORE, AFTER = DAY - timedelta(days=1), DAY + timedelta(days=1)
PACK = """
id: own
version: "1"
title: Own
status: in_force
source: a test
as_of: 2026-11-01
confidence: high
"""
ASIA = Tables({"EUR": Fraction(1), "AED": Fraction(4), "JPY": Fraction(160)})


def a_policy(*rules: str, pack: str = "") -> Policy:
    lines = [f"  - {{title: a rule, {rule}}}" for rule in rules]
    return policy.read({"own.yaml": "\n".join([PACK + pack + "rules:", *lines]).encode()})


def outcome_of(read: Policy, changes: dict[str, Any] | None = None) -> Outcome:
    return Judge(read, NOW).judge(but(GOOD, changes or {}))[0]


@pytest.mark.parametrize(
    ("first", "last", "holds"),
    [
        (None, None, True), (DAY, DAY, True), (None, DAY, True), (DAY, None, True),
        (AFTER, None, False), (None, BEFORE, False),
    ],
)  # fmt: skip
@pytest.mark.parametrize("of_pack", [True, False])
def test_a_rule_and_a_pack_hold_from_their_first_day_to_their_last(
    first: date | None, last: date | None, holds: bool, of_pack: bool
) -> None:
    said = {"valid_from": first, "valid_until": last}
    text = [f"{name}: {day}" for name, day in said.items() if day]
    rule = "id: A, predicate: contract_missing, outcome: HOLD"
    read = (
        a_policy(rule, pack="".join(f"{each}\n" for each in text))
        if of_pack
        else a_policy(", ".join([rule, *text]))
    )

    assert Span(first, last).holds(DAY) is holds
    assert outcome_of(read) == (Outcome.HOLD if holds else Outcome.ALLOW)


def test_what_is_remembered_of_one_day_is_not_taken_for_another() -> None:
    read = a_policy(f"id: A, predicate: contract_missing, outcome: HOLD, valid_from: {AFTER}")

    found = [Judge(read, NOW + timedelta(days=days)).judge(GOOD)[0] for days in (0, 1, 0)]

    assert found == [Outcome.ALLOW, Outcome.HOLD, Outcome.ALLOW]


@pytest.mark.parametrize(
    ("condition", "changes", "meets"),
    [
        ({"party_countries": {"AE"}}, {}, True),
        ({"party_countries": {"JP"}}, {}, True),
        ({"party_countries": {"DE"}}, {}, False),
        ({"both_countries": {"AE", "JP"}}, {}, True),
        ({"both_countries": {"AE"}}, {}, False),
        ({"currencies": {"AED"}, "party_countries": {"DE"}}, {}, False),
        ({"registers": {"r"}}, {"creditor.registers": ("r",)}, True),
        ({"registers": {"r"}}, {"creditor.registers": ("q",)}, False),
        ({"wallets": {"self_hosted"}}, {"creditor.wallet_kind": "self_hosted"}, True),
        ({"wallets": {"self_hosted"}}, {}, False),
    ],
)
def test_a_condition_is_met_where_all_that_it_names_holds(
    condition: dict[str, set[str]], changes: dict[str, Any], meets: bool
) -> None:
    made = Condition(**{name: frozenset(values) for name, values in condition.items()})

    assert made.meets(but(GOOD, changes).pair) is meets


@pytest.mark.parametrize(("countries", "meets"), [("DE], [AE", True), ("DE], [FR", False)])
def test_one_of_several_conditions_is_enough(countries: str, meets: bool) -> None:
    conditions = "".join(f"  - party_countries: [{each}]\n" for each in countries.split("], ["))
    read = a_policy(
        "id: A, predicate: contract_missing, outcome: HOLD", pack=f"applies_to:\n{conditions}"
    )

    assert outcome_of(read) == (Outcome.HOLD if meets else Outcome.ALLOW)


def test_a_flag_and_what_is_only_proposed_change_no_outcome_and_are_told() -> None:
    read = a_policy(
        "id: A, predicate: contract_missing, outcome: FLAG",
        "id: B, predicate: contract_missing, outcome: BLOCK, status: proposed",
        "id: C, predicate: purpose_missing, outcome: ALLOW_WITH_DATA",
        "id: D, predicate: source_missing, outcome: HOLD",
    )

    outcome, found = Judge(read, NOW).judge(GOOD)

    assert outcome == Outcome.HOLD
    assert [(each.rule_id, each.is_flag) for each in found] == [
        ("A", True), ("B", True), ("C", False), ("D", False),
    ]  # fmt: skip


def test_what_stands_looks_at_no_sum_and_no_purse() -> None:
    """What was cleared is in the sums itself, and has used up caps and funds itself."""
    limit = "with: {units: 1, currency: AED, per: debtor, period: day}"
    read = a_policy(
        f"id: A, predicate: sum_at_least, outcome: BLOCK, {limit}",
        "id: B, predicate: funds_short, outcome: BLOCK",
        "id: C, predicate: contract_missing, outcome: HOLD",
    )
    poor = but(GOOD, {"payment.funds_available_minor": 0})

    assert Judge(read, NOW).standing(poor) == Outcome.HOLD
    assert Judge(read, NOW).judge(poor)[0] == Outcome.BLOCK


@pytest.mark.parametrize(
    ("days", "first"), [(1, DAY), (7, date(2026, 11, 24)), (0, date(2026, 11, 1))]
)
def test_a_window_begins_so_many_days_ago_with_today(days: int, first: date) -> None:
    assert Window("debtor", days).first_day(DAY) == first


@pytest.mark.parametrize(
    ("currency", "decimals", "smallest", "largest"),
    [
        ("EUR", 2, 1_01, 1_00), ("AED", 2, 4_02, 4_02), ("JPY", 0, 161, 160),
        ("EUR", 6, 1_005_000, 1_005_000), ("XAF", 2, 0, -1),
    ],
)  # fmt: skip
def test_a_bound_is_exact_and_without_a_rate_everything_reaches_it(
    currency: str, decimals: int, smallest: int, largest: int
) -> None:
    bound = Bound(Limit(Fraction("1.005"), "EUR"), ASIA)
    asset = but(GOOD, {"asset.currency": currency, "asset.decimals": decimals}).pair.asset

    assert (bound.smallest_at(asset), bound.largest_within(asset)) == (smallest, largest)


@pytest.mark.parametrize(
    ("sums", "is_reached"),
    [
        ({"EUR": 10**9}, True), ({"EUR": 10**9 - 1}, False), ({"AED": 4 * 10**9}, True),
        ({"EUR": 5 * 10**8, "AED": 2 * 10**9}, True),
        ({"EUR": 5 * 10**8, "AED": 2 * 10**9 - 1}, False),
        ({"EUR": 0, "XAF": 1}, True), ({"EUR": 0, "XAF": 0}, False),
    ],
)  # fmt: skip
def test_sums_of_several_currencies_reach_a_limit_to_the_billionth(
    sums: dict[str, int], is_reached: bool
) -> None:
    assert Bound(Limit(Fraction(1), "EUR"), ASIA).is_reached_by(sums) is is_reached


def test_a_payment_is_in_its_own_sum_beside_what_was_paid() -> None:
    window = Window("debtor", 1)
    paid = but(GOOD, {"payment.sums": {window.key: {"AED": 5, "EUR": 7}}})

    assert with_this(paid, window) == {"AED": 5 + 10**9, "EUR": 7}
    assert with_this(GOOD, window) == {"AED": 10**9}
