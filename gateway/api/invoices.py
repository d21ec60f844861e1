"""Invoices over HTTP: reading them, and what seller and buyer do. Taking them in is `intake`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Annotated

import orjson
from fastapi import Query
from pydantic import Field
from sqlmodel import Session
from starlette.responses import Response

from gateway import json_body
from gateway.api import invoice_shapes as shapes
from gateway.api.answers import TheCaller, TheGateway, as_file, json_answer
from gateway.api.operation import Command, CommandRoute, QueryRoute, body_of
from gateway.api.paging import Cursor, Limit, listed, page_of
from gateway.auth import Caller
from gateway.context import Gateway
from gateway.idempotency import Reply
from gateway.json_body import Body
from gateway.writer import Work, one_by_one
from settlement import invoices
from settlement.states import InvoiceState
from settlement.store import reading

MOVED_MAX = 1_000

Reason = Annotated[str, Field(min_length=1, max_length=500, description="The other side reads it.")]


class AcceptBody(Body):
    """Invoices of one buyer: all are accepted, or none."""

    invoice_ids: Annotated[list[str], Field(min_length=1, max_length=MOVED_MAX)]


class NothingBody(Body):
    """An empty object, or no body at all."""


class ReasonBody(Body):
    """Why."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Move:
    """Invoices to be moved by a caller; `reason` where the move has one."""

    caller: Caller
    invoice_ids: tuple[str, ...]
    reason: str = ""
    is_one: bool = True


def list_invoices(
    gateway: TheGateway,
    caller: TheCaller,
    limit: Limit = 20,
    starting_after: Cursor = None,
    ending_before: Cursor = None,
    number: Annotated[str | None, Query(max_length=100)] = None,
    state: InvoiceState | None = None,
    participant_id: Annotated[str | None, Query(description="Seller or buyer.")] = None,
    currency: Annotated[str | None, Query(pattern="^[A-Z]{3}$")] = None,
    type_code: Annotated[str | None, Query(pattern="^38[01]$")] = None,
    issued_from: date | None = None,
    issued_to: date | None = None,
) -> Response:
    """Newest first. Every parameter narrows the list; a company sees what it sells or buys."""
    page = page_of(limit, starting_after, ending_before)
    wanted = invoices.InvoiceFilter(
        number=number,
        state=state.value if state else None,
        currency=currency,
        participant_id=participant_id,
        type_code=type_code,
        issued_from=issued_from.isoformat() if issued_from else None,
        issued_to=issued_to.isoformat() if issued_to else None,
    )
    with reading(gateway.engine) as session:
        rows = invoices.page(
            session,
            wanted,
            limit=page.limit + 1,
            party=caller.party,
            before_id=page.before_id,
            after_id=page.after_id,
        )
    return json_answer(listed(rows, page, shapes.shown))


def get_invoice(invoice_id: str, gateway: TheGateway, caller: TheCaller) -> Response:
    """One invoice with every move that it has made."""
    with reading(gateway.engine) as session:
        invoice = invoices.find(session, invoice_id, party=caller.party)
        events = invoices.events(session, invoice_id)
    shown = shapes.shown(invoice)
    return json_answer({**shown, "events": [shapes.shown_event(event) for event in events]})


def get_document(invoice_id: str, gateway: TheGateway, caller: TheCaller) -> Response:
    """The document as it was received, byte for byte."""
    with reading(gateway.engine) as session:
        invoice = invoices.find(session, invoice_id, party=caller.party)
        document = invoices.document(session, invoice.document_sha256)
    headers = {
        "ETag": f'"{document.sha256}"',
        "Content-Disposition": as_file(invoice.id, document.media_type),
    }
    return Response(document.content, media_type=document.media_type, headers=headers)


async def plan_accept_many(gateway: Gateway, command: Command) -> Work:
    """Accept up to 1,000 invoices of the caller's company, all or none."""
    body = json_body.read(command.content, AcceptBody)
    return Work(_ACCEPT, Move(command.caller, tuple(body.invoice_ids), is_one=False))


async def plan_accept(gateway: Gateway, command: Command) -> Work:
    """Accept an invoice: from now on it is owed, and can be instructed."""
    json_body.read(command.content, NothingBody)
    return Work(_ACCEPT, Move(command.caller, (command.path["invoice_id"],)))


