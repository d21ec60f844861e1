"""Taking in trade documents: one by one (concurrent ones share a commit), or up to 1,000 at once.

The format is found from the bytes. XML and PDF are judged by the rules engine, off the event loop.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, NamedTuple

import orjson
from pydantic import Field
from sqlmodel import Session

from gateway import json_body, problems
from gateway.api import invoice_shapes as shapes
from gateway.api.operation import BodyShape, Command, CommandRoute
from gateway.auth import Caller
from gateway.context import Gateway
from gateway.idempotency import Reply
from gateway.json_body import Body
from gateway.problems import Asked
from gateway.refusals import BodyInvalid, one_fault
from gateway.writer import Outcome, Work
from settlement import invoices
from settlement.clock import Ids
from settlement.documents import intake, json_invoice
from settlement.documents.errors import DocumentRejected
from settlement.errors import RailError

BATCH_MAX = 1_000
_INLINE_MAX = 32 * 1024
"""A larger JSON document is read in a thread: the event loop has others to serve."""

_JSON = "application/json"
_MEDIA_TYPES = {
    intake.DocumentFormat.JSON: _JSON,
    intake.DocumentFormat.XML: "application/xml",
    intake.DocumentFormat.PDF: "application/pdf",
}


class BatchDocument(Body):
    """A document of any format."""

    content: Annotated[str, Field(description="The document's bytes in base64.")]


class BatchBody(Body):
    """Documents of any format; a JSON array of JSON invoices will do as well."""

    documents: Annotated[list[BatchDocument], Field(min_length=1, max_length=BATCH_MAX)]


class Intake(NamedTuple):
    """One request's documents, read; a refused one stands as its refusal."""

    ids: Ids
    caller: Caller
    read: list[invoices.Submission | RailError]
    asked: Asked


async def plan_one(gateway: Gateway, command: Command) -> Work:
    """Read one document; it is stored together with those that wait at this moment.

    Raises:
        DocumentRejected: with every rule that the document breaks.
    """
    submission = await _read(gateway, command.content, command.media_type)
    item = Intake(gateway.ids, command.caller, [submission], command.asked)
    return Work(_issue_ones, item)


async def plan_batch(gateway: Gateway, command: Command) -> Work:
    """Read up to 1,000 documents, each judged on its own.

    Raises:
        BodyUnreadable, BodyInvalid: the batch itself cannot be read.
    """
    contents = await asyncio.to_thread(_contents, command.content)
    read: list[invoices.Submission | RailError] = []
    results = await asyncio.gather(*(_read_or_refusal(gateway, content) for content in contents))
    read.extend(results)
    return Work(_issue_batches, Intake(gateway.ids, command.caller, read, command.asked))


async def _read(gateway: Gateway, content: bytes, media_type: str | None) -> invoices.Submission:
    kind = intake.format_of(content, media_type=media_type)
    if kind is not intake.DocumentFormat.JSON:
        document = await asyncio.wrap_future(gateway.rules.submit(content))
    elif len(content) <= _INLINE_MAX:
        document = intake.read_json(content)
    else:
        document = await asyncio.to_thread(intake.read_json, content)
    return invoices.Submission(document, content, _MEDIA_TYPES[kind])


async def _read_or_refusal(gateway: Gateway, content: bytes) -> invoices.Submission | RailError:
    try:
        return await _read(gateway, content, None)
    except DocumentRejected as refusal:
        return refusal


def _contents(content: bytes) -> list[bytes]:
    """Return the bytes of each document of a batch."""
    plain = json_body.plain_json(content)
    if isinstance(plain, list):
        if not 0 < len(plain) <= BATCH_MAX:
            message = f"a batch holds 1 to {BATCH_MAX} documents"
            raise BodyInvalid([one_fault("body", message, len(plain), "batch_size")])
        return [orjson.dumps(each) for each in plain]
    body = json_body.read(content, BatchBody)
    return [_decoded(place, each.content) for place, each in enumerate(body.documents)]


