"""Requests for information over HTTP: asked and accepted by compliance, answered by the party."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

import orjson
from pydantic import Field
from sqlmodel import Session
from starlette.responses import Response

from gateway import json_body
from gateway.api.answers import TheCaller, TheGateway, as_file, json_answer
from gateway.api.operation import Command
from gateway.api.paging import Cursor, Limit, listed, page_of
from gateway.auth import Caller
from gateway.context import Gateway
from gateway.idempotency import Reply
from gateway.json_body import Body
from gateway.writer import Work, one_by_one
from settlement.clock import Ids, iso
from settlement.compliance.inquiries import Attachment, AttachmentRefused, asking, reading
from settlement.compliance.inquiries.attachments import ATTACHMENTS_MAX
from settlement.compliance.inquiries.reading import Inquiry, InquiryFilter
from settlement.settlements import inquiring
from settlement.states import InquiryState
from settlement.store import reading as reading_store

Words = Annotated[str, Field(min_length=1, max_length=asking.WORDS_MAX)]
Day = Annotated[date, Field(strict=False, description="The last day (UTC) that is in time.")]


class AskBody(Body):
    """A question to one of a payment's parties."""

    settlement_id: Annotated[str, Field(max_length=60)]
    asked_of: Annotated[str, Field(max_length=60, description="Its debtor or its creditor.")]
    question: Words
    due_date: Day


class AttachmentBody(Body):
    """A file: PDF, PNG, JPEG, XML or plain text of at most 5 MB."""

    kind: Annotated[str, Field(max_length=40)]
    filename: Annotated[str, Field(max_length=200)]
    media_type: Annotated[str, Field(max_length=100)]
    content: Annotated[str, Field(description="Base64.")]


class AnswerBody(Body):
    """What the party says, with its files."""

    words: Words
    attachments: Annotated[list[AttachmentBody], Field(max_length=ATTACHMENTS_MAX)] = []


class AskAgainBody(Body):
    """What is still wanted, and by when."""

    question: Words
    due_date: Day


class AcceptBody(Body):
    """What was found, if it is worth a word."""

    reason: Annotated[str, Field(max_length=asking.WORDS_MAX)] = ""


class CancelBody(Body):
    """Why nothing is asked any more."""

    reason: Words


@dataclass(frozen=True, slots=True)
class Turn:
    """Who does what to which inquiry."""

    caller: Caller
    ids: Ids
    body: Any
    inquiry_id: str = ""
    attachments: tuple[Attachment, ...] = ()


def list_inquiries(
    gateway: TheGateway,
    caller: TheCaller,
    limit: Limit = 20,
    starting_after: Cursor = None,
    ending_before: Cursor = None,
    state: InquiryState | None = None,
    settlement_id: str | None = None,
) -> Response:
    """Newest first. A company sees what is asked of it."""
    page = page_of(limit, starting_after, ending_before)
    wanted = InquiryFilter(state.value if state else None, settlement_id, caller.party)
    with reading_store(gateway.engine) as session:
        found = reading.page(
            session, wanted, limit=page.limit + 1, before_id=page.before_id, after_id=page.after_id
        )
    return json_answer(listed(found, page, shown))


def get_inquiry(inquiry_id: str, gateway: TheGateway, caller: TheCaller) -> Response:
    """One inquiry with every turn of its thread and the files that came."""
    with reading_store(gateway.engine) as session:
        found = reading.find(session, inquiry_id, party=caller.party)
        return json_answer(whole(session, found))


def get_attachment(
    inquiry_id: str, attachment_id: str, gateway: TheGateway, caller: TheCaller
) -> Response:
    """A file as it came; never shown by a browser by itself."""
    with reading_store(gateway.engine) as session:
        reading.find(session, inquiry_id, party=caller.party)
        _name, media_type, content = reading.content(session, inquiry_id, attachment_id)
    # Its own name is in the inquiry: a header is no place for what a stranger wrote.
    headers = {"Content-Disposition": as_file(attachment_id, media_type)}
    return Response(content, media_type=media_type, headers=headers)


async def plan_ask(gateway: Gateway, command: Command) -> Work:
    """Ask one of a payment's parties; the payment is held until the answer is accepted."""
    body = json_body.read(command.content, AskBody)
    return Work(_ASK, Turn(command.caller, gateway.ids, body))


