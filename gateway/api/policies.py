"""Policies over HTTP: versions, drafts, trials on history, and asking for one to be in force."""

from __future__ import annotations

import difflib
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
from fastapi import Query
from pydantic import Field
from sqlmodel import Session
from starlette.responses import Response

from gateway import json_body
from gateway.api import policy_shapes as shapes
from gateway.api.answers import TheGateway, json_answer
from gateway.api.operation import Command
from gateway.api.paging import Limit
from gateway.api.reconciliation_shapes import NoBody
from gateway.auth import Caller
from gateway.context import Gateway
from gateway.idempotency import Reply
from gateway.json_body import Body
from gateway.writer import Work, one_by_one
from settlement.clock import Ids, iso
from settlement.compliance import explaining, flags, policies, publishing, trying
from settlement.errors import NotFound
from settlement.store import reading

FILES_MAX = 100
_VERSION_DIGITS = 9
FileName = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,60}\.(yaml|csv)$")]
Before = Annotated[int, Query(ge=1, le=2**53)]


class DraftBody(Body):
    """Files that are to be other than in the version in force; null takes one away."""

    note: Annotated[str, Field(min_length=1, max_length=500)]
    files: Annotated[dict[FileName, str | None], Field(max_length=FILES_MAX)]


class PublishBody(Body):
    """Why, and from when; without a moment at once."""

    reason: Annotated[str, Field(min_length=1, max_length=500)]
    in_force_from: Annotated[datetime | None, Field(strict=False)] = None


@dataclass(frozen=True, slots=True)
class _Wish:
    caller: Caller
    ids: Ids
    version: int
    body: Any = None


async def plan_draft(gateway: Gateway, command: Command) -> Work:
    """Keep a draft; a fault is told with its file and line."""
    body = json_body.read(command.content, DraftBody)
    return Work(_DRAFT, _Wish(command.caller, gateway.ids, 0, body))


async def plan_simulate(gateway: Gateway, command: Command) -> Work:
    """Try a version on past decisions; what it came to is kept with it."""
    json_body.read(command.content, NoBody)
    return Work(_SIMULATE, _Wish(command.caller, gateway.ids, _version(command.path["version"])))


async def plan_publish(gateway: Gateway, command: Command) -> Work:
    """Ask for a draft to be in force; another person decides."""
    body = json_body.read(command.content, PublishBody)
    version = _version(command.path["version"])
    return Work(_PUBLISH, _Wish(command.caller, gateway.ids, version, body))


def list_policies(gateway: TheGateway, limit: Limit = 50, before: Before = 2**53) -> Response:
    """Versions of the policy, newest first."""
    with reading(gateway.engine) as session:
        found = policies.listed(session, before=before, limit=limit + 1)
        current = policies.current(session, gateway.clock())
    data = [shapes.version(each, current) for each in found[:limit]]
    return json_answer({"object": "list", "has_more": len(found) > limit, "data": data})


def get_policy(version: str, gateway: TheGateway) -> Response:
    """A version with its packs, rules and files."""
    number = _version(version)
    with reading(gateway.engine) as session:
        stored = policies.get(session, number)
        files = policies.files_of(session, number)
        parsed = policies.parsed(session, number)
        current = policies.current(session, gateway.clock())
    answer = shapes.version(stored, current)
    answer["packs"] = [shapes.pack(each) for each in parsed.packs]
    answer["files"] = {name: content.decode() for name, content in files.items()}
    return json_answer(answer)


def get_diff(
    version: str, gateway: TheGateway, against: Annotated[int | None, Query(ge=1)] = None
) -> Response:
    """What the files of a version say otherwise than those of another, of that in force if none."""
    number = _version(version)
    with reading(gateway.engine) as session:
        new = policies.files_of(session, number)
        other = against or policies.current(session, gateway.clock()) or number
        old = policies.files_of(session, other)
    lines: list[str] = []
    for name in sorted({*old, *new}):
        sides = (old.get(name, b""), new.get(name, b""))
        before, after = (side.decode().splitlines() for side in sides)
        lines += difflib.unified_diff(
            before, after, f"{other}/{name}", f"{number}/{name}", lineterm=""
        )
    return json_answer(
        {"object": "policy_diff", "version": number, "against": other, "lines": lines}
    )


def get_clearance(settlement_id: str, gateway: TheGateway) -> Response:
    """Why a settlement came out as it did: each rule with what it looked at and its verdict."""
    with reading(gateway.engine) as session:
        found = explaining.why(session, settlement_id)
    answer = {"object": "clearance", **asdict(found)}
    for name in ("expires_at", "revoked_at", "created_at"):
        answer[name] = None if answer[name] is None else iso(answer[name])
    answer["flags"] = [shapes.flag(each) for each in found.flags]
    return json_answer(answer)


def list_flags(
    gateway: TheGateway, limit: Limit = 50, before: Annotated[int, Query(ge=0, le=2**53)] = 2**53
) -> Response:
    """What rules told the supervisor without changing an outcome, newest first.

    `before` is the `at_micros` of the last one of the page before.
    """
    with reading(gateway.engine) as session:
        found = flags.listed(session, before=before, limit=limit + 1)
    data = [shapes.flag(each) for each in found[:limit]]
    return json_answer({"object": "list", "has_more": len(found) > limit, "data": data})


def _draft(session: Session, wish: _Wish, now: datetime) -> Reply:
    changes = {
        name: None if content is None else content.encode()
        for name, content in wish.body.files.items()
    }
    stored = policies.draft(session, changes, note=wish.body.note, actor=wish.caller.hand, now=now)
    return Reply(201, orjson.dumps(shapes.version(stored, policies.in_force(session, now))))


def _simulate(session: Session, wish: _Wish, now: datetime) -> Reply:
    trial = trying.simulate(session, wish.version, now)
    return Reply(200, orjson.dumps({"object": "policy_trial", **asdict(trial)}))


def _publish(session: Session, wish: _Wish, now: datetime) -> Reply:
    moment = wish.body.in_force_from
    if moment is not None and moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    asked = publishing.ask(
        session, wish.version, in_force_from=moment, hand=wish.caller.hand,
        role=wish.caller.role.value, reason=wish.body.reason, ids=wish.ids, now=now,
    )  # fmt: skip
    answer = {
        "object": "policy_request",
        "version": wish.version,
        "approval_id": asked.id,
        "state": asked.state,
        "what_hash": asked.what_hash,
        "terms": dict(asked.terms),
        "needed": asked.needed,
        "approver_roles": list(asked.approver_roles),
        "expires_at": iso(asked.expires_at),
    }
    return Reply(201, orjson.dumps(answer))


def _version(text: str) -> int:
    """Return a version's number.

    Raises:
        NotFound: it is none.
    """
    if not (text.isascii() and text.isdecimal()) or len(text) > _VERSION_DIGITS:
        raise NotFound("policy", text)
    return int(text)


_DRAFT = one_by_one(_draft)
_SIMULATE = one_by_one(_simulate)
_PUBLISH = one_by_one(_publish)