def _decoded(place: int, text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        field = f"documents/{place}/content"
        raise BodyInvalid([one_fault(field, "it is not base64", text, "base64")]) from error


def _issue_ones(session: Session, items: Sequence[Intake], now: datetime) -> list[Outcome]:
    """Issue the documents of requests that wait together, each request with one."""
    outcomes: list[Outcome] = [
        answer if isinstance(answer, RailError) else Reply(201, orjson.dumps(shapes.shown(answer)))
        for answer in _issued(session, [(item, item.read[0]) for item in items], now)
    ]
    return outcomes


def _issue_batches(session: Session, items: Sequence[Intake], now: datetime) -> list[Outcome]:
    outcomes: list[Outcome] = []
    for item in items:
        answers = _issued(session, [(item, each) for each in item.read], now)
        shown = [_batch_item(answer, item.asked) for answer in answers]
        issued = sum("invoice" in each for each in shown)
        batch = {
            "object": "batch",
            "issued": issued,
            "refused": len(shown) - issued,
            "items": shown,
        }
        outcomes.append(Reply(200, orjson.dumps(batch)))
    return outcomes


def _issued(
    session: Session,
    each: Sequence[tuple[Intake, invoices.Submission | RailError]],
    now: datetime,
) -> list[invoices.InvoiceRecord | RailError]:
    """Issue what was read, all callers' documents in one go; refusals stay where they stand."""
    answers: dict[int, invoices.InvoiceRecord | RailError] = {}
    by_caller: dict[Caller, list[int]] = {}
    for place, (item, read) in enumerate(each):
        if isinstance(read, RailError):
            answers[place] = read
        else:
            by_caller.setdefault(item.caller, []).append(place)
    for caller, places in by_caller.items():
        submissions = [
            read for place in places if isinstance(read := each[place][1], invoices.Submission)
        ]
        issued = invoices.issue(
            session,
            submissions,
            actor=caller.actor,
            ids=each[places[0]][0].ids,
            now=now,
            seller_id=caller.party,
        )
        answers.update(zip(places, issued, strict=True))
    return [answers[place] for place in range(len(each))]


def _batch_item(answer: invoices.InvoiceRecord | RailError, asked: Asked) -> dict[str, Any]:
    if isinstance(answer, RailError):
        problem = problems.problem(answer, asked)
        return {"status": problem["status"], "problem": problem}
    return {"status": 201, "invoice": shapes.shown(answer)}


_ONE = BodyShape(
    schema=json_invoice.INVOICE_SHAPE.json_schema(ref_template="#/components/schemas/{model}"),
    examples={"invoice": json_invoice.EXAMPLE},
    other_media_types=("application/xml", "application/pdf"),
)
_MANY = BodyShape(
    schema={
        "anyOf": [
            BatchBody.model_json_schema(ref_template="#/components/schemas/{model}"),
            {
                "type": "array",
                "minItems": 1,
                "maxItems": BATCH_MAX,
                "items": {"$ref": "#/components/schemas/JsonInvoice"},
            },
        ]
    },
    examples={
        "json_invoices": [json_invoice.EXAMPLE],
        "documents": {"documents": [{"content": "PD94bWwgdmVyc2lvbj0iMS4wIj8+"}]},
    },
)

COMMANDS = (
    CommandRoute(
        "/v1/invoices",
        plan_one,
        "Issue an invoice from UBL 2.1, CII, a Factur-X PDF or JSON",
        _ONE,
        shapes.Invoice,
        shapes.INVOICE,
        status=201,
        tag="invoices",
    ),
    CommandRoute(
        "/v1/invoices/batch",
        plan_batch,
        "Issue up to 1,000 invoices, with an answer for each",
        _MANY,
        shapes.BatchAnswer,
        {
            "object": "batch",
            "issued": 1,
            "refused": 0,
            "items": [{"status": 201, "invoice": shapes.INVOICE}],
        },
        tag="invoices",
    ),
)
