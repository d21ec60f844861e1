"""The routes of approvals, with an example of each."""

from __future__ import annotations

from typing import Any

from gateway.api import approvals
from gateway.api.operation import CommandRoute, QueryRoute, body_of

_ID = "apr_019a8f2e6c1f7d3e9b6a2d4c5e6f7081"
_HASH = "b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c"
_SUBJECT = "stl_019a8f3b7d2e7a4c8f1b3c5d7e9f0a1b"
_WORD = {"what_hash": _HASH, "reason": "agrees with the contract"}

APPROVAL: dict[str, Any] = {
    "id": _ID,
    "object": "approval",
    "kind": "settlement",
    "subject": _SUBJECT,
    "state": "open",
    "terms": {
        "invoice_id": "inv_019a8f2e6c1f7d3e9b6a2d4c5e6f7081",
        "debtor_id": "par_019a8f2e5a0c7c1d8e2f3a4b5c6d7e90",
        "creditor_id": "par_019a8f2e5a0b7c1d8e2f3a4b5c6d7e8f",
        "amount": "300000.00 EUR",
        "execution_date": "2026-11-04",
    },
    "what_hash": _HASH,
    "amount": "300000.00",
    "unit": "EUR",
    "maker": "per_019a8f2e6c1f7d3e9b6a2d4c5e6f7099",
    "maker_role": "treasury",
    "approver_roles": ["approver"],
    "needed": 1,
    "approvals": 0,
    "decisions": [],
    "matrix_version": "2026-11-30#4d1f0a6be2c3",
    "reason": "instructed",
    "ended_reason": None,
    "created_at": "2026-11-04T09:00:00Z",
    "expires_at": "2026-11-11T09:00:00Z",
    "ended_at": None,
}
_DECISION = {
    "checker": "per_019a8f2e6c1f7d3e9b6a2d4c5e6f70aa",
    "checker_role": "approver",
    "verdict": "approve",
    "reason": _WORD["reason"],
    "at": "2026-11-04T09:30:00Z",
}
_ENDED = {"ended_at": _DECISION["at"], "ended_reason": _WORD["reason"]}
_APPROVED = {
    **APPROVAL, **_ENDED, "state": "approved", "approvals": 1, "decisions": [_DECISION],
}  # fmt: skip
_REFUSED = {
    **APPROVAL, **_ENDED, "state": "refused", "decisions": [{**_DECISION, "verdict": "refuse"}],
}  # fmt: skip

QUERIES = (
    QueryRoute(
        "/v1/approvals",
        approvals.list_approvals,
        "List what needs a second person",
        approvals.ApprovalList,
        {"object": "list", "has_more": False, "data": [APPROVAL]},
        tag="approvals",
    ),
    QueryRoute(
        "/v1/approvals/{approval_id}",
        approvals.get_approval,
        "See what is to be approved",
        approvals.ApprovalAnswer,
        APPROVAL,
        tag="approvals",
    ),
)
COMMANDS = (
    CommandRoute(
        "/v1/approvals/approve",
        approvals.plan_approve_together,
        "Approve many requests",
        body_of(
            approvals.ApproveTogetherBody,
            {
                "two": {
                    "approvals": [{"id": _ID, "what_hash": _HASH}],
                    "totals": {"EUR": "300000.00"},
                    "reason": "the week's payments",
                }
            },
        ),
        approvals.ApprovedTogether,
        {"object": "approvals", "totals": {"EUR": "300000.00"}, "data": [_APPROVED]},
        tag="approvals",
    ),
    CommandRoute(
        "/v1/approvals/{approval_id}/approve",
        approvals.plan_approve,
        "Approve a request",
        body_of(approvals.ApproveBody, {"seen": _WORD}),
        approvals.ApprovalAnswer,
        _APPROVED,
        tag="approvals",
    ),
    CommandRoute(
        "/v1/approvals/{approval_id}/refuse",
        approvals.plan_refuse,
        "Refuse a request",
        body_of(approvals.RefuseBody, {"seen": _WORD}),
        approvals.ApprovalAnswer,
        _REFUSED,
        tag="approvals",
    ),
    CommandRoute(
        "/v1/approvals/{approval_id}/withdraw",
        approvals.plan_withdraw,
        "Take a request back",
        body_of(approvals.WithdrawBody, {"why": {"reason": "the wrong invoice"}}),
        approvals.ApprovalAnswer,
        {**APPROVAL, **_ENDED, "state": "withdrawn"},
        tag="approvals",
    ),
)
