"""The matching engine: what must agree beside the rail's own settlements, by rules that are data.

Payments, bare transfers, mints and burns, open invoices, expected payments and bank entries become
records; ordered rules match them; a person matches, splits and undoes the rest. Corrects nothing.
"""

from settlement.reconciliation.engine.by_hand import (
    CannotBeSplit,
    MatchNotLive,
    RecordNotOpen,
    join,
    match_by_hand,
    split,
    unmatch,
)
from settlement.reconciliation.engine.expectation import Expectation
from settlement.reconciliation.engine.expected import ExpectationNotOpen, archive, expect
from settlement.reconciliation.engine.records import Projected, project
from settlement.reconciliation.engine.rule_sets import (
    OwnRuleSet,
    RuleSetDecided,
    StoredRuleSet,
    approve,
    draft,
    in_force,
)
from settlement.reconciliation.engine.rules import RuleSet, RuleSetInvalid
from settlement.reconciliation.engine.runs import Ran, RunSuperseded, run, run_within
from settlement.reconciliation.engine.trying import Diff, TriedMatch, dry_run

__all__ = [
    "CannotBeSplit",
    "Diff",
    "Expectation",
    "ExpectationNotOpen",
    "MatchNotLive",
    "OwnRuleSet",
    "Projected",
    "Ran",
    "RecordNotOpen",
    "RuleSet",
    "RuleSetDecided",
    "RuleSetInvalid",
    "RunSuperseded",
    "StoredRuleSet",
    "TriedMatch",
    "approve",
    "archive",
    "draft",
    "dry_run",
    "expect",
    "in_force",
    "join",
    "match_by_hand",
    "project",
    "run",
    "run_within",
    "split",
    "unmatch",
]
