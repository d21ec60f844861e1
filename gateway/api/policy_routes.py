"""The routes of policies, decisions explained, flags, registers and trades."""

from __future__ import annotations

from typing import Any

from gateway.api import policies, policy_shapes, trades
from gateway.api.operation import BodyShape, CommandRoute, QueryRoute, body_of
from gateway.api.reconciliation_shapes import NoBody

_HASH = "b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c"
_SETTLEMENT = "stl_019a8f2e6c1f7d3e9b6a2d4c5e6f7082"
_AT = "2026-11-30T09:30:00.000000Z"
_TRIED = {"against": 1, "looked_at": 240, "same": 239, "stricter": 1, "milder": 0,
          "by_rule": {"EU-04": 1}}  # fmt: skip
_VERSION: dict[str, Any] = {
    "object": "policy",
    "version": 2,
    "sha256": _HASH,
    "state": "draft",
    "is_in_force": False,
    "note": "the corridor to Myanmar is closed",
    "author": "per_019a8f2e5a0b7c1d8e2f3a4b5c6d7e90",
    "created_at": _AT,
    "published_by": None,
    "in_force_from": None,
    "tried": _TRIED,
}
_RULE = {
    "id": "BASE-04",
    "title": "The corridor is open",
    "predicate": "country_in",
    "outcome": "BLOCK",
    "options": {"countries": ["IR", "KP", "MM"]},
    "status": "in_force",
    "confidence": "high",
    "source": "FATF Recommendation 19",
    "valid_from": None,
    "valid_until": None,
}
_PACK = {
    "id": "baseline",
    "version": "2026-11-30.2",
    "title": "What every settlement must pass",
    "status": "in_force",
    "source": "FATF Recommendations 10, 15 and 16",
    "as_of": "2026-11-30",
    "confidence": "high",
    "valid_from": None,
    "valid_until": None,
    "sha256": _HASH,
    "rules": [_RULE],
}
_FLAG = {
    "object": "policy_flag",
    "rule": "BASE-21",
    "subject": "par_019a8f2e5a0b7c1d8e2f3a4b5c6d7e8f>par_019a8f2e5a0b7c1d8e2f3a4b5c6d7e91",
    "day": "2026-11-30",
    "settlement_id": _SETTLEMENT,
    "clearance_id": "clr_019a8f2e6c1f7d3e9b6a2d4c5e6f7081",
    "found": "payments below 1000 USD each reach it together per pair and 7 days",
    "at": _AT,
    "at_micros": 1795944600000000,
}
_CLEARANCE = {
    "object": "clearance",
    "clearance_id": "clr_019a8f2e6c1f7d3e9b6a2d4c5e6f7081",
    "settlement_id": _SETTLEMENT,
    "outcome": "HOLD",
    "policy_version": "v1#b5bb9d8014a0",
    "list_versions": {"ofac": _HASH},
    "inputs_hash": _HASH,
    "expires_at": "2026-11-30T10:30:00.000000Z",
    "revoked_at": None,
    "created_at": _AT,
    "is_same": True,
    "rules": [
        {
            "pack": "baseline",
            "rule": "BASE-07",
            "title": "The debtor has granted a mandate that lives",
            "source": "FATF Recommendations 10, 15 and 16",
            "confidence": "high",
            "status": "in_force",
            "verdict": "HOLD",
            "found": "no mandate that lives",
            "options": {},
            "inputs": {"payment.mandate_cap_payment_minor": None},
        }
    ],
    "flags": [],
}
_DRAFT = {
    "note": "an own pack",
    "files": {
        "own.yaml": "id: own\nversion: 1\ntitle: Our own\nstatus: in_force\nsource: the board\n"
        "as_of: 2026-11-30\nconfidence: high\nrules:\n  - id: OWN-01\n"
        "    title: Large payments are told\n    predicate: amount_at_least\n"
        "    outcome: FLAG\n    with: {units: 100000, currency: EUR}\n"
    },
}
_SAID = {
    "contract_number": "FT-2026/17",
    "purpose_code": "GOODS-IMPORT",
    "hs_codes": ["84137051"],
    "source_of_funds": "trade",
    "documents": [{"kind": "contract", "sha256": _HASH}],
}
_DECLARED = {
    "object": "trade_facts",
    "invoice_id": "inv_019a8f2e6c1f7d3e9b6a2d4c5e6f7083",
    "participant_id": "par_019a8f2e5a0b7c1d8e2f3a4b5c6d7e8f",
    "contract_registration": "",
    "mining_register_id": "",
    "kwh_of_month": None,
    "address_identifiers": [],
    "region": "",
    **_SAID,
    "declared_at": _AT,
}
_REGISTER = {
    "object": "register",
    "name": "mining_operators",
    "id": "reg_019a8f2e6c1f7d3e9b6a2d4c5e6f7084",
    "sha256": _HASH,
    "entries": 1500,
    "loaded_by": "compliance:per_019a8f2e5a0b7c1d8e2f3a4b5c6d7e90",
    "created_at": _AT,
}
_FILE = BodyShape(
    {"type": "string", "format": "binary"}, {"file": "MO-0001,an operator\nMO-0002\n"},
    ("text/csv", "application/octet-stream"),
)  # fmt: skip


