"""Each rule of the baseline pack, both ways, as a pure function; and packs that are none."""

from dataclasses import fields, replace
from pathlib import Path

import pytest

from settlement.compliance import clearance, policy
from settlement.compliance.clearance import Terms
from settlement.compliance.policy import Facts, Outcome, PackInvalid

BASELINE = policy.load()
GOOD = Facts(
    settlement_id="stl_1",
    debtor_state="active",
    creditor_state="active",
    debtor_name="Al Noor Trading LLC",
    creditor_name="Nordlicht Pumpen GmbH",
    debtor_country="AE",
    creditor_country="DE",
    debtor_owns_wallet=True,
    creditor_owns_wallet=True,
    token_listed=True,
    amount_minor=1_000_000,
    token_decimals=6,
    names_listed=(),
    addresses_listed=(),
    mandate_cap_payment_minor=1_000_000,
    mandate_left_today_minor=1_000_000,
    funds_available_minor=1_000_000,
)
BAD = [
    ("BASE-01", {"debtor_state": "suspended"}, Outcome.REJECT, "debtor is suspended"),
    ("BASE-01", {"creditor_state": "closed"}, Outcome.REJECT, "creditor is closed"),
    ("BASE-02", {"debtor_owns_wallet": False}, Outcome.REJECT, "debtor's wallet"),
    ("BASE-02", {"creditor_owns_wallet": False}, Outcome.REJECT, "creditor's wallet"),
    ("BASE-03", {"token_listed": False}, Outcome.REJECT, "not listed"),
    ("BASE-04", {"debtor_country": "KP"}, Outcome.BLOCK, "KP"),
    ("BASE-04", {"creditor_country": "IR"}, Outcome.BLOCK, "IR"),
    ("BASE-05", {"names_listed": ("sdn: x",)}, Outcome.BLOCK, "sdn: x"),
    ("BASE-06", {"addresses_listed": ("sdn: 0x1",)}, Outcome.BLOCK, "sdn: 0x1"),
    ("BASE-07", {"mandate_cap_payment_minor": None}, Outcome.HOLD, "no mandate"),
    ("BASE-08", {"mandate_cap_payment_minor": 999_999}, Outcome.HOLD, "999999 per payment"),
    ("BASE-09", {"mandate_left_today_minor": 999_999}, Outcome.HOLD, "999999 left"),
    ("BASE-10", {"funds_available_minor": 999_999}, Outcome.HOLD, "999999 that is not reserved"),
    ("BASE-11", {"amount_minor": 10**13 + 1, "mandate_cap_payment_minor": 10**15,
                 "mandate_left_today_minor": 10**15, "funds_available_minor": 10**15},
     Outcome.HOLD, "over 10000000 units"),
]  # fmt: skip


def test_every_rule_of_the_baseline_is_tested_both_ways() -> None:
    assert {rule.id for rule in BASELINE.rules} == {rule_id for rule_id, *_ in BAD}


def test_what_no_rule_has_anything_against_is_allowed() -> None:
    assert policy.evaluate(BASELINE, GOOD) == (Outcome.ALLOW, [])


@pytest.mark.parametrize(("rule_id", "changes", "outcome", "words"), BAD)
def test_a_rule_finds_what_it_is_for_and_only_that(
    rule_id: str, changes: dict[str, object], outcome: Outcome, words: str
) -> None:
    found, verdicts = policy.evaluate(BASELINE, replace(GOOD, **changes))  # type: ignore[arg-type]

    assert found == outcome
    assert [verdict.rule_id for verdict in verdicts] == [rule_id]
    assert words in verdicts[0].found


def test_the_bounds_themselves_are_allowed() -> None:
    largest = replace(
        GOOD, amount_minor=10**13, mandate_cap_payment_minor=10**13,
        mandate_left_today_minor=10**13, funds_available_minor=10**13,
    )  # fmt: skip

    assert policy.evaluate(BASELINE, largest) == (Outcome.ALLOW, [])


def test_the_strictest_outcome_wins_and_every_finding_is_kept() -> None:
    facts = replace(GOOD, debtor_state="closed", names_listed=("x",), funds_available_minor=0)

    outcome, verdicts = policy.evaluate(BASELINE, facts)

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


def _pack(folder: Path, *rules: str, name: str = "one", head: str = "") -> Path:
    lines = head or f"id: {name}\nversion: 1\nstatus: in_force\n"
    (folder / f"{name}.yaml").write_text(lines + "rules:\n" + "".join(rules))
    return folder


RULE = "  - {id: R-1, title: t, predicate: token_not_listed, outcome: HOLD}\n"


def test_a_version_names_every_pack_and_its_content(tmp_path: Path) -> None:
    first = policy.load(_pack(tmp_path, RULE)).version
    second = policy.load(_pack(tmp_path, RULE.replace("HOLD", "BLOCK"))).version
    both = policy.load(_pack(tmp_path, RULE.replace("R-1", "R-2"), name="two")).version

    assert first.startswith("one@1#") and first != second
    assert both.startswith(second) and "two@1#" in both


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (RULE.replace("token_not_listed", "moon_phase"), "no predicate"),
        (RULE.replace("HOLD", "MAYBE"), "no outcome"),
        (RULE.replace("title: t, ", ""), "lacks title"),
        (RULE.replace("title: t", "title: t, titel: u"), "unknown keys"),
        (RULE + RULE, "used twice"),
    ],
)
def test_a_pack_that_is_none_clears_nothing(tmp_path: Path, rule: str, words: str) -> None:
    with pytest.raises(PackInvalid, match=words):
        policy.load(_pack(tmp_path, rule))


def test_no_pack_at_all_clears_nothing(tmp_path: Path) -> None:
    with pytest.raises(PackInvalid, match="no rule"):
        policy.load(tmp_path)
    with pytest.raises(PackInvalid, match="needs id"):
        policy.load(_pack(tmp_path, RULE, head="id: x\n"))


def test_every_fact_is_looked_at_by_the_hash_of_the_inputs() -> None:
    assert {field.name for field in fields(Facts)} == set(Facts.__slots__)
