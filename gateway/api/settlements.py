"""Settlements over HTTP: instruct, read, stop before the claim, try again after a rejection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Annotated

import orjson
from fastapi import Query
from pydantic import Field
from sqlalchemy import bindparam, text
from sqlmodel import Session
from starlette.responses import Response

from gateway import json_body
from gateway.api import settlement_shapes as shapes
from gateway.api.answers import TheCaller, TheGateway, json_answer
from gateway.api.invoices import MOVED_MAX, NothingBody, ReasonBody
from gateway.api.operation import Command, CommandRoute, QueryRoute, body_of
from gateway.api.paging import Cursor, Limit, listed, page_of
from gateway.api.told import told
from gateway.auth import Caller
from gateway.context import Gateway
from gateway.idempotency import Reply
from gateway.json_body import Body
from gateway.writer import Work, one_by_one
from settlement.clock import Ids
from settlement.documents.identifiers import minor_units
from settlement.errors import Forbidden, NotFound
from settlement.money import parse_minor
from settlement.settlements import approving, control, instruct, records
from settlement.settlements.instruct import Instruction
from settlement.states import SettlementState
from settlement.store import reading


class InstructionBody(Body):
    """Pay an invoice, or a part of it."""

    invoice_id: str
    amount: Annotated[
        str | None,
        Field(description="In the invoice's currency; left out: all that is open.", max_length=40),
    ] = None
    execution_date: Annotated[
        date | None,
        Field(strict=False, description="Not before this day (UTC); left out: today."),
    ] = None


class InstructBody(Body):
    """Up to 1,000 instructions: all are taken, or none."""

    settlements: Annotated[list[InstructionBody], Field(min_length=1, max_length=MOVED_MAX)]


@dataclass(frozen=True, slots=True)
class Instructions:
    """What a caller wants paid."""

    caller: Caller
    wanted: tuple[InstructionBody, ...]
    ids: Ids


@dataclass(frozen=True, slots=True)
class Move:
    """A settlement to be moved by a caller."""

    caller: Caller
    settlement_id: str
    reason: str = ""


def list_settlements(
    gateway: TheGateway,
    caller: TheCaller,
    limit: Limit = 20,
    starting_after: Cursor = None,
    ending_before: Cursor = None,
    invoice_id: str | None = None,
    state: SettlementState | None = None,
    token_symbol: Annotated[str | None, Query(max_length=20)] = None,
    end_to_end_id: Annotated[str | None, Query(max_length=35)] = None,
    tx_hash: Annotated[str | None, Query(pattern="^0x[0-9a-f]{64}$")] = None,
    participant_id: Annotated[str | None, Query(description="Debtor or creditor.")] = None,
    executed_from: date | None = None,
    executed_to: date | None = None,
) -> Response:
    """Newest first. Every parameter narrows the list; a company sees what it pays or is paid."""
    page = page_of(limit, starting_after, ending_before)
    wanted = records.SettlementFilter(
        invoice_id=invoice_id,
        state=state.value if state else None,
        symbol=token_symbol,
        end_to_end_id=end_to_end_id,
        tx_hash=tx_hash,
        participant_id=participant_id,
        executed_from=executed_from.isoformat() if executed_from else None,
        executed_to=executed_to.isoformat() if executed_to else None,
    )
    with reading(gateway.engine) as session:
        rows = records.page(
            session, wanted, limit=page.limit + 1, party=caller.party,
            before_id=page.before_id, after_id=page.after_id,
        )  # fmt: skip
        answer = told(session, caller, gateway.clock(), listed(rows, page, shapes.shown))
    return json_answer(answer)


def get_settlement(settlement_id: str, gateway: TheGateway, caller: TheCaller) -> Response:
    """One settlement with every move and every decision about it."""
    with reading(gateway.engine) as session:
        settlement = records.find(session, settlement_id, party=caller.party)
        events = records.events(session, settlement_id)
        clearances = records.clearances(session, settlement_id)
        requests = approving.of_settlement(session, settlement_id)
        answer = {
            **shapes.shown(settlement),
            "events": [shapes.shown_event(event) for event in events],
            "clearances": [shapes.shown_clearance(each) for each in clearances],
            "approvals": [shapes.shown_approval(each) for each in requests],
        }
        answer = told(session, caller, gateway.clock(), answer)
    return json_answer(answer)


async def plan_instruct(gateway: Gateway, command: Command) -> Work:
    """Instruct the payment of one accepted invoice or many."""
    plain = json_body.plain_json(command.content)
    if isinstance(plain, dict) and "settlements" in plain:
        wanted = tuple(json_body.read(command.content, InstructBody).settlements)
    else:
        wanted = (json_body.read(command.content, InstructionBody),)
    return Work(_INSTRUCT, Instructions(command.caller, wanted, gateway.ids))


async def plan_hold(gateway: Gateway, command: Command) -> Work:
    """Keep a settlement from being claimed until the treasury releases it."""
    return _with_reason(_HOLD, command)


async def plan_cancel(gateway: Gateway, command: Command) -> Work:
    """End a settlement that was not claimed; its part of the invoice is open again."""
    return _with_reason(_CANCEL, command)


async def plan_release(gateway: Gateway, command: Command) -> Work:
    """Let a held settlement be cleared anew."""
    json_body.read(command.content, NothingBody)
    return Work(_RELEASE, Move(command.caller, command.path["settlement_id"]))


async def plan_retry(gateway: Gateway, command: Command) -> Work:
    """Pay a rejected settlement after all, with the sequence it has: never a second time."""
    json_body.read(command.content, NothingBody)
    return Work(_RETRY, Move(command.caller, command.path["settlement_id"]))


def _with_reason(run: Callable, command: Command) -> Work:
    body = json_body.read(command.content, ReasonBody)
    return Work(run, Move(command.caller, command.path["settlement_id"], body.reason))


_CURRENCIES = text(
    "SELECT id, currency FROM invoice WHERE id IN :ids"
    " AND (CAST(:party AS TEXT) IS NULL OR buyer_id = :party)"
).bindparams(bindparam("ids", expanding=True))


def _instruct(session: Session, order: Instructions, now: datetime) -> Reply:
    made = instruct.instruct(
        session,
        _instructions(session, order),
        actor=order.caller.actor,
        ids=order.ids,
        now=now,
        debtor_id=order.caller.party,
    )
    shown = [shapes.shown(records.find(session, settlement_id)) for settlement_id in made]
    return Reply(201, orjson.dumps({"object": "list", "data": shown}))


def _instructions(session: Session, order: Instructions) -> list[Instruction]:
    """Read the amounts in their invoices' currencies."""
    wanted = order.wanted
    ids = [each.invoice_id for each in wanted]
    rows = session.connection().execute(_CURRENCIES, {"ids": ids, "party": order.caller.party})
    currencies = {row.id: row.currency for row in rows}
    instructions = []
    for place, each in enumerate(wanted):
        if each.invoice_id not in currencies:
            raise NotFound("invoice", each.invoice_id)
        decimals = minor_units(currencies[each.invoice_id])
        assert decimals is not None, "an invoice's currency was checked when it came in"
        field = f"settlements/{place}/amount" if len(wanted) > 1 else "amount"
        minor = None if each.amount is None else parse_minor(each.amount, decimals, field=field)
        day = each.execution_date.isoformat() if each.execution_date else None
        instructions.append(Instruction(each.invoice_id, minor, day))
    return instructions


