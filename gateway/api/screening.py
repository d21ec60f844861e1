"""Lists and hits over HTTP: lists come in whole, a person judges who was found on them.

Staff only: who may be listed is told to no company.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Any, NamedTuple

import orjson
from fastapi import Query
from pydantic import Field
from sqlmodel import Session
from starlette.responses import Response

from gateway import json_body
from gateway.api import screening_shapes as shapes
from gateway.api.answers import TheGateway, json_answer
from gateway.api.operation import Command
from gateway.api.paging import Limit
from gateway.auth import Caller
from gateway.context import Gateway
from gateway.idempotency import Reply
from gateway.json_body import Body
from gateway.writer import Work, one_by_one
from settlement import approvals
from settlement.clock import Ids
from settlement.compliance import list_history, screening
from settlement.compliance.list_files.reading import ListFile, read_list
from settlement.compliance.screening import deciding, records
from settlement.compliance.screening.in_force import index_in_force, lists_in_force
from settlement.compliance.screening.matching import named
from settlement.compliance.screening.names import LENGTH_MAX, NameKind
from settlement.compliance.screening.records import HitFilter
from settlement.compliance.screening.subjects import Part
from settlement.errors import Invalid
from settlement.settlements.screened import KIND, release_judged
from settlement.store import reading

NAME_PATTERN = r"[a-z][a-z0-9_-]{0,39}"
_CHECKED_MAX = 20

Words = Annotated[str, Field(min_length=1, max_length=deciding.REASON_MAX)]
HitCursor = Annotated[str | None, Query(pattern=r"^hit_[0-9a-f]{32}$")]


class ReasonBody(Body):
    """What a decision rests on."""

    reason: Words


class NoBody(Body):
    """Nothing to say."""


class AssignBody(Body):
    """Who looks at it."""

    to: Annotated[str, Field(min_length=1, max_length=200)]


class CommentBody(Body):
    """What was found out."""

    comment: Words


class _File(NamedTuple):
    caller: Caller
    ids: Ids
    name: str
    content: bytes
    found: ListFile
    accept_shrinking: bool
    accept_format: bool


class _Judged(NamedTuple):
    caller: Caller
    ids: Ids
    hit_id: str
    body: Any


async def plan_load(gateway: Gateway, command: Command) -> Work:
    """Read a list file off the event loop; it is put in force whole, or refused."""
    return await _load(gateway, command)


async def plan_load_smaller(gateway: Gateway, command: Command) -> Work:
    """Put a version in force though it lacks much of the one before."""
    return await _load(gateway, command, accept_shrinking=True)


async def plan_load_other_format(gateway: Gateway, command: Command) -> Work:
    """Put a version in force though the one before is in another format."""
    return await _load(gateway, command, accept_format=True)


async def plan_load_other_format_smaller(gateway: Gateway, command: Command) -> Work:
    """Put a version in force though the one before is in another format, and holds much more."""
    return await _load(gateway, command, accept_shrinking=True, accept_format=True)


async def _load(
    gateway: Gateway,
    command: Command,
    *,
    accept_shrinking: bool = False,
    accept_format: bool = False,
) -> Work:
    name = shapes.list_name(command.path["name"])
    found = await asyncio.to_thread(read_list, name, command.content)
    item = _File(
        command.caller, gateway.ids, name, command.content, found, accept_shrinking, accept_format
    )
    return Work(_LOAD, item)


async def plan_clear(gateway: Gateway, command: Command) -> Work:
    """Say that a hit is somebody else; a close one waits for a second person."""
    return _judge(_CLEAR, gateway, command, ReasonBody)


async def plan_confirm(gateway: Gateway, command: Command) -> Work:
    """Say that a hit is the listed party."""
    return _judge(_CONFIRM, gateway, command, ReasonBody)


async def plan_assign(gateway: Gateway, command: Command) -> Work:
    """Say who looks at a hit."""
    return _judge(_ASSIGN, gateway, command, AssignBody)


async def plan_comment(gateway: Gateway, command: Command) -> Work:
    """Write down what was found out about a hit."""
    return _judge(_COMMENT, gateway, command, CommentBody)


async def plan_round(gateway: Gateway, command: Command) -> Work:
    """Begin a round over everybody; the worker goes on with it."""
    json_body.read(command.content, NoBody)
    return Work(_ROUND, _Judged(command.caller, gateway.ids, "", None))


def list_lists(gateway: TheGateway) -> Response:
    """The version in force of every list."""
    with reading(gateway.engine) as session:
        data = [shapes.version(each) for each in list_history.in_detail(session)]
    return json_answer({"object": "list", "has_more": False, "data": data})


def get_diff(
    name: str, gateway: TheGateway, version: Annotated[str, Query(max_length=60)] = ""
) -> Response:
    """What a version changed, by default the one in force."""
    with reading(gateway.engine) as session:
        version_id = list_history.version_of(session, name, version)
        found = list_history.changes(session, version_id)
    return json_answer(shapes.diff(name, version_id, found))


def list_hits(
    gateway: TheGateway,
    limit: Limit = 20,
    starting_after: HitCursor = None,
    state: Annotated[str, Query(pattern="^(|open|cleared|confirmed|lapsed)$")] = "",
    participant_id: Annotated[str, Query(max_length=64)] = "",
    list_name: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """Newest first."""
    which = HitFilter(state, participant_id, list_name)
    with reading(gateway.engine) as session:
        found = records.hits(session, which, before=starting_after or "", limit=limit + 1)
    data = [shapes.hit(each) for each in found[:limit]]
    return json_answer({"object": "list", "has_more": len(found) > limit, "data": data})


def get_hit(hit_id: str, gateway: TheGateway) -> Response:
    """One hit with its score's parts and its history."""
    with reading(gateway.engine) as session:
        return json_answer(shapes.whole(session, records.hit(session, hit_id)))


