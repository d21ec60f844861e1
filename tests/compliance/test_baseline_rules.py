"""Each rule of the baseline pack, both ways, as a pure function."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from settlement.compliance import clearance, policy
from settlement.compliance.clearance import Terms
from settlement.compliance.policy import Asset, Facts, Outcome, Pair, Party, Payment

NOW = datetime(2026, 11, 30, tzinfo=UTC)
BASELINE = policy.read({
    name: content for name, content in policy.files_of().items()
    if name == "baseline.yaml" or name.endswith(".csv")
})  # fmt: skip
AMOUNTS = [f"payment.{name}" for name in (
    "amount_minor", "mandate_cap_payment_minor", "mandate_left_today_minor",
    "funds_available_minor",
)]  # fmt: skip


GOOD = Facts(
    settlement_id="stl_1",
    pair=Pair(
        debtor=Party("par_1", "active", "AE", "0xd1", owns_wallet=True),
        creditor=Party("par_2", "active", "JP", "0xc1", owns_wallet=True),
        asset=Asset("0x70", "TAED", "AED", 6, is_listed=True),
    ),
    payment=Payment(
        amount_minor=1_000_000,
        mandate_cap_payment_minor=1_000_000,
        mandate_left_today_minor=1_000_000,
        funds_available_minor=1_000_000,
    ),
)


def but(facts: Facts, changes: Mapping[str, Any]) -> Facts:
    """The facts with other values, such as `debtor.state` or `payment.amount_minor`."""
    for path, value in changes.items():
        part, _, name = path.partition(".")
        if part in ("debtor", "creditor", "asset"):
            inner = replace(getattr(facts.pair, part), **{name: value})
            facts = replace(facts, pair=replace(facts.pair, **{part: inner}))
        else:
            facts = replace(facts, **{part: replace(getattr(facts, part), **{name: value})})
    return facts


BAD = [
    ("BASE-01", {"debtor.state": "suspended"}, Outcome.REJECT, "debtor is suspended"),
    ("BASE-01", {"creditor.state": "closed"}, Outcome.REJECT, "creditor is closed"),
    ("BASE-02", {"debtor.owns_wallet": False}, Outcome.REJECT, "debtor's wallet"),
    ("BASE-02", {"creditor.owns_wallet": False}, Outcome.REJECT, "creditor's wallet"),
    ("BASE-03", {"asset.is_listed": False}, Outcome.REJECT, "not listed"),
    ("BASE-04", {"debtor.country": "KP"}, Outcome.BLOCK, "KP"),
    ("BASE-04", {"creditor.country": "IR"}, Outcome.BLOCK, "IR"),
    ("BASE-12", {"creditor.hits_open": ("x may be y",)}, Outcome.HOLD, "waits for a person"),
    ("BASE-13", {"debtor.hits_confirmed": ("x is y",)}, Outcome.BLOCK, "the debtor: x is y"),
    ("BASE-14", {"debtor.documents_missing": ("passport",)}, Outcome.HOLD, "lacks passport"),
    ("BASE-15", {"creditor.payee_change_pending": True}, Outcome.HOLD, "not confirmed yet"),
    ("BASE-16", {"creditor.wallet_is_usable": False}, Outcome.HOLD, "not usable yet"),
    ("BASE-17", {"payment.inquiry": "rfi_1"}, Outcome.HOLD, "rfi_1"),
    ("BASE-23", {"debtor.wallet_bound": ("is frozen",)}, Outcome.HOLD, "wallet is frozen"),
    ("BASE-22", {"trade.hs_codes": ("85423190",)}, Outcome.HOLD, "85423190"),
    ("BASE-24", {"debtor.listed_ownership_bp": 5_000, "debtor.listed_owners": ("nat_1 on un 7",)},
     Outcome.BLOCK, "debtor is owned to 50.00 % by nat_1 on un 7"),
    ("BASE-25", {"creditor.listed_control": ("nat_1, who is on un 7",)}, Outcome.BLOCK,
     "creditor is controlled by nat_1"),
    ("BASE-22", {"trade.hs_codes": ("8542",)}, Outcome.HOLD,
     "8542 is too short to tell: 854231, 854232, 854233 and 854239 of the list dual_use are in it"),
    ("BASE-22", {"trade.hs_codes": ("8486", "8401")}, Outcome.HOLD, "goods 8486, 8401 are on"),
    ("BASE-05", {"debtor.names_listed": ("sdn: x",)}, Outcome.BLOCK, "sdn: x"),
    ("BASE-06", {"creditor.addresses_listed": ("sdn: 0x1",)}, Outcome.BLOCK, "sdn: 0x1"),
    ("BASE-07", {"payment.mandate_cap_payment_minor": None}, Outcome.HOLD, "no mandate"),
    ("BASE-08", {"payment.mandate_cap_payment_minor": 999_999}, Outcome.HOLD, "999999 per payment"),
    ("BASE-09", {"payment.mandate_left_today_minor": 999_999}, Outcome.HOLD, "999999 left"),
    ("BASE-10", {"payment.funds_available_minor": 999_999}, Outcome.HOLD, "999999 that is not"),
    ("BASE-11", {**dict.fromkeys(AMOUNTS, 10**15), "payment.amount_minor": 10**13 + 1},
     Outcome.HOLD, "over 10000000 units"),
]  # fmt: skip


def test_every_rule_of_the_baseline_is_tested_both_ways() -> None:
    of_amounts = {"BASE-18", "BASE-19", "BASE-20", "BASE-21"}  # The golden scenarios have them.

    assert {rule.id for rule in BASELINE.rules} == {rule_id for rule_id, *_ in BAD} | of_amounts


def test_what_no_rule_has_anything_against_is_allowed() -> None:
    assert policy.evaluate(BASELINE, GOOD, NOW) == (Outcome.ALLOW, [])


@pytest.mark.parametrize(("rule_id", "changes", "outcome", "words"), BAD)
def test_a_rule_finds_what_it_is_for_and_only_that(
    rule_id: str, changes: dict[str, Any], outcome: Outcome, words: str
) -> None:
    found, verdicts = policy.evaluate(BASELINE, but(GOOD, changes), NOW)

    assert found == outcome
    decisive = [verdict for verdict in verdicts if verdict.outcome > Outcome.ALLOW_WITH_DATA]
    assert [verdict.rule_id for verdict in decisive] == [rule_id]
    assert words in decisive[0].found


def test_the_bounds_themselves_are_allowed() -> None:
    owned = {"debtor.listed_ownership_bp": 4_999, "creditor.listed_ownership_bp": 4_999}
    largest = but(GOOD, {**dict.fromkeys(AMOUNTS, 10**13), **owned})

    outcome, verdicts = policy.evaluate(BASELINE, largest, NOW)

    assert outcome == Outcome.ALLOW_WITH_DATA
    assert [verdict.rule_id for verdict in verdicts] == ["BASE-18"]


def test_the_strictest_outcome_wins_and_every_finding_is_kept() -> None:
    facts = but(
        GOOD,
        {
            "debtor.state": "closed",
            "debtor.names_listed": ("x",),
            "payment.funds_available_minor": 0,
        },
    )

    outcome, verdicts = policy.evaluate(BASELINE, facts, NOW)

    assert outcome == Outcome.BLOCK
    assert [verdict.rule_id for verdict in verdicts] == ["BASE-01", "BASE-05", "BASE-10"]
    assert list(Outcome) == sorted(Outcome)


def test_only_the_two_mildest_outcomes_may_be_paid() -> None:
    terms = Terms("0x1", "0x2", "0x3", 1, "0x4")
    payable = {
        outcome.name for outcome in Outcome if clearance.Judgement(GOOD, terms, outcome, []).payable
    }

    assert payable == set(clearance.PAYABLE) == {"ALLOW", "ALLOW_WITH_DATA"}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("ACME Trading, L.L.C.", "acme  trading l l c", True),
        ("José Müller", "JOSE MULLER", True),
        ("Jose\u0301", "Jos\u00e9", True),
        ("STRASSE", "Straße", True),
        ("ＡＣＭＥ", "acme", True),
        ("Acme", "Acme 2", False),
        ("  ", "", True),
    ],
)
def test_names_are_compared_folded(one: str, other: str, same: bool) -> None:
    assert (policy.fold(one) == policy.fold(other)) is same
