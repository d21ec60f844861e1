"""The golden scenarios, each judged in a database; and that a pack only ever adds restrictions."""

import random
from dataclasses import replace
from itertools import product
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from scripts.benches import _golden as golden
from settlement.clock import counted_ids
from settlement.compliance import policy
from settlement.compliance.policy import Facts, Outcome, Policy
from tests.compliance.test_baseline_rules import GOOD, NOW, but

SHIPPED = policy.load()
NAMED = (
    "an exporter in the Union is paid by a participant: the regime allows, the Union refuses",
    "two residents, both registered",
    "US debtor, 2,999.99: below the US rule",
    "US debtor, 3,000.00: the US rule",
    "AT: EUR 0.01 travels with data",
    "EU debtor, creditor's own wallet not proved, 1000.00",
    "EU debtor, creditor's own wallet not proved, 1000.01",
    "US, debtor owned 49.90 % by 2 listed",
    "US, debtor owned 50.00 % by 2 listed",
    "EU DE, debtor owned 50.10 % by 2 listed",
    "AE and CN in AED, debtor owned 50.00 % by 2 listed",
    "AE and CN in AED, debtor controlled by one on the UN's list",
    "a hit on the debtor is confirmed: an alias in another script",
    "only the creditor's address is on a list",
    "three small ones reach USD 1,000 in a week",
    "an individual with 6000 kWh in the month",
    "an individual with 6001 kWh in the month",
)
"""What nobody may take away."""


def test_every_golden_scenario_comes_out_as_its_sources_say(engine: Engine) -> None:
    wanted = golden.scenarios()

    assert golden.failures(engine, wanted, counted_ids()) == []
    assert len(wanted) >= 300
    assert len({each.table for each in wanted}) >= 5
    assert set(NAMED) <= {each.name for each in wanted}


def test_a_scenario_is_named_once_in_its_table() -> None:
    names = [(each.table, each.name) for each in golden.scenarios()]

    assert len(names) == len(set(names))


CHANGES: dict[str, list[Any]] = {
    "debtor.country": ["AE", "DE", "US", "RU", "SG", "KP"],
    "creditor.country": ["BR", "FR", "US", "RU", "JP"],
    "debtor.registers": [(), ("regime_participants",), ("mining_operators",)],
    "creditor.registers": [(), ("regime_participants",)],
    "debtor.wallet_kind": ["custodial", "self_hosted"],
    "debtor.wallet_is_proved": [True, False],
    "debtor.legal_form": ["legal_entity", "individual"],
    "creditor.listed_ownership_bp": [0, 4_990, 5_000, 5_010],
    "creditor.hits_open": [(), ("x",)],
    "creditor.names_listed": [(), ("name is on un_list (1)",)],
    "asset.currency": ["AED", "USD", "EUR"],
    "asset.symbol": ["TAED", "A7A5", "RUBX"],
    "payment.amount_minor": [10_000, 10**9, 3 * 10**9, 10**13],
    "payment.travel_rule_gaps": [(), ("name",)],
    "payment.sunrise": ["", "x"],
    "trade.source_of_funds": ["", "trade", "mined"],
    "trade.kwh_of_month": [None, 6_000, 6_001],
    "trade.contract_number": ["", "1"],
}


@st.composite
def some_facts(draw: st.DrawFn) -> Facts:
    chosen = {path: draw(st.sampled_from(values)) for path, values in CHANGES.items()}
    return but(GOOD, chosen)


@settings(max_examples=300, deadline=None)
@given(some_facts(), st.data())
def test_a_pack_more_never_makes_an_outcome_milder(facts: Facts, data: st.DataObject) -> None:
    places = st.integers(0, len(SHIPPED.packs) - 1)
    some, one = data.draw(st.sets(places)), data.draw(places)
    fewer, more = (
        Policy("some", tuple(SHIPPED.packs[place] for place in chosen), SHIPPED.tables)
        for chosen in (some, some | {one})
    )

    (mild, found), (strict, found_more) = (
        policy.evaluate(each, facts, NOW) for each in (fewer, more)
    )

    assert strict >= mild
    assert set(found) <= set(found_more), "and no finding is lost"


def test_the_order_of_packs_changes_no_outcome() -> None:
    shuffled = list(SHIPPED.packs)
    random.Random(7).shuffle(shuffled)
    other = replace(SHIPPED, packs=tuple(shuffled))
    chosen = [values[-1:] + values[:1] for values in list(CHANGES.values())[:9]]

    for values in product(*chosen):
        facts = but(GOOD, dict(zip(CHANGES, values, strict=False)))
        assert policy.evaluate(SHIPPED, facts, NOW)[0] == policy.evaluate(other, facts, NOW)[0]


def test_what_is_proposed_changes_no_outcome() -> None:
    strict = {
        name: content.replace(b"outcome: FLAG\n    status: proposed", b"outcome: BLOCK\n"
                              b"    status: proposed")
        for name, content in policy.files_of().items()
    }  # fmt: skip
    proposed = [rule for rule in policy.read(strict).rules if rule.status == "proposed"]
    facts = but(
        GOOD,
        {"debtor.country": "RU", "debtor.registers": ("regime_participants", "mining_operators"),
         "trade.source_of_funds": "mined", "payment.amount_minor": 10**13},
    )  # fmt: skip

    outcome, found = policy.evaluate(policy.read(strict), facts, NOW)

    assert [rule.outcome for rule in proposed] == [Outcome.BLOCK, Outcome.BLOCK]
    assert outcome < Outcome.BLOCK
    assert {each.rule_id for each in found if each.is_flag} >= {rule.id for rule in proposed}
