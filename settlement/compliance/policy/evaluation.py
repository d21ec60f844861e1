"""Judging: all packs that apply, the strictest outcome wins, flags beside it.

What depends on the parties alone is judged once for all payments between them. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from settlement.compliance.policy.model import Outcome, Pack, PairCheck, Policy, Rule, Verdict
from settlement.compliance.policy.subject import Facts, Pair
from settlement.compliance.policy.windows import Window


@dataclass(frozen=True, slots=True)
class PairJudgement:
    """What holds of all payments between two parties: findings, and the rules still to ask."""

    findings: tuple[Verdict, ...]
    rules: tuple[Rule, ...]
    windows: tuple[Window, ...]
    """Sums that these rules ask for, each once."""


_Rules = tuple[tuple[tuple[Rule, PairCheck], ...], tuple[Rule, ...], tuple[Window, ...]]
"""Rules over the pair with their checks, rules over the payment, and the sums these ask for."""


_REMEMBERED_MAX = 20_000


class Judge:
    """A policy on one day, with what it has found of the pairs so far."""

    def __init__(self, policy: Policy, now: datetime) -> None:
        self.policy = policy
        day = now.date()
        self._packs = [
            (pack, [rule for rule in pack.rules if rule.span.holds(day)])
            for pack in policy.packs
            if pack.span.holds(day)
        ]
        self._pairs: dict[int, tuple[Pair, PairJudgement]] = {}
        if len(policy.remembered) > _REMEMBERED_MAX:
            policy.remembered.clear()
        self._day = day
        self._names_wallets = any(
            condition.wallets for pack in policy.packs for condition in pack.applies_to
        )

    def judge(self, facts: Facts) -> tuple[Outcome, list[Verdict]]:
        """Return the strictest outcome and every rule that found something, flags among them."""
        known = self.pair(facts.pair)
        findings = list(known.findings)
        for rule in known.rules:
            assert rule.payment_check is not None
            if found := rule.payment_check(facts):
                findings.append(Verdict(rule.id, rule.outcome, found, rule.is_flag))
        if not findings:
            return Outcome.ALLOW, findings
        return strictest(findings), findings

    def standing(self, facts: Facts) -> Outcome:
        """Return the outcome by all rules that do not depend on what else is paid meanwhile."""
        known = self.pair(facts.pair)
        findings = [
            Verdict(rule.id, rule.outcome, found, rule.is_flag)
            for rule in known.rules
            if not (rule.is_of_the_moment or rule.windows)
            and rule.payment_check is not None
            and (found := rule.payment_check(facts))
        ]
        return strictest([*known.findings, *findings])

    def pair(self, pair: Pair) -> PairJudgement:
        """Return what is the same for all payments of a pair."""
        # By identity: hashing what a pair holds would cost more than judging it.
        known = self._pairs.get(id(pair))
        if known is None:
            known = self._pairs[id(pair)] = (pair, self._judged(pair))
        return known[1]

    def applicable(self, pair: Pair) -> Sequence[tuple[Pack, Sequence[Rule]]]:
        """Return the packs that apply to a pair on this day, each with its rules of this day."""
        return [(pack, rules) for pack, rules in self._packs if pack.meets(pair)]

    def _judged(self, pair: Pair) -> PairJudgement:
        asked, left, windows = self._rules_for(pair)
        findings = [
            Verdict(rule.id, rule.outcome, found, rule.is_flag)
            for rule, check in asked
            if (found := check(pair))
        ]
        return PairJudgement(tuple(findings), left, windows)

    def _rules_for(self, pair: Pair) -> _Rules:
        """Return the rules of the packs that apply: the same for all that look alike to them."""
        debtor, creditor, asset = pair.debtor, pair.creditor, pair.asset
        key: tuple[object, ...] = (
            self._day, debtor.country, creditor.country, asset.token, asset.symbol, asset.currency,
            debtor.registers, creditor.registers, debtor.wallet_kind, creditor.wallet_kind,
        )  # fmt: skip
        if self._names_wallets:
            key = (*key, debtor.wallet, creditor.wallet)
        known: _Rules | None = self.policy.remembered.get(key)
        if known is None:
            rules = [rule for _, rules in self.applicable(pair) for rule in rules]
            left = tuple(rule for rule in rules if rule.payment_check)
            windows = {each.key: each for rule in left for each in rule.windows}
            asked = tuple((rule, rule.pair_check) for rule in rules if rule.pair_check)
            known = self.policy.remembered[key] = (asked, left, tuple(windows.values()))
        return known


def strictest(findings: Sequence[Verdict]) -> Outcome:
    """Return the outcome of the strictest finding that is no flag."""
    return max((each.outcome for each in findings if not each.is_flag), default=Outcome.ALLOW)


def evaluate(policy: Policy, facts: Facts, now: datetime) -> tuple[Outcome, list[Verdict]]:
    """Judge one settlement alone."""
    return Judge(policy, now).judge(facts)