async def plan_answer(gateway: Gateway, command: Command) -> Work:
    """Answer what is asked of your company, with files."""
    body = json_body.read(command.content, AnswerBody)
    files = tuple(_decoded(each, place) for place, each in enumerate(body.attachments))
    named = command.path["inquiry_id"]
    return Work(_ANSWER, Turn(command.caller, gateway.ids, body, named, files))


async def plan_ask_again(gateway: Gateway, command: Command) -> Work:
    """Ask on, with a new date."""
    return _turn(_ASK_AGAIN, gateway, command, AskAgainBody)


async def plan_accept(gateway: Gateway, command: Command) -> Work:
    """Accept the answer; the payment is cleared anew if nothing else holds it."""
    return _turn(_ACCEPT, gateway, command, AcceptBody)


async def plan_cancel(gateway: Gateway, command: Command) -> Work:
    """End an inquiry without its answer, with a reason."""
    return _turn(_CANCEL, gateway, command, CancelBody)


def shown(inquiry: Inquiry) -> dict[str, Any]:
    """Return an inquiry as it is listed."""
    return {
        "object": "inquiry",
        **inquiry._asdict(),
        "created_at": iso(inquiry.created_at),
        "closed_at": None if inquiry.closed_at is None else iso(inquiry.closed_at),
    }


def whole(session: Session, inquiry: Inquiry) -> dict[str, Any]:
    """Return an inquiry with its thread and its files."""
    return {
        **shown(inquiry),
        "thread": [
            {**each._asdict(), "at": iso(each.at)} for each in reading.thread(session, inquiry.id)
        ],
        "attachments": [
            {**each._asdict(), "at": iso(each.at)}
            for each in reading.attachments(session, inquiry.id)
        ],
    }


def _turn(run: Callable, gateway: Gateway, command: Command, model: type[Body]) -> Work:
    body = json_body.read(command.content, model)
    return Work(run, Turn(command.caller, gateway.ids, body, command.path["inquiry_id"]))


def _decoded(body: AttachmentBody, place: int) -> Attachment:
    try:
        content = base64.b64decode(body.content, validate=True)
    except (binascii.Error, ValueError) as error:
        field = f"/attachments/{place}/content"
        raise AttachmentRefused("the content is no Base64", field=field) from error
    return Attachment(body.kind, body.filename, body.media_type, content)


def _ask(session: Session, turn: Turn, now: datetime) -> Reply:
    body: AskBody = turn.body
    made = inquiring.ask(
        session, body.settlement_id, asked_of=body.asked_of, question=body.question,
        due=body.due_date, actor=turn.caller.actor, ids=turn.ids, now=now,
    )  # fmt: skip
    return Reply(201, orjson.dumps(whole(session, made)))


def _answer(session: Session, turn: Turn, now: datetime) -> Reply:
    party = turn.caller.party
    assert party is not None, "only a company's key may use the route"
    answered = asking.answer(
        session, turn.inquiry_id, words=turn.body.words, attachments=turn.attachments,
        party=party, actor=turn.caller.actor, ids=turn.ids, now=now,
    )  # fmt: skip
    return Reply(200, orjson.dumps(whole(session, answered)))


def _ask_again(session: Session, turn: Turn, now: datetime) -> Reply:
    body: AskAgainBody = turn.body
    asked = asking.ask_again(
        session, turn.inquiry_id, question=body.question, due=body.due_date,
        actor=turn.caller.actor, now=now,
    )  # fmt: skip
    return Reply(200, orjson.dumps(whole(session, asked)))


def _end(move: str) -> Callable[[Session, Turn, datetime], Reply]:
    def end(session: Session, turn: Turn, now: datetime) -> Reply:
        ended = inquiring.end(
            session, turn.inquiry_id, move, reason=turn.body.reason,
            actor=turn.caller.actor, now=now,
        )  # fmt: skip
        return Reply(200, orjson.dumps(whole(session, ended)))

    return end


_ASK = one_by_one(_ask)
_ANSWER = one_by_one(_answer)
_ASK_AGAIN = one_by_one(_ask_again)
_ACCEPT = one_by_one(_end("accept"))
_CANCEL = one_by_one(_end("cancel"))