def _stop(act: Callable, session: Session, move: Move, now: datetime) -> Reply:
    _require_debtor(session, move)
    act(session, [move.settlement_id], reason=move.reason, actor=move.caller.actor, now=now)
    return _moved(session, move)


def _go_on(act: Callable, session: Session, move: Move, now: datetime) -> Reply:
    act(session, [move.settlement_id], actor=move.caller.actor, now=now)
    return _moved(session, move)


def _require_debtor(session: Session, move: Move) -> None:
    """Refuse a company that does not pay this settlement; to a stranger it does not exist."""
    party = move.caller.party
    settlement = records.find(session, move.settlement_id, party=party)
    if party not in (None, settlement.debtor_id):
        raise Forbidden("only the debtor and the treasury stop a settlement")


def _moved(session: Session, move: Move) -> Reply:
    return Reply(200, orjson.dumps(shapes.shown(records.find(session, move.settlement_id))))


_INSTRUCT = one_by_one(_instruct)
_HOLD = one_by_one(partial(_stop, control.hold))
_CANCEL = one_by_one(partial(_stop, control.cancel))
_RELEASE = one_by_one(partial(_go_on, control.release))
_RETRY = one_by_one(partial(_go_on, control.retry))

_PART = {
    "invoice_id": shapes.SETTLEMENT["invoice_id"],
    "amount": "1000.00",
    "execution_date": "2026-11-04",
}
_INSTRUCT_BODY = body_of(
    InstructBody, {"one": {"invoice_id": _PART["invoice_id"]}, "many": {"settlements": [_PART]}}
)
_NOTHING = body_of(NothingBody, {"nothing": {}}, is_required=False)
_REASON = body_of(ReasonBody, {"reason": {"reason": "goods are being inspected"}})

COMMANDS = (
    CommandRoute(
        "/v1/settlements",
        plan_instruct,
        "Instruct payment of accepted invoices",
        _INSTRUCT_BODY.either(InstructionBody),
        shapes.Instructed,
        {"object": "list", "data": [shapes.SETTLEMENT]},
        status=201,
        tag="settlements",
    ),
    *(
        CommandRoute(
            f"/v1/settlements/{{settlement_id}}/{move}",
            plan,
            summary,
            body,
            shapes.Settlement,
            {**shapes.SETTLEMENT, "state": state, "version": 2},
            tag="settlements",
        )
        for move, plan, summary, body, state in (
            ("hold", plan_hold, "Hold a settlement", _REASON, "HELD"),
            ("cancel", plan_cancel, "Cancel a settlement", _REASON, "CANCELLED"),
            ("release", plan_release, "Release a held settlement", _NOTHING, "INSTRUCTED"),
            ("retry", plan_retry, "Retry a rejected settlement", _NOTHING, "INSTRUCTED"),
        )
    ),
)

QUERIES = (
    QueryRoute(
        "/v1/settlements",
        list_settlements,
        "List settlements",
        shapes.SettlementList,
        {"object": "list", "has_more": False, "data": [shapes.SETTLEMENT]},
        tag="settlements",
    ),
    QueryRoute(
        "/v1/settlements/{settlement_id}",
        get_settlement,
        "Read a settlement",
        shapes.SettlementDetail,
        {
            **shapes.SETTLEMENT,
            "events": [shapes.EVENT],
            "clearances": [shapes.CLEARANCE],
            "approvals": [],
        },
        tag="settlements",
    ),
)
