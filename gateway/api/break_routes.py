"""The routes of breaks, with an example of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway.api import break_bodies as bodies
from gateway.api import break_shapes as shapes
from gateway.api import breaks
from gateway.api.operation import CommandRoute, QueryRoute, body_of
from gateway.json_body import Body
from settlement.reconciliation import workbench

_ID = "brk_00064a1b2c3d4e5f0011223344556677"
_HASH = "0xb5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c"
_INVOICE = "inv_019a8f2e6c1f7d3e9b6a2d4c5e6f7081"
_REASON = "the buyer's mail of Monday names the invoice"
_ACTOR = "treasury:stk_0a1b2c3d4e5f"

BREAK: dict[str, Any] = {
    "object": "break",
    "id": _ID,
    "kind": "unattributed_deposit",
    "severity": "medium",
    "subject": f"log:{_HASH}:3",
    "reason": "par_019a… received 250.000000 TEUR from 0x70997…, and no settlement says why",
    "detail": {"amount": "250.000000 TEUR", "block": 4711},
    "proposed": "attribute",
    "party": "par_019a8f2e5a0b7c1d8e2f3a4b5c6d7e8f",
    "amount": "250.000000",
    "unit": "TEUR",
    "owner": "anna",
    "comment_count": 1,
    "reopened_count": 0,
    "version": 3,
    "age_days": 2,
    "opened_at": "2026-11-04T07:30:00Z",
    "due_at": "2026-11-09T07:30:00Z",
    "is_overdue": False,
    "closed_at": None,
    "closed_reason": None,
    "closed_by": None,
}
_EFFECT = {
    "id": "bef_019a8f2e6c1f7d3e9b6a2d4c5e6f7082",
    "act": "attribute",
    "amount": "250.000000",
    "part": None,
    "invoice_id": _INVOICE,
    "claim": "250.00",
    "entry": "je_118",
    "match_id": None,
    "settlement_id": None,
    "live": True,
    "created_at": "2026-11-06T09:00:00Z",
    "created_by": _ACTOR,
    "undone_at": None,
    "undone_by": None,
    "undone_reason": None,
}
_PROPOSAL = {
    "id": "bpr_019a8f2e6c1f7d3e9b6a2d4c5e6f7083",
    "act": "write_off",
    "terms": {"act": "write_off", "amount_minor": 250, "unit": "EUR"},
    "amount": "2.50",
    "unit": "EUR",
    "needed": 1,
    "approvals": 0,
    "state": "open",
    "reason": "a bank on the way has kept its fee",
    "proposed_by": _ACTOR,
    "decided_by": None,
    "created_at": "2026-11-05T09:00:00Z",
    "ended_at": None,
}
_WHOLE = {
    **BREAK,
    "acts": ["adjust", "assign", "attribute", "close", "comment", "match", "split"],
    "history": [
        {
            "move": "open",
            "actor": "rail",
            "reason": BREAK["reason"],
            "detail": {},
            "at": "2026-11-04T07:30:00Z",
        }
    ],
    "parts": [{"part": 1, "amount": "200.000000", "effect": None}],
    "effects": [_EFFECT],
    "proposals": [_PROPOSAL],
    "links": [{"noun": "log", "id": f"{_HASH}:3"}, {"noun": "record", "id": "812"}],
}
_AGING = {
    "object": "break_aging",
    "as_of": "2026-11-06T09:00:00Z",
    "count": 1,
    "data": [
        {
            "kind": "unattributed_deposit",
            "unit": "TEUR",
            "currency": "EUR",
            "from_days": 0,
            "count": 1,
            "amount": "250.000000",
        }
    ],
}
_ROW = {
    "line": 2,
    "break_id": _ID,
    "version": 3,
    "action": "attribute",
    "argument": "RE-2026-118",
    "reason": _REASON,
}
_OUTCOME = {
    "line": 2,
    "break_id": _ID,
    "action": "attribute",
    "outcome": "applied",
    "message": None,
    "repair": None,
}
_SEEN = {"version": 3, "reason": _REASON}

Act = tuple[str, str, type[Body], Callable[..., object], dict[str, Any]]

_ACTS: tuple[Act, ...] = (
    (
        "assign",
        "Give a break to somebody",
        bodies.AssignBody,
        lambda session, deed, body, _means: workbench.assign(session, deed, body.owner),
        {"owner": "anna", "reason": "she knows the buyer"},
    ),
    (
        "comment",
        "Comment on a break",
        bodies.CommentBody,
        lambda session, deed, _body, _means: workbench.comment(session, deed),
        {"reason": "asked the bank this morning"},
    ),
    (
        "match",
        "Match records by hand",
        bodies.MatchBody,
        lambda session, deed, body, means: workbench.match(session, deed, body.records, means),
        {**_SEEN, "records": ["812", f"{_INVOICE}:2"]},
    ),
    (
        "unmatch",
        "Undo a match",
        bodies.UnmatchBody,
        lambda session, deed, body, _means: workbench.unmatch(session, deed, body.match),
        {**_SEEN, "match": 77},
    ),
    (
        "split",
        "Split a break into parts",
        bodies.SplitBody,
        lambda session, deed, body, _means: workbench.split(session, deed, body.parts),
        {**_SEEN, "parts": ["200.00", "50.00"]},
    ),
    (
        "attribute",
        "Attribute money to an invoice",
        bodies.AttributeBody,
        lambda session, deed, body, means: workbench.attribute(
            session, deed, bodies.wanted(body), means
        ),
        {**_SEEN, "invoice": "RE-2026-118"},
    ),
    (
        "return",
        "Send money back to the debtor",
        bodies.ReturnBody,
        lambda session, deed, body, means: workbench.send_back(
            session, deed, bodies.refund(body), means
        ),
        {**_SEEN, "invoice": _INVOICE, "amount": "50.00"},
    ),
    (
        "propose",
        "Propose a write-off, an adjustment or the undoing of one",
        bodies.ProposeBody,
        lambda session, deed, body, means: workbench.propose(
            session, deed, bodies.correction(body), means
        ),
        {**_SEEN, "act": "write_off", "amount": "2.50", "against": "fees"},
    ),
    (
        "withdraw",
        "Take a proposal back",
        bodies.DecideBody,
        lambda session, deed, body, _means: workbench.withdraw(session, deed, body.proposal),
        _SEEN,
    ),
    (
        "approve",
        "Approve a proposal",
        bodies.DecideBody,
        lambda session, deed, body, means: workbench.approve(session, deed, body.proposal, means),
        {**_SEEN, "proposal": _PROPOSAL["id"]},
    ),
    (
        "refuse",
        "Refuse a proposal",
        bodies.DecideBody,
        lambda session, deed, body, _means: workbench.refuse(session, deed, body.proposal),
        _SEEN,
    ),
    (
        "undo",
        "Undo an act",
        bodies.UndoBody,
        lambda session, deed, body, means: workbench.undo(session, deed, means, body.effect),
        {**_SEEN, "effect": _EFFECT["id"]},
    ),
    (
        "reopen",
        "Open a closed break again",
        bodies.ActBody,
        lambda session, deed, _body, _means: workbench.reopen(session, deed),
        _SEEN,
    ),
    (
        "close",
        "Close a break with a reason",
        bodies.ActBody,
        lambda session, deed, _body, _means: workbench.close(session, deed),
        _SEEN,
    ),
)

QUERIES = (
    QueryRoute(
        "/v1/breaks",
        breaks.list_breaks,
        "List breaks",
        shapes.BreakList,
        {"object": "list", "has_more": False, "data": [BREAK]},
        tag="breaks",
    ),
    QueryRoute(
        "/v1/breaks/aging",
        breaks.get_aging,
        "See how old open breaks are",
        shapes.BreakAging,
        _AGING,
        tag="breaks",
    ),
    QueryRoute(
        "/v1/breaks/{break_id}",
        breaks.get_break,
        "Read a break",
        shapes.BreakDetail,
        _WHOLE,
        tag="breaks",
    ),
)
COMMANDS = (
    CommandRoute(
        "/v1/breaks/bulk",
        breaks.plan_bulk,
        "Act on many breaks",
        body_of(bodies.BulkBody, {"sheet": {"rows": [_ROW], "dry_run": True}}),
        shapes.BulkAnswer,
        {
            "object": "break_bulk",
            "is_dry_run": True,
            "applied": 1,
            "already": 0,
            "refused": 0,
            "data": [_OUTCOME],
        },
        tag="breaks",
    ),
    *(
        CommandRoute(
            f"/v1/breaks/{{break_id}}/{name}",
            breaks.plan(model, do, f"{summary}."),
            summary,
            body_of(model, {name: example}),
            shapes.BreakDetail,
            _WHOLE,
            tag="breaks",
        )
        for name, summary, model, do, example in _ACTS
    ),
)
