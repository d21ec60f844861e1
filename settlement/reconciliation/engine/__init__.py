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
    "draft",
    "dry_run",
    "in_force",
    "join",
    "match_by_hand",
    "project",
    "run",
    "run_within",
    "split",
    "unmatch",
]
