"""Balance monitors over HTTP: bounds, and which accounts are outside them."""

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
from gateway.api.units import amount, token_decimals
from gateway.context import Gateway
from gateway.idempotency import Reply
from gateway.json_body import Body
from gateway.writer import Work, one_by_one
from settlement.clock import Ids, iso
from settlement.ledger import monitors
from settlement.ledger.accounts import unit_of
from settlement.ledger.monitors import Crossing, Monitor
from settlement.store import reading

Minor = Annotated[str | None, Field(pattern=r"^-?(0|[1-9][0-9]{0,18})$")]


class MonitorCrossing(Shape):
    """An account that is outside its bounds."""

    account: str
    side: str = Field(description="below or above.")
    balance: str
    entry_seq: int
    at: str


class BalanceMonitor(Shape):
    """Bounds, both included, for each account of a pattern."""

    object: Literal["monitor"]
    id: str
    name: str
    pattern: str
    lower_minor: str | None = Field(description="Minor units of the account's unit.")
    upper_minor: str | None
    created_by: str
    created_at: str
    retired_at: str | None
    outside: list[MonitorCrossing]


class MonitorList(Shape):
    """Every monitor, oldest first."""

    object: Literal["list"]
    has_more: bool
    data: list[BalanceMonitor]


class MonitorBody(Body):
    """Bounds for an account's code, in which * stands for any characters."""

    name: Annotated[str, Field(min_length=1, max_length=monitors.NAME_MAX)]
    pattern: Annotated[str, Field(min_length=1, max_length=monitors.PATTERN_MAX)]
    lower_minor: Minor = None
    upper_minor: Minor = None


class NothingBody(Body):
    """An empty body."""


class Watch(NamedTuple):
    """Who wants what to be watched; or, with `monitor_id`, no longer."""

    actor: str
    ids: Ids
    body: MonitorBody | None
    monitor_id: str = ""


def list_monitors(gateway: TheGateway) -> Response:
    """Every monitor with the accounts that were outside its bounds at the last look."""
    with reading(gateway.engine) as session:
        tokens = token_decimals(session)
        data = [
            shown(each, monitors.outside(session, each.id), tokens)
            for each in monitors.listed(session)
        ]
    return json_answer({"object": "list", "has_more": False, "data": data})


async def plan_watch(gateway: Gateway, command: Command) -> Work:
    """Watch an account, or every account of a pattern."""
    body = json_body.read(command.content, MonitorBody)
    return Work(_WATCH, Watch(command.caller.actor, gateway.ids, body))


async def plan_retire(gateway: Gateway, command: Command) -> Work:
    """Stop watching; what was said stays."""
    json_body.read(command.content, NothingBody)
    named = command.path["monitor_id"]
    return Work(_RETIRE, Watch(command.caller.actor, gateway.ids, None, named))


def shown(monitor: Monitor, outside: list[Crossing], tokens: dict[str, int]) -> dict[str, Any]:
    """Return a monitor as it is answered."""
    return {
        "object": "monitor",
        **monitor._asdict(),
        "lower_minor": None if monitor.lower_minor is None else str(monitor.lower_minor),
        "upper_minor": None if monitor.upper_minor is None else str(monitor.upper_minor),
        "created_at": iso(monitor.created_at),
        "retired_at": None if monitor.retired_at is None else iso(monitor.retired_at),
        "outside": [
            {
                "account": each.code,
                "side": each.side,
                "balance": amount(each.balance_minor, unit_of(each.code), tokens),
                "entry_seq": each.entry_seq,
                "at": iso(each.at),
            }
            for each in outside
        ],
    }


def _watch(session: Session, asked: Watch, now: datetime) -> Reply:
    assert asked.body is not None, "the plan has read it"
    lower, upper = asked.body.lower_minor, asked.body.upper_minor
    made = monitors.watch(
        session,
        asked.body.pattern,
        name=asked.body.name,
        lower_minor=None if lower is None else int(lower),
        upper_minor=None if upper is None else int(upper),
        actor=asked.actor,
        ids=asked.ids,
        now=now,
    )
    return Reply(201, orjson.dumps(shown(made, [], {})))


def _retire(session: Session, asked: Watch, now: datetime) -> Reply:
    retired = monitors.retire(session, asked.monitor_id, now=now)
    outside = monitors.outside(session, retired.id)
    return Reply(200, orjson.dumps(shown(retired, outside, token_decimals(session))))


_WATCH = one_by_one(_watch)
_RETIRE = one_by_one(_retire)
