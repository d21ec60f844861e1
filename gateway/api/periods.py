"""Accounting periods over HTTP: who asked to close what, and who approved it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple

import orjson
from pydantic import Field
from sqlmodel import Session
from starlette.responses import Response

from gateway import json_body
from gateway.api.answers import TheGateway, json_answer
from gateway.api.invoice_shapes import Shape
from gateway.api.operation import Command
from gateway.context import Gateway
from gateway.idempotency import Reply
from gateway.json_body import Body
from gateway.writer import Work, one_by_one
from settlement.clock import iso
from settlement.ledger import periods
from settlement.store import reading

Name = Annotated[str, Field(max_length=21, description="2026-10, or 2026-10-01_2026-10-15.")]


class Period(Shape):
    """A range of value dates whose close was asked for, or approved for good."""

    object: Literal["period"]
    id: str
    first_date: str
    last_date: str
    state: str = Field(description="open: its close is asked for; closed: it takes no entry.")
    trial_sha256: str = Field(description="Of the trial balance at the end of the last day.")
    head_seq: int = Field(description="Newest journal entry when it was added up, or closed.")
    closed_by: str
    closed_at: str
    approved_by: str | None
    approved_at: str | None


class PeriodList(Shape):
    """Every period, newest first."""

    object: Literal["list"]
    has_more: bool
    open_since: str | None = Field(description="First day that is not closed; null: none is.")
    data: list[Period]


class CloseBody(Body):
    """The period whose close is asked for."""

    period: Name


class ApproveBody(Body):
    """The close that is approved, bound to the trial balance that was seen."""

    period: Name
    trial_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Act(NamedTuple):
    """What somebody does to a period."""

    actor: str
    period: str
    trial_sha256: str = ""


def list_periods(gateway: TheGateway) -> Response:
    """What was closed, by whom, and what is asked to be."""
    with reading(gateway.engine) as session:
        found = periods.listed(session)
        since = periods.open_since(session)
    data = [shown(each) for each in found]
    return json_answer({"object": "list", "has_more": False, "open_since": since, "data": data})


def get_period(period_id: str, gateway: TheGateway) -> Response:
    """One period."""
    with reading(gateway.engine) as session:
        return json_answer(shown(periods.one(session, period_id)))


async def plan_close(gateway: Gateway, command: Command) -> Work:
    """Ask for the close of a period that is over: its trial balance is added up and kept."""
    body = json_body.read(command.content, CloseBody)
    return Work(_CLOSE, Act(command.caller.actor, body.period))


async def plan_approve(gateway: Gateway, command: Command) -> Work:
    """Close a period for good; not by the one who asked for it."""
    body = json_body.read(command.content, ApproveBody)
    return Work(_APPROVE, Act(command.caller.actor, body.period, body.trial_sha256))


def shown(period: periods.Period) -> dict[str, Any]:
    """Return a period as it is answered."""
    return {
        "object": "period",
        **period._asdict(),
        "closed_at": iso(period.closed_at),
        "approved_at": None if period.approved_at is None else iso(period.approved_at),
    }


def _close(session: Session, act: Act, now: datetime) -> Reply:
    found = periods.ask_to_close(session, act.period, actor=act.actor, now=now)
    return Reply(200, orjson.dumps(shown(found)))


def _approve(session: Session, act: Act, now: datetime) -> Reply:
    found = periods.approve_close(
        session, act.period, trial_sha256=act.trial_sha256, actor=act.actor, now=now
    )
    return Reply(200, orjson.dumps(shown(found)))


_CLOSE = one_by_one(_close)
_APPROVE = one_by_one(_approve)
