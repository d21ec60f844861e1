"""Approvals over HTTP: what waits for me, everything there is to be seen, and my word on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Literal, NamedTuple

import orjson
from fastapi import Query
from pydantic import Field
from sqlmodel import Session
from starlette.responses import Response

from gateway import approving, json_body
from gateway.api.answers import TheCaller, TheGateway, json_answer
from gateway.api.invoice_shapes import Shape
from gateway.api.operation import Command
from gateway.api.paging import Cursor, Limit, listed, page_of
from gateway.api.units import amount, token_decimals
from gateway.auth import Caller
from gateway.context import Gateway
from gateway.idempotency import Reply
from gateway.json_body import Body
from gateway.refusals import TotalsDiffer
from gateway.writer import Work, one_by_one
from settlement import approvals
from settlement.approvals import Approval, ApprovalFilter
from settlement.approvals.requests import REASON_MAX
from settlement.clock import iso
from settlement.errors import NotFound
from settlement.store import reading

TOGETHER_MAX = 200

_Hash = Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="As it was shown.")]
_Why = Annotated[str, Field(max_length=REASON_MAX)]
State = Literal["open", "approved", "refused", "withdrawn", "lapsed", "void"]


class DecisionAnswer(Shape):
    """What one other hand said."""

    checker: str
    checker_role: str
    verdict: str
    reason: str
    at: str


class ApprovalAnswer(Shape):
    """A request for a second person, with everything that there is to be seen."""

    id: str
    object: Literal["approval"]
    kind: str
    subject: str
    state: str
    terms: Any = Field(description="All that is approved; `what_hash` is over it.")
    what_hash: str = Field(description="To be sent back by whoever decides.")
    amount: str | None
    unit: str | None
    maker: str = Field(description="The hand that asked: it never decides.")
    maker_role: str
    approver_roles: list[str]
    needed: int = Field(description="Distinct persons.")
    approvals: int
    decisions: list[DecisionAnswer]
    matrix_version: str
    reason: str
    ended_reason: str | None
    created_at: str
    expires_at: str
    ended_at: str | None


class ApprovalList(Shape):
    """A page of requests, newest first."""

    object: Literal["list"]
    has_more: bool
    data: list[ApprovalAnswer]


class ApprovedTogether(Shape):
    """What was approved in one go, with its sums."""

    object: Literal["approvals"]
    totals: dict[str, str] = Field(description="By currency.")
    data: list[ApprovalAnswer]


class ApproveBody(Body):
    """Yes, to what was seen."""

    what_hash: _Hash
    reason: _Why = ""


class RefuseBody(Body):
    """No, and why."""

    what_hash: _Hash
    reason: Annotated[str, Field(min_length=1, max_length=REASON_MAX)]


class WithdrawBody(Body):
    """Why it is not wanted any more."""

    reason: Annotated[str, Field(min_length=1, max_length=REASON_MAX)]


class SeenBody(Body):
    """One of many."""

    id: Annotated[str, Field(pattern="^apr_[0-9a-f]{32}$")]
    what_hash: _Hash


class ApproveTogetherBody(Body):
    """Up to 200 requests, all approved or none; `totals` by currency are what was seen of them."""

    approvals: Annotated[list[SeenBody], Field(min_length=1, max_length=TOGETHER_MAX)]
    totals: dict[str, str] | None = None
    reason: _Why = ""


class _Word(NamedTuple):
    """What a caller says."""

    caller: Caller
    approval_id: str
    body: Any


def list_approvals(
    gateway: TheGateway,
    caller: TheCaller,
    limit: Limit = 20,
    starting_after: Cursor = None,
    ending_before: Cursor = None,
    mine: Annotated[bool, Query(description="Only what waits for my word.")] = False,
    state: State | None = None,
    kind: Annotated[str | None, Query(max_length=40)] = None,
    subject: Annotated[str | None, Query(max_length=80)] = None,
) -> Response:
    """Newest first. A company sees what it has asked for itself."""
    page = page_of(limit, starting_after, ending_before)
    wanted = ApprovalFilter(
        state=state,
        kind=kind,
        subject=subject,
        maker=caller.hand if caller.party is not None else None,
        waits_for_hand=caller.hand if mine else None,
        waits_for_role=caller.role.value if mine else None,
    )
    with reading(gateway.engine) as session:
        tokens = token_decimals(session)
        rows = approvals.page(
            session,
            wanted,
            limit=page.limit + 1,
            before_id=page.before_id,
            after_id=page.after_id,
        )
    return json_answer(listed(rows, page, partial(shown, tokens=tokens)))


def get_approval(approval_id: str, gateway: TheGateway, caller: TheCaller) -> Response:
    """One request, with its terms, its hash and what was said to it."""
    with reading(gateway.engine) as session:
        tokens = token_decimals(session)
        found = approvals.find(session, approval_id)
    if caller.party is not None and found.maker != caller.hand:
        raise NotFound("approval", approval_id)
    return json_answer(shown(found, tokens=tokens))


async def plan_approve(gateway: Gateway, command: Command) -> Work:
    """Approve what was seen; with the last approval needed it is done at once."""
    return _word(_APPROVE, command, ApproveBody)


async def plan_refuse(gateway: Gateway, command: Command) -> Work:
    """Refuse a request: one refusal ends it."""
    return _word(_REFUSE, command, RefuseBody)


async def plan_withdraw(gateway: Gateway, command: Command) -> Work:
    """Take back what one has asked for oneself."""
    return _word(_WITHDRAW, command, WithdrawBody)


async def plan_approve_together(gateway: Gateway, command: Command) -> Work:
    """Approve many requests, all or none, with their totals by currency."""
    body = json_body.read(command.content, ApproveTogetherBody)
    return Work(_TOGETHER, _Word(command.caller, "", body))


def shown(approval: Approval, *, tokens: Mapping[str, int]) -> dict[str, Any]:
    """Return a request as the API shows it."""
    unit = approval.unit
    return {
        "id": approval.id,
        "object": "approval",
        "kind": approval.kind,
        "subject": approval.subject,
        "state": approval.state,
        "terms": approval.terms,
        "what_hash": approval.what_hash,
        "amount": _amount(approval, tokens),
        "unit": unit,
        "maker": approval.maker,
        "maker_role": approval.maker_role,
        "approver_roles": list(approval.approver_roles),
        "needed": approval.needed,
        "approvals": len(approval.approvers),
        "decisions": [
            {
                "checker": each.checker,
                "checker_role": each.checker_role,
                "verdict": each.verdict,
                "reason": each.reason,
                "at": iso(each.at),
            }
            for each in approval.decisions
        ],
        "matrix_version": approval.matrix_version,
        "reason": approval.reason,
        "ended_reason": approval.ended_reason,
        "created_at": iso(approval.created_at),
        "expires_at": iso(approval.expires_at),
        "ended_at": None if approval.ended_at is None else iso(approval.ended_at),
    }


def _amount(approval: Approval, tokens: Mapping[str, int]) -> str | None:
    if approval.amount_minor is None or approval.unit is None:
        return None
    return amount(approval.amount_minor, approval.unit, tokens)


def _word(run: Callable, command: Command, model: type[Body]) -> Work:
    body = json_body.read(command.content, model)
    return Work(run, _Word(command.caller, command.path["approval_id"], body))


def _decided(verdict: str, session: Session, word: _Word, now: datetime) -> Reply:
    done = approving.decide(
        session,
        word.caller,
        word.approval_id,
        verdict=verdict,
        seen_hash=word.body.what_hash,
        reason=word.body.reason,
        now=now,
    )
    return Reply(200, orjson.dumps(shown(done, tokens=token_decimals(session))))


def _withdrawn(session: Session, word: _Word, now: datetime) -> Reply:
    done = approving.withdraw(
        session, word.caller, word.approval_id, reason=word.body.reason, now=now
    )
    return Reply(200, orjson.dumps(shown(done, tokens=token_decimals(session))))


def _approved_together(session: Session, word: _Word, now: datetime) -> Reply:
    body: ApproveTogetherBody = word.body
    tokens = token_decimals(session)
    done = []
    sums: dict[str, int] = {}
    # In one order everywhere: two batches that overlap do not wait for each other.
    for seen in sorted(body.approvals, key=lambda each: each.id):
        each = approving.decide(
            session,
            word.caller,
            seen.id,
            verdict="approve",
            seen_hash=seen.what_hash,
            reason=body.reason,
            now=now,
        )
        done.append(each)
        if each.unit is not None and each.amount_minor is not None:
            sums[each.unit] = sums.get(each.unit, 0) + each.amount_minor
    totals = {unit: amount(minor, unit, tokens) for unit, minor in sorted(sums.items())}
    if body.totals is not None and body.totals != totals:
        raise TotalsDiffer(totals)
    data = [shown(each, tokens=tokens) for each in done]
    return Reply(200, orjson.dumps({"object": "approvals", "totals": totals, "data": data}))


_APPROVE = one_by_one(partial(_decided, "approve"))
_REFUSE = one_by_one(partial(_decided, "refuse"))
_WITHDRAW = one_by_one(_withdrawn)
_TOGETHER = one_by_one(_approved_together)