async def plan_query(gateway: Gateway, command: Command) -> Work:
    """Ask the seller about an invoice before accepting or rejecting it."""
    return _with_reason(_QUERY, command)


async def plan_reject(gateway: Gateway, command: Command) -> Work:
    """Refuse an invoice for good."""
    return _with_reason(_REJECT, command)


async def plan_cancel(gateway: Gateway, command: Command) -> Work:
    """Withdraw an invoice that was not accepted."""
    return _with_reason(_CANCEL, command)


def _with_reason(run: Callable, command: Command) -> Work:
    body = json_body.read(command.content, ReasonBody)
    return Work(run, Move(command.caller, (command.path["invoice_id"],), body.reason))


def _accept(session: Session, move: Move, now: datetime) -> Reply:
    invoices.accept(session, move.invoice_ids, move.caller.actor, now, buyer_id=move.caller.party)
    return _moved(session, move)


def _ask(act: Callable, session: Session, move: Move, now: datetime) -> Reply:
    act(
        session,
        move.invoice_ids,
        move.caller.actor,
        now,
        reason=move.reason,
        buyer_id=move.caller.party,
    )
    return _moved(session, move)


def _cancel(session: Session, move: Move, now: datetime) -> Reply:
    invoices.cancel(
        session,
        move.invoice_ids,
        move.caller.actor,
        now,
        reason=move.reason,
        seller_id=move.caller.party,
    )
    return _moved(session, move)


def _moved(session: Session, move: Move) -> Reply:
    if move.is_one:
        return Reply(200, orjson.dumps(shapes.shown(invoices.find(session, move.invoice_ids[0]))))
    found: Sequence[invoices.InvoiceRecord] = invoices.find_many(session, move.invoice_ids)
    shown = {"object": "list", "data": [shapes.shown(invoice) for invoice in found]}
    return Reply(200, orjson.dumps(shown))


_ACCEPT = one_by_one(_accept)
_QUERY = one_by_one(partial(_ask, invoices.query))
_REJECT = one_by_one(partial(_ask, invoices.reject))
_CANCEL = one_by_one(_cancel)

_ACCEPTED = {**shapes.INVOICE, "state": "ACCEPTED", "version": 2}
_NO_BODY = body_of(NothingBody, {"nothing": {}}, is_required=False)


def _why(words: str, state: str) -> dict[str, object]:
    return {**shapes.INVOICE, "state": state, "reason": words, "version": 2}


COMMANDS = (
    CommandRoute(
        "/v1/invoices/accept",
        plan_accept_many,
        "Accept many invoices",
        body_of(AcceptBody, {"two": {"invoice_ids": [shapes.INVOICE["id"]]}}),
        shapes.MovedInvoices,
        {"object": "list", "data": [_ACCEPTED]},
        tag="invoices",
    ),
    CommandRoute(
        "/v1/invoices/{invoice_id}/accept",
        plan_accept,
        "Accept an invoice",
        _NO_BODY,
        shapes.Invoice,
        _ACCEPTED,
        tag="invoices",
    ),
    *(
        CommandRoute(
            f"/v1/invoices/{{invoice_id}}/{move}",
            plan,
            summary,
            body_of(ReasonBody, {"reason": {"reason": words}}),
            shapes.Invoice,
            _why(words, state),
            tag="invoices",
        )
        for move, plan, summary, words, state in (
            ("query", plan_query, "Query an invoice", "40 or 48 hours?", "QUERIED"),
            ("reject", plan_reject, "Reject an invoice", "goods never arrived", "REJECTED"),
            ("cancel", plan_cancel, "Cancel an invoice", "wrong buyer", "CANCELLED"),
        )
    ),
)

QUERIES = (
    QueryRoute(
        "/v1/invoices",
        list_invoices,
        "List invoices",
        shapes.InvoiceList,
        {"object": "list", "has_more": False, "data": [shapes.INVOICE]},
        tag="invoices",
    ),
    QueryRoute(
        "/v1/invoices/{invoice_id}",
        get_invoice,
        "Read an invoice",
        shapes.InvoiceDetail,
        {**shapes.INVOICE, "events": [shapes.EVENT]},
        tag="invoices",
    ),
    QueryRoute(
        "/v1/invoices/{invoice_id}/document",
        get_document,
        "Read an invoice's document",
        None,
        "<?xml version='1.0'?>…",
        tag="invoices",
        media_type="application/xml",
        other_media_types=("application/json", "application/pdf"),
    ),
)