def check(
    gateway: TheGateway,
    name: Annotated[str, Query(min_length=1, max_length=LENGTH_MAX)],
    kind: Annotated[str, Query(pattern="^(person|organization|vessel|unknown)$")] = "unknown",
    country: Annotated[str, Query(pattern="^([A-Z]{2})?$")] = "",
    birth_date: Annotated[str, Query(pattern=r"^(\d{4}-\d{2}-\d{2})?$")] = "",
) -> Response:
    """The listed parties that a name may be, best first, each with the parts of its score."""
    if birth_date:
        try:
            date.fromisoformat(birth_date)
        except ValueError:
            raise Invalid(
                f"{birth_date} is no day", field="birth_date", repair="write YYYY-MM-DD"
            ) from None
    part = Part("name", "asked", name, NameKind(kind), country or None, birth_date or None)
    with reading(gateway.engine) as session:
        index = index_in_force(session, lists_in_force(session))
    found = named(part, index)[:_CHECKED_MAX]
    data = [shapes.match(each) for each in found]
    return json_answer({"object": "list", "has_more": False, "data": data})


def _judge(run: Callable[..., Any], gateway: Gateway, command: Command, model: type[Body]) -> Work:
    body = json_body.read(command.content, model)
    return Work(run, _Judged(command.caller, gateway.ids, command.path["hit_id"], body))


def _store(session: Session, item: _File, now: datetime) -> Reply:
    found = screening.put_in_force(
        session, name=item.name, content=item.content, ids=item.ids, now=now,
        actor=item.caller.actor, accept_shrinking=item.accept_shrinking,
        accept_format=item.accept_format, found=item.found,
    )  # fmt: skip
    return Reply(201, orjson.dumps(shapes.loaded(found)))


def _clear(session: Session, item: _Judged, now: datetime) -> Reply:
    found, reason = records.hit(session, item.hit_id), item.body.reason
    deciding.require_clearable(found, reason)
    if not deciding.needs_second_person(found):
        deciding.clear(session, found.id, reason=reason, actor=item.caller.actor, now=now)
        release_judged(session, now)
        return _shown(session, found.id)
    asked = approvals.ask(
        session, kind=KIND, subject=found.id, terms=deciding.clearing_terms(found, reason),
        maker=item.caller.hand, role=item.caller.role.value, reason=reason[:500],
        ids=item.ids, now=now,
    )  # fmt: skip
    return _shown(session, found.id, approval_id=asked.id)


def _confirm(session: Session, item: _Judged, now: datetime) -> Reply:
    deciding.confirm(
        session, item.hit_id, reason=item.body.reason, actor=item.caller.actor, now=now
    )
    release_judged(session, now)
    return _shown(session, item.hit_id)


def _assign(session: Session, item: _Judged, now: datetime) -> Reply:
    deciding.assign(session, item.hit_id, to=item.body.to, actor=item.caller.actor, now=now)
    return _shown(session, item.hit_id)


def _comment(session: Session, item: _Judged, now: datetime) -> Reply:
    deciding.comment(
        session, item.hit_id, words=item.body.comment, actor=item.caller.actor, now=now
    )
    return _shown(session, item.hit_id)


def _round(session: Session, item: _Judged, now: datetime) -> Reply:
    begun = screening.begin(session, actor=item.caller.actor, ids=item.ids, now=now)
    answer = {"object": "screening_round", "id": begun, "state": "running" if begun else "none"}
    return Reply(200, orjson.dumps(answer))


def _shown(session: Session, hit_id: str, *, approval_id: str | None = None) -> Reply:
    shown = shapes.whole(session, records.hit(session, hit_id))
    return Reply(200, orjson.dumps({**shown, "approval_id": approval_id}))


_LOAD, _CLEAR, _CONFIRM = one_by_one(_store), one_by_one(_clear), one_by_one(_confirm)
_ASSIGN, _COMMENT, _ROUND = one_by_one(_assign), one_by_one(_comment), one_by_one(_round)
