"""Trades and registers over HTTP: what a party declares, and what rules look things up in."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple

import orjson
from pydantic import Field
from sqlmodel import Session
from starlette.responses import Response

from gateway import json_body
from gateway.api.answers import TheCaller, TheGateway, json_answer
from gateway.api.invoice_shapes import Shape
from gateway.api.operation import Command
from gateway.auth import Caller
from gateway.context import Gateway
from gateway.idempotency import Reply
from gateway.json_body import Body
from gateway.writer import Work, one_by_one
from settlement import invoices
from settlement.clock import Ids, iso
from settlement.compliance import registers, trades
from settlement.compliance.trades import Declaration, Paper, StoredDeclaration
from settlement.settlements import declaring
from settlement.store import reading

Words = Annotated[str, Field(max_length=140)]
Texts = Annotated[list[Words], Field(max_length=100)]


class PaperBody(Body):
    """A document by its hash; the bytes stay with the party."""

    kind: Words
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class TradeFactsBody(Body):
    """What a party says of the trade behind an invoice; it replaces what it said before."""

    contract_number: Words = ""
    contract_registration: Words = ""
    purpose_code: Words = ""
    hs_codes: Texts = []
    source_of_funds: Words = ""
    mining_register_id: Words = ""
    kwh_of_month: Annotated[int | None, Field(ge=0, le=10**9)] = None
    address_identifiers: Texts = []
    region: Words = ""
    documents: Annotated[list[PaperBody], Field(max_length=100)] = []


class TradeFacts(Shape):
    """A declaration as it was made."""

    object: Literal["trade_facts"]
    invoice_id: str
    participant_id: str
    contract_number: str
    contract_registration: str
    purpose_code: str
    hs_codes: list[str]
    source_of_funds: str
    mining_register_id: str
    kwh_of_month: int | None
    address_identifiers: list[str]
    region: str
    documents: list[dict[str, str]]
    declared_at: str


class TradeFactsList(Shape):
    """All declarations about an invoice that the caller may see, newest first."""

    object: Literal["list"]
    has_more: bool
    data: list[TradeFacts]


class Register(Shape):
    """A register in force."""

    object: Literal["register"]
    name: str
    id: str
    sha256: str
    entries: int
    loaded_by: str
    created_at: str


class RegisterList(Shape):
    """Every register in force."""

    object: Literal["list"]
    has_more: bool
    data: list[Register]


@dataclass(frozen=True, slots=True)
class _Declared:
    caller: Caller
    invoice_id: str
    body: TradeFactsBody


class _File(NamedTuple):
    caller: Caller
    ids: Ids
    name: str
    content: bytes
    accept_shrinking: bool


async def plan_declare(_: Gateway, command: Command) -> Work:
    """Keep what a party says of its trade; what waited for it is judged anew."""
    body = json_body.read(command.content, TradeFactsBody)
    return Work(_DECLARE, _Declared(command.caller, command.path["invoice_id"], body))


async def plan_load(gateway: Gateway, command: Command) -> Work:
    """Put a register's file in force."""
    name, content = command.path["name"], command.content
    return Work(_LOAD, _File(command.caller, gateway.ids, name, content, accept_shrinking=False))


async def plan_load_smaller(gateway: Gateway, command: Command) -> Work:
    """Put a register's file in force though it lacks much of the one before."""
    name, content = command.path["name"], command.content
    return Work(_LOAD, _File(command.caller, gateway.ids, name, content, accept_shrinking=True))


def list_declarations(invoice_id: str, gateway: TheGateway, caller: TheCaller) -> Response:
    """What was declared of an invoice's trade; a company sees what it said itself."""
    with reading(gateway.engine) as session:
        invoices.find(session, invoice_id, party=caller.party)
        found = trades.declarations(session, invoice_id)
    data = [
        _shown(invoice_id, each) for each in found if caller.party in (None, each.participant_id)
    ]
    return json_answer({"object": "list", "has_more": False, "data": data})


def list_registers(gateway: TheGateway) -> Response:
    """Every register in force."""
    with reading(gateway.engine) as session:
        found = registers.in_force(session)
    data = [_register(each) for each in found]
    return json_answer({"object": "list", "has_more": False, "data": data})


def _declare(session: Session, wish: _Declared, now: datetime) -> Reply:
    invoices.find(session, wish.invoice_id, party=wish.caller.party)
    assert wish.caller.party is not None, "the route is a company's"
    values = wish.body.model_dump()
    papers = tuple(Paper(**each) for each in values.pop("documents"))
    for name in ("hs_codes", "address_identifiers"):
        values[name] = tuple(values[name])
    said = Declaration(**values, documents=papers)
    declaring.declare(
        session, wish.invoice_id, wish.caller.party, said, actor=wish.caller.actor, now=now
    )
    (newest, *_) = trades.declarations(session, wish.invoice_id)
    return Reply(201, orjson.dumps(_shown(wish.invoice_id, newest)))


def _load(session: Session, wish: _File, now: datetime) -> Reply:
    registers.load(
        session, name=wish.name, content=wish.content, actor=wish.caller.actor, ids=wish.ids,
        now=now, accept_shrinking=wish.accept_shrinking,
    )  # fmt: skip
    (found,) = (each for each in registers.in_force(session) if each.name == wish.name)
    return Reply(201, orjson.dumps(_register(found)))


def _shown(invoice_id: str, stored: StoredDeclaration) -> dict[str, Any]:
    return {
        "object": "trade_facts",
        "invoice_id": invoice_id,
        "participant_id": stored.participant_id,
        **asdict(stored.declaration),
        "declared_at": iso(stored.at),
    }


def _register(found: registers.RegisterVersion) -> dict[str, Any]:
    return {
        "object": "register",
        "name": found.name,
        "id": found.id,
        "sha256": found.sha256,
        "entries": found.entry_count,
        "loaded_by": found.loaded_by,
        "created_at": iso(found.created_at),
    }


_DECLARE = one_by_one(_declare)
_LOAD = one_by_one(_load)
