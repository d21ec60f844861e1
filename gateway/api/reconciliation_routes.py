"""The routes of the matching engine, with an example of each."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.api import reconciliation, reconciliation_shapes
from gateway.api.operation import CommandRoute, QueryRoute, body_of

_HASH = "b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c"
_ROOT = "/v1/reconciliation"
_RECORD = {
    "object": "record",
    "id": 7,
    "source": "bank",
    "origin": "bank:3",
    "owner": "par_019a8f2e5a0b7c1d8e2f3a4b5c6d7e8f",
    "account": "bka_019a8f2e5a0b7c1d8e2f3a4b5c6d7e90",
    "currency": "EUR",
    "amount": "4320.000000",
    "unit": "EUR",
    "end_to_end_id": "E2E-4711",
    "reference": None,
    "counterparty": "IMPORTHOUSELTD",
    "value_date": "2026-10-07",
    "due_date": "2026-10-07",
    "settlement_id": None,
    "invoice_id": None,
    "parent_id": None,
    "state": "matched",
    "match_id": 2,
}
_MATCH = {
    "object": "match",
    "id": 2,
    "rule_set": 1,
    "rule": "payment-end-to-end",
    "score": 100,
    "reasons": {
        "rule": "The bank tells the payment's own end-to-end id",
        "agree": ["currency", "sign", "end_to_end_id", "owner"],
        "cardinality": "1:1",
        "difference_micro": "0",
        "days_apart": 1,
    },
    "kind": "auto",
    "live": True,
    "records": [4, 7],
    "created_at": "2026-10-07T09:00:00.000000Z",
    "created_by": "rail",
    "undone_at": None,
    "undone_by": None,
    "undone_reason": None,
}
_RUN = {
    "object": "run",
    "id": 12,
    "rule_set": 1,
    "state": "done",
    "counts": {"added": 2, "matched": 1, "undone": 0, "opened": 0, "closed": 0},
    "started_at": "2026-10-07T09:00:00.000000Z",
    "finished_at": "2026-10-07T09:00:00.000000Z",
}
_RULE = {
    "id": "payment-end-to-end",
    "title": "The bank tells the payment's own end-to-end id",
    "between": [["payment"], ["bank"]],
    "key": ["end_to_end_id", "owner"],
    "must_not_differ": [],
    "cardinality": "1:1",
    "tolerance": {"amount": "0", "percent": "0", "rounding": "down"},
    "days": {"before": 5, "after": 60},
    "group": {"members": 2, "candidates": 12},
    "score": 100,
}
_RULE_SET = {
    "object": "rule_set",
    "version": 2,
    "sha256": _HASH,
    "state": "draft",
    "author": "treasury:stk_9f86d081884c",
    "created_at": "2026-10-07T09:00:00.000000Z",
    "approved_by": None,
    "in_force_from": None,
    "tried": {"kept": 240, "gained": 3, "lost": 0, "changed": 1},
    "rules": {"name": "with a tolerance", "rules": [_RULE]},
}
_DRY_RUN = {
    "object": "dry_run",
    "kept": 240,
    "gained": 1,
    "lost": 0,
    "changed": 0,
    "too_much_work": [],
    "new": [{"rule": "payment-end-to-end", "origins": ["bank:3", "match_17"], "instead_of": None}],
    "gone": [],
    "other": [],
}
_CONTENT = {"content": "name: ours\nrules:\n  - id: end-to-end\n    …"}


def _listed(one: Mapping[str, object]) -> dict[str, object]:
    return {"object": "list", "has_more": False, "data": [one]}


QUERIES = (
    QueryRoute(
        f"{_ROOT}/records",
        reconciliation.list_records,
        "List what is to be matched",
        reconciliation_shapes.RecordList,
        _listed(_RECORD),
        tag="reconciliation",
    ),
    QueryRoute(
        f"{_ROOT}/matches",
        reconciliation.list_matches,
        "List matches with their reasons",
        reconciliation_shapes.MatchList,
        _listed(_MATCH),
        tag="reconciliation",
    ),
    QueryRoute(
        f"{_ROOT}/runs",
        reconciliation.list_runs,
        "List runs of the matching engine",
        reconciliation_shapes.RunList,
        _listed(_RUN),
        tag="reconciliation",
    ),
    QueryRoute(
        f"{_ROOT}/rules",
        reconciliation.list_rules,
        "List versions of the matching rules",
        reconciliation_shapes.RuleSetList,
        _listed(_RULE_SET),
        tag="reconciliation",
    ),
)
COMMANDS = (
    CommandRoute(
        f"{_ROOT}/run",
        reconciliation.plan_run,
        "Match what is new",
        body_of(reconciliation_shapes.NoBody, {"plain": {}}, is_required=False),
        reconciliation_shapes.Run,
        _RUN,
        tag="reconciliation",
    ),
    CommandRoute(
        f"{_ROOT}/matches",
        reconciliation.plan_match,
        "Match records by hand",
        body_of(
            reconciliation_shapes.MatchBody,
            {"differing": {"records": [4, 7], "reason": "the bank kept 2.00 as its fee"}},
        ),
        reconciliation_shapes.Match,
        _MATCH,
        tag="reconciliation",
    ),
    CommandRoute(
        f"{_ROOT}/matches/{{match_id}}/unmatch",
        reconciliation.plan_unmatch,
        "Undo a match",
        body_of(reconciliation_shapes.UnmatchBody, {"plain": {"reason": "another payment's"}}),
        reconciliation_shapes.Match,
        _MATCH,
        tag="reconciliation",
    ),
    CommandRoute(
        f"{_ROOT}/records/{{record_id}}/split",
        reconciliation.plan_split,
        "Split a record in parts",
        body_of(
            reconciliation_shapes.SplitBody, {"in two": {"amounts": ["4000.00", "320.00"]}}
        ),
        reconciliation_shapes.Parts,
        {"object": "parts", "records": [31, 32]},
        tag="reconciliation",
    ),
    CommandRoute(
        f"{_ROOT}/records/{{record_id}}/join",
        reconciliation.plan_join,
        "Take a split back",
        body_of(reconciliation_shapes.NoBody, {"plain": {}}, is_required=False),
        reconciliation_shapes.Parts,
        {"object": "parts", "records": []},
        tag="reconciliation",
    ),
    CommandRoute(
        f"{_ROOT}/rules/dry-run",
        reconciliation.plan_dry_run,
        "Say what a rule set would change",
        body_of(reconciliation_shapes.RulesBody, {"plain": _CONTENT}),
        reconciliation_shapes.DryRun,
        _DRY_RUN,
        tag="reconciliation",
    ),
    CommandRoute(
        f"{_ROOT}/rules",
        reconciliation.plan_propose,
        "Propose a rule set",
        body_of(reconciliation_shapes.RulesBody, {"plain": _CONTENT}),
        reconciliation_shapes.RuleSet,
        _RULE_SET,
        tag="reconciliation",
    ),
    CommandRoute(
        f"{_ROOT}/rules/approve",
        reconciliation.plan_approve,
        "Put a rule set in force",
        body_of(
            reconciliation_shapes.ApproveRulesBody, {"plain": {"version": 2, "sha256": _HASH}}
        ),
        reconciliation_shapes.RuleSet,
        {**_RULE_SET, "state": "approved", "approved_by": "treasury:stk_60303ae22b99",
         "in_force_from": "2026-10-07T10:00:00.000000Z"},
        tag="reconciliation",
    ),
)  # fmt: skip
