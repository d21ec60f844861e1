"""Which rules apply to whom is remembered: never for a pair that another pack meets."""

from typing import Any

import pytest

from settlement.compliance.policy import Judge, Outcome, Policy
from settlement.compliance.policy.model import Condition, Pack, Span
from tests.compliance.test_baseline_rules import BASELINE, GOOD, NOW, but

(REFUSES,) = (rule for rule in BASELINE.rules if rule.id == "BASE-01")
MEETS: list[tuple[Condition, dict[str, Any]]] = [
    (Condition(party_countries=frozenset({"RU"})), {"debtor.country": "RU"}),
    (Condition(party_countries=frozenset({"RU"})), {"creditor.country": "RU"}),
    (Condition(currencies=frozenset({"USD"})), {"asset.currency": "USD"}),
    (Condition(assets=frozenset({"A7A5"})), {"asset.symbol": "A7A5"}),
    (Condition(assets=frozenset({"0x71"})), {"asset.token": "0x71"}),
    (Condition(registers=frozenset({"regime"})), {"debtor.registers": ("regime",)}),
    (Condition(registers=frozenset({"regime"})), {"creditor.registers": ("regime",)}),
    (Condition(wallets=frozenset({"0xd2"})), {"debtor.wallet": "0xd2"}),
    (Condition(wallets=frozenset({"0xc2"})), {"creditor.wallet": "0xc2"}),
    (Condition(wallets=frozenset({"self_hosted"})), {"debtor.wallet_kind": "self_hosted"}),
    (Condition(wallets=frozenset({"self_hosted"})), {"creditor.wallet_kind": "self_hosted"}),
]


def _a_policy(condition: Condition) -> Policy:
    (first, *_) = BASELINE.packs
    values = {name: getattr(first, name) for name in first.__slots__}
    pack = Pack(**{**values, "applies_to": (condition,), "rules": (REFUSES,), "span": Span()})
    return Policy("one", (pack,))


@pytest.mark.parametrize(("condition", "changes"), MEETS)
def test_a_pair_that_a_pack_meets_is_told_from_one_that_it_does_not(
    condition: Condition, changes: dict[str, Any]
) -> None:
    policy = _a_policy(condition)
    other = but(GOOD, {"debtor.state": "closed"})
    met = but(other, changes)

    found = [Judge(policy, NOW).judge(each)[0] for each in (other, met, other)]

    assert found == [Outcome.ALLOW, Outcome.REJECT, Outcome.ALLOW]
