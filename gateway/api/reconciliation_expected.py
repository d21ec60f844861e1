"""Expected payments over HTTP: said by the treasury, listed with what came of them, archived."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple

import orjson
from fastapi import Query
from pydantic import Field
from sqlmodel import Session
from starlette.responses import Response

from gateway import json_body
from gateway.api.answers import TheGateway, json_answer
from gateway.api.invoice_shapes import Shape
from gateway.api.operation import Command, CommandRoute, QueryRoute, body_of
from gateway.api.paging import Limit
from gateway.context import Gateway
from gateway.idempotency import Reply
from gateway.json_body import Body
from gateway.writer import Work, one_by_one
from settlement.clock import iso
from settlement.documents.identifiers import minor_units
from settlement.errors import NotFound
from settlement.money import format_minor
from settlement.reconciliation import engine
from settlement.reconciliation.engine import expected
from settlement.reconciliation.engine.expected import ExpectedRow
from settlement.store import reading

Status = Literal["unreconciled", "partially_reconciled", "reconciled", "archived"]
Direction = Literal["credit", "debit"]
Cursor = Annotated[
    str | None,
    Query(pattern=r"^exp_[1-9][0-9]{0,17}$", description="An id, from a page before."),
]
_Text = Annotated[str, Field(min_length=1, max_length=140)]
_Day = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]


class ExpectedPayment(Shape):
    """A payment that somebody says will come or go, and how far it is reconciled."""

    object: Literal["expected_payment"]
    id: str
    owner_id: str
    direction: Direction
    currency: str
    amount_low: str
    amount_high: str
    first_day: str
    last_day: str = Field(description="Later than this, its absence is a break.")
    end_to_end_id: str | None
    reference: str | None
    counterparty: str | None
    description: str
    status: Status
    amount_reconciled: str = Field(description="What has moved in its matches.")
    amount_open: str = Field(description="What is still missing of the lower bound.")
    record_id: int | None = Field(description="What is matched; null until a run has read it.")
    created_at: str
    created_by: str
    archived_at: str | None
    archived_by: str | None


class ExpectedPaymentList(Shape):
    """A page of expected payments, newest first."""

    object: Literal["list"]
    has_more: bool
    data: list[ExpectedPayment]


class ExpectBody(Body):
    """What is expected; one of end-to-end id, reference and counterparty at least."""

    owner_id: _Text
    direction: Direction = Field(description="credit: the owner will receive; debit: will pay.")
    currency: _Text
    amount_low: _Text
    amount_high: _Text | None = Field(None, description="Left out: just the lower bound.")
    first_day: _Day
    last_day: _Day | None = Field(None, description="Left out: the first day.")
    end_to_end_id: _Text | None = None
    reference: _Text | None = Field(None, description="An invoice's number, say.")
    counterparty: _Text | None = Field(
        None, description="A participant's id; or a name, IBAN or address as the bank tells it."
    )
    description: Annotated[str, Field(max_length=140)] = ""


class ArchiveBody(Body):
    """Nothing to say."""


class _Said(NamedTuple):
    actor: str
    expectation: engine.Expectation


class _Named(NamedTuple):
    actor: str
    number: int


def list_expected(
    gateway: TheGateway,
    limit: Limit = 100,
    starting_after: Cursor = None,
    status: Annotated[Status | None, Query(description="Only these.")] = None,
    owner: Annotated[str | None, Query(max_length=64)] = None,
) -> Response:
    """What is expected and what came of it, newest first."""
    before = int(starting_after.removeprefix("exp_")) if starting_after else 2**62
    with reading(gateway.engine) as session:
        found = expected.expected_payments(
            session, limit=limit + 1, before=before, status=status, owner=owner
        )
    data = [_shown(row) for row in found[:limit]]
    return json_answer({"object": "list", "has_more": len(found) > limit, "data": data})


async def plan_expect(gateway: Gateway, command: Command) -> Work:
    """Say that a payment will come or go."""
    said = json_body.read(command.content, ExpectBody).model_dump()
    said["amount_high"] = said["amount_high"] or said["amount_low"]
    said["last_day"] = said["last_day"] or said["first_day"]
    return Work(_EXPECT, _Said(command.caller.actor, engine.Expectation(**said)))


async def plan_archive(gateway: Gateway, command: Command) -> Work:
    """Expect it no more."""
    json_body.read(command.content, ArchiveBody)
    named = command.path["expected_id"]
    number = named.removeprefix("exp_")
    if number == named or not (number.isascii() and number.isdigit() and len(number) <= 18):
        raise NotFound("expected payment", named[:40])
    return Work(_ARCHIVE, _Named(command.caller.actor, int(number)))


def _expect(session: Session, said: _Said, now: datetime) -> Reply:
    made = engine.expect(session, said.expectation, actor=said.actor, now=now)
    return Reply(201, orjson.dumps(_shown(expected.expected_payment(session, made))))


def _archive(session: Session, named: _Named, now: datetime) -> Reply:
    engine.archive(session, named.number, actor=named.actor, now=now)
    return Reply(200, orjson.dumps(_shown(expected.expected_payment(session, named.number))))


def _shown(row: ExpectedRow) -> dict[str, Any]:
    decimals = minor_units(row.currency)
    assert decimals is not None, "the currency was checked when it came in"
    return {
        "object": "expected_payment",
        "id": f"exp_{row.id}",
        "owner_id": row.owner_id,
        "direction": row.direction,
        "currency": row.currency,
        "amount_low": format_minor(row.low_minor, decimals),
        "amount_high": format_minor(row.high_minor, decimals),
        "first_day": row.first_day,
        "last_day": row.last_day,
        "end_to_end_id": row.end_to_end_id,
        "reference": row.reference,
        "counterparty": row.counterparty,
        "description": row.description,
        "status": row.status,
        "amount_reconciled": format_minor(row.reconciled_minor, decimals),
        "amount_open": format_minor(row.open_minor, decimals),
        "record_id": row.record_id,
        "created_at": iso(row.created_at),
        "created_by": row.created_by,
        "archived_at": None if row.archived_at is None else iso(row.archived_at),
        "archived_by": row.archived_by,
    }


_EXPECT, _ARCHIVE = one_by_one(_expect), one_by_one(_archive)
_ROOT = "/v1/reconciliation/expected"
_SAID = {
    "owner_id": "par_019a8f2e5a0b7c1d8e2f3a4b5c6d7e8f",
    "direction": "credit",
    "currency": "EUR",
    "amount_low": "4300.00",
    "amount_high": "4320.00",
    "first_day": "2026-10-05",
    "last_day": "2026-10-09",
    "reference": "RE-4711",
}
_EXAMPLE = {
    "object": "expected_payment",
    "id": "exp_3",
    **_SAID,
    "end_to_end_id": None,
    "counterparty": None,
    "description": "",
    "status": "unreconciled",
    "amount_reconciled": "0.00",
    "amount_open": "4300.00",
    "record_id": None,
    "created_at": "2026-10-05T09:00:00.000000Z",
    "created_by": "treasury:stk_9f86d081884c",
    "archived_at": None,
    "archived_by": None,
}

QUERIES = (
    QueryRoute(
        _ROOT,
        list_expected,
        "List expected payments",
        ExpectedPaymentList,
        {"object": "list", "has_more": False, "data": [_EXAMPLE]},
        tag="reconciliation",
    ),
)
COMMANDS = (
    CommandRoute(
        _ROOT,
        plan_expect,
        "Expect a payment",
        body_of(ExpectBody, {"within bounds": _SAID}),
        ExpectedPayment,
        _EXAMPLE,
        status=201,
        tag="reconciliation",
    ),
    CommandRoute(
        f"{_ROOT}/{{expected_id}}/archive",
        plan_archive,
        "Expect a payment no more",
        body_of(ArchiveBody, {"plain": {}}, is_required=False),
        ExpectedPayment,
        {
            **_EXAMPLE,
            "status": "archived",
            "archived_at": "2026-10-06T09:00:00.000000Z",
            "archived_by": "treasury:stk_9f86d081884c",
        },
        tag="reconciliation",
    ),
)