def _listed(one: dict[str, Any]) -> dict[str, Any]:
    return {"object": "list", "has_more": False, "data": [one]}


COMMANDS = (
    CommandRoute("/v1/policies", policies.plan_draft, "Draft a policy",
                 body_of(policies.DraftBody, {"own": _DRAFT}), policy_shapes.PolicyVersion,
                 {**_VERSION, "tried": None}, status=201, tag="policy"),
    CommandRoute("/v1/policies/{version}/simulate", policies.plan_simulate,
                 "Try a policy on past decisions",
                 body_of(NoBody, {"plain": {}}, is_required=False), policy_shapes.PolicyTrial,
                 {"object": "policy_trial", "version": 2, **_TRIED,
                  "changed": [{"settlement_id": _SETTLEMENT, "before": "ALLOW_WITH_DATA",
                               "after": "HOLD", "gained": ["EU-04"], "lost": []}]},
                 tag="policy"),
    CommandRoute("/v1/policies/{version}/publish", policies.plan_publish,
                 "Ask for a policy to be in force",
                 body_of(policies.PublishBody, {"now": {"reason": "decided in November"}}),
                 policy_shapes.PolicyRequest,
                 {"object": "policy_request", "version": 2,
                  "approval_id": "apr_019a8f2e6c1f7d3e9b6a2d4c5e6f7083", "state": "open",
                  "what_hash": _HASH, "needed": 1,
                  "terms": {"version": 2, "sha256": _HASH, "made_on": 1, "takes_back": []},
                  "approver_roles": ["approver", "compliance"],
                  "expires_at": "2026-12-14T09:30:00.000000Z"}, status=201, tag="policy"),
    CommandRoute("/v1/registers/{name}", trades.plan_load, "Put a register's file in force",
                 _FILE, trades.Register, _REGISTER, status=201, tag="policy"),
    CommandRoute("/v1/registers/{name}/smaller", trades.plan_load_smaller,
                 "Put a register's file in force that lacks much of the last",
                 _FILE, trades.Register, _REGISTER, status=201, tag="policy"),
    CommandRoute("/v1/invoices/{invoice_id}/trade-facts", trades.plan_declare,
                 "Declare the trade behind an invoice",
                 body_of(trades.TradeFactsBody, {"goods": _SAID}), trades.TradeFacts,
                 _DECLARED, status=201, tag="invoices"),
)  # fmt: skip
QUERIES = (
    QueryRoute("/v1/policies", policies.list_policies, "List versions of the policy",
               policy_shapes.PolicyList, _listed(_VERSION), tag="policy"),
    QueryRoute("/v1/policies/{version}", policies.get_policy, "Show a version with its rules",
               policy_shapes.PolicyDetail,
               {**_VERSION, "packs": [_PACK], "files": {"baseline.yaml": "id: baseline\n…"}},
               tag="policy"),
    QueryRoute("/v1/policies/{version}/diff", policies.get_diff,
               "Show what a version says otherwise", policy_shapes.PolicyDiff,
               {"object": "policy_diff", "version": 2, "against": 1,
                "lines": ["-      countries: [IR, KP]", "+      countries: [IR, KP, MM]"]},
               tag="policy"),
    QueryRoute("/v1/policy-flags", policies.list_flags, "List flags for the supervisor",
               policy_shapes.PolicyFlagList, _listed(_FLAG), tag="policy"),
    QueryRoute("/v1/settlements/{settlement_id}/clearance", policies.get_clearance,
               "Explain the decision about a settlement", policy_shapes.ExplainedClearance,
               _CLEARANCE, tag="policy"),
    QueryRoute("/v1/registers", trades.list_registers, "List the registers in force",
               trades.RegisterList, _listed(_REGISTER), tag="policy"),
    QueryRoute("/v1/invoices/{invoice_id}/trade-facts", trades.list_declarations,
               "List what was declared of a trade", trades.TradeFactsList, _listed(_DECLARED),
               tag="invoices"),
)  # fmt: skip
