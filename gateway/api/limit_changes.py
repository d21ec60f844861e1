"""Asking for a new, another or no limit over HTTP: a second person decides, at `/v1/approvals`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

import orjson
from pydantic import Field
from sqlmodel import Session

from gateway import json_body
from gateway.api.invoice_shapes import Shape
from gateway.api.operation import Command, CommandRoute, body_of
from gateway.auth import Caller
from gateway.context import Gateway
from gateway.idempotency import Reply
from gateway.json_body import Body
from gateway.writer import Work, one_by_one
from settlement.approvals import Approval
from settlement.clock import Ids, iso
from settlement.compliance.limits import asking, reading
from settlement.compliance.limits.asking import Maker
from settlement.compliance.limits.changing import DAYS_MAX, NAME_MAX, NewLimit
from settlement.errors import NotFound
from settlement.money import parse_minor
from settlement.store.bulk import rows

Amount = Annotated[str, Field(max_length=40, description="A decimal string of the token.")]
Why = Annotated[str, Field(min_length=1, max_length=500)]
Country = Annotated[str, Field(pattern="^[A-Z]{2}$", description="ISO 3166-1 alpha-2.")]
Party = Annotated[str, Field(max_length=60)]


class AddLimitBody(Body):
    """A limit; what is left out does not restrict."""

    name: Annotated[str, Field(min_length=1, max_length=NAME_MAX)]
    asset: Annotated[str, Field(max_length=20, description="The token's symbol.")]
    max: Amount
    period: Literal["payment", "day", "month", "rolling"]
    counted_by: Annotated[
        Literal["rule", "debtor", "creditor", "pair"],
        Field(description="What adds up: all together, or each one's own."),
    ]
    reason: Why
    days: Annotated[int, Field(ge=0, le=DAYS_MAX, description="Of a rolling limit.")] = 0
    debtor_id: Party | None = None
    creditor_id: Party | None = None
    debtor_country: Country | None = None
    creditor_country: Country | None = None


class ChangeLimitBody(Body):
    """Another sum."""

    max: Amount
    reason: Why


class RetireLimitBody(Body):
    """Why there is to be no such limit."""

    reason: Why


class LimitRequest(Shape):
    """What was asked for; nothing has changed before somebody else approves it."""

    object: Literal["limit_request"]
    limit_id: str
    approval_id: str = Field(description="To be decided about by another person.")
    state: str
    what_hash: str
    terms: dict[str, Any]
    needed: int
    approver_roles: list[str]
    expires_at: str


@dataclass(frozen=True, slots=True)
class Wish:
    """Who asks for what about which limit."""

    caller: Caller
    ids: Ids
    body: Any
    limit_id: str = ""

    @property
    def maker(self) -> Maker:
        return Maker(self.caller.hand, self.caller.role.value, self.body.reason)


async def plan_add(gateway: Gateway, command: Command) -> Work:
    """Ask for a limit; it is in force once another person has approved it."""
    body = json_body.read(command.content, AddLimitBody)
    return Work(_ADD, Wish(command.caller, gateway.ids, body))


async def plan_change(gateway: Gateway, command: Command) -> Work:
    """Ask for another sum; what is used stays used."""
    return _about(_CHANGE, gateway, command, ChangeLimitBody)


async def plan_retire(gateway: Gateway, command: Command) -> Work:
    """Ask for the end of a limit."""
    return _about(_RETIRE, gateway, command, RetireLimitBody)


def _about(run: Callable, gateway: Gateway, command: Command, model: type[Body]) -> Work:
    body = json_body.read(command.content, model)
    return Work(run, Wish(command.caller, gateway.ids, body, command.path["limit_id"]))


def _add(session: Session, wish: Wish, now: datetime) -> Reply:
    body: AddLimitBody = wish.body
    found = rows(session, "SELECT address, decimals FROM token WHERE symbol = ?", (body.asset,))
    if not found:
        raise NotFound("token", body.asset)
    token, decimals = found[0]
    wanted = NewLimit(
        name=body.name,
        token=token,
        counted_by=body.counted_by,
        period=body.period,
        max_minor=parse_minor(body.max, decimals, field="max"),
        days=body.days,
        debtor_id=body.debtor_id,
        creditor_id=body.creditor_id,
        debtor_country=body.debtor_country,
        creditor_country=body.creditor_country,
    )
    return _asked(asking.ask_add(session, wanted, wish.maker, ids=wish.ids, now=now))


def _change(session: Session, wish: Wish, now: datetime) -> Reply:
    limit = reading.found(session, wish.limit_id, now.date()).limit
    sql = "SELECT decimals FROM token WHERE address = ?"
    ((decimals,),) = rows(session, sql, (limit.token,))
    minor = parse_minor(wish.body.max, decimals, field="max")
    asked = asking.ask_change(session, limit.id, minor, wish.maker, ids=wish.ids, now=now)
    return _asked(asked)


def _retire(session: Session, wish: Wish, now: datetime) -> Reply:
    asked = asking.ask_retire(session, wish.limit_id, wish.maker, ids=wish.ids, now=now)
    return _asked(asked)


def _asked(approval: Approval) -> Reply:
    answer = {
        "object": "limit_request",
        "limit_id": approval.subject,
        "approval_id": approval.id,
        "state": approval.state,
        "what_hash": approval.what_hash,
        "terms": dict(approval.terms),
        "needed": approval.needed,
        "approver_roles": list(approval.approver_roles),
        "expires_at": iso(approval.expires_at),
    }
    return Reply(201, orjson.dumps(answer))


_ADD = one_by_one(_add)
_CHANGE = one_by_one(_change)
_RETIRE = one_by_one(_retire)

_ID = "lim_019a8f2e6c1f7d3e9b6a2d4c5e6f7081"
_NEW = {
    "name": "each debtor's day",
    "asset": "TUSD",
    "max": "250000.00",
    "period": "day",
    "counted_by": "debtor",
    "debtor_country": "AE",
    "reason": "the board's decision of November",
}
_EXAMPLE: dict[str, Any] = {
    "object": "limit_request",
    "limit_id": _ID,
    "approval_id": "apr_019a8f2e6c1f7d3e9b6a2d4c5e6f7083",
    "state": "open",
    "what_hash": "b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c",
    "terms": {"act": "change", "before_minor": 250000000000, "max_minor": 300000000000,
              "version": 1},
    "needed": 1,
    "approver_roles": ["approver", "compliance"],
    "expires_at": "2026-12-07T09:30:00.000000Z",
}  # fmt: skip

COMMANDS = (
    CommandRoute(
        "/v1/limits",
        plan_add,
        "Ask for a limit",
        body_of(AddLimitBody, {"add": _NEW}),
        LimitRequest,
        _EXAMPLE,
        status=201,
        tag="limits",
    ),
    CommandRoute(
        "/v1/limits/{limit_id}/change",
        plan_change,
        "Ask for another sum of a limit",
        body_of(ChangeLimitBody, {"change": {"max": "300000.00", "reason": "a larger contract"}}),
        LimitRequest,
        _EXAMPLE,
        status=201,
        tag="limits",
    ),
    CommandRoute(
        "/v1/limits/{limit_id}/retire",
        plan_retire,
        "Ask for the end of a limit",
        body_of(RetireLimitBody, {"retire": {"reason": "the corridor is closed"}}),
        LimitRequest,
        _EXAMPLE,
        status=201,
        tag="limits",
    ),
)
