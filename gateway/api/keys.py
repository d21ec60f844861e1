"""API keys over HTTP: issued, rotated and revoked by an admin; a key is shown once, here.

What is stored, and how, is `settlement.access.keys`' affair.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, NamedTuple

import orjson
from fastapi import Query
from pydantic import AwareDatetime, Field
from sqlmodel import Session
from starlette.responses import Response

from gateway import access, json_body
from gateway.api.answers import TheGateway, json_answer
from gateway.api.invoice_shapes import Shape
from gateway.api.operation import Command
from gateway.api.paging import Limit
from gateway.auth import Caller
from gateway.context import Gateway
from gateway.idempotency import Reply
from gateway.json_body import Body
from gateway.refusals import OwnKey
from gateway.writer import Work, one_by_one
from settlement.access import CHECKERS, OF_A_COMPANY, Role, keys
from settlement.access.keys import NewKey, StoredKey
from settlement.clock import iso
from settlement.errors import Invalid
from settlement.store import reading

LIFETIME_DAYS = 365
"""Of a key for which nobody says when it ends."""
LIFETIME_DAYS_MAX = 731
OVERLAP_SECONDS = 86_400
OVERLAP_SECONDS_MAX = 30 * 86_400

_Person = Annotated[str, Field(pattern="^per_[0-9a-f]{32}$")]
_Participant = Annotated[str, Field(pattern="^par_[0-9a-f]{32}$")]
_Moment = Annotated[AwareDatetime, Field(strict=False, description="ISO 8601 with its zone.")]


class ApiKeyAnswer(Shape):
    """An API key; of the key itself only the prefix."""

    object: Literal["api_key"]
    prefix: str
    role: str
    participant_id: str | None
    person_id: str | None = Field(description="Whose hand it is; null: a machine's.")
    scopes: list[str] = Field(description="Groups of routes, or `read`; empty: all of the role's.")
    label: str
    per_minute: int | None = Field(description="Requests a minute; null: no limit of its own.")
    state: Literal["in_force", "expired", "revoked"]
    issued_by: str
    rotated_from: str | None
    last_used_at: str | None = Field(description="Within a minute or so.")
    expires_at: str | None
    revoked_at: str | None
    created_at: str


class IssuedKey(ApiKeyAnswer):
    """A key that was just made."""

    key: str | None = Field(description="Shown this once; null where the request is repeated.")


class ApiKeyList(Shape):
    """A page of API keys, newest first."""

    object: Literal["list"]
    has_more: bool
    data: list[ApiKeyAnswer]


class IssueBody(Body):
    """Whom a key is for, and what it may do."""

    role: Annotated[Role, Field(strict=False)]
    participant_id: _Participant | None = None
    person_id: _Person | None = None
    scopes: Annotated[list[str], Field(max_length=32)] = []
    label: Annotated[str, Field(max_length=100)] = ""
    per_minute: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    expires_at: _Moment | None = None


class RotateBody(Body):
    """How long the old key goes on beside the new one, and when the new one ends."""

    overlap_seconds: Annotated[int, Field(ge=0, le=OVERLAP_SECONDS_MAX)] = OVERLAP_SECONDS
    expires_at: _Moment | None = None


class RevokeBody(Body):
    """Nothing is needed."""


class _Act(NamedTuple):
    """What an admin does about a key."""

    gateway: Gateway
    caller: Caller
    body: Any
    prefix: str = ""


def list_keys(
    gateway: TheGateway,
    limit: Limit = 20,
    starting_after: Annotated[str | None, Query(pattern="^stk_[0-9a-f]{12}$")] = None,
    role: Annotated[Role | None, Query()] = None,
    person_id: Annotated[str | None, Query(pattern="^per_[0-9a-f]{32}$")] = None,
    participant_id: Annotated[str | None, Query(pattern="^par_[0-9a-f]{32}$")] = None,
) -> Response:
    """Every key there is or was, newest first; none can be used from here."""
    with reading(gateway.engine) as session:
        rows = keys.listed(
            session,
            limit=limit + 1,
            after=starting_after,
            role=role,
            person_id=person_id,
            participant_id=participant_id,
        )
    now = gateway.clock()
    data = [shown(row, now) for row in rows[:limit]]
    return json_answer({"object": "list", "has_more": len(rows) > limit, "data": data})


def get_key(prefix: str, gateway: TheGateway) -> Response:
    """One key by its prefix."""
    with reading(gateway.engine) as session:
        return json_answer(shown(keys.one(session, prefix), gateway.clock()))


async def plan_issue(gateway: Gateway, command: Command) -> Work:
    """Issue a key: 256 random bits, shown in this answer and never again."""
    body = json_body.read(command.content, IssueBody)
    _require_sound(body, command.caller)
    _lifetime(body.expires_at, gateway.clock())
    return Work(_ISSUE, _Act(gateway, command.caller, body))


async def plan_rotate(gateway: Gateway, command: Command) -> Work:
    """Issue a key that replaces another; both are taken until the overlap is over."""
    body = json_body.read(command.content, RotateBody)
    _lifetime(body.expires_at, gateway.clock())
    return Work(_ROTATE, _Act(gateway, command.caller, body, command.path["prefix"]))


async def plan_revoke(gateway: Gateway, command: Command) -> Work:
    """End a key at once; other gateways notice within a second."""
    body = json_body.read(command.content, RevokeBody)
    return Work(_REVOKE, _Act(gateway, command.caller, body, command.path["prefix"]))


def shown(key: StoredKey, now: datetime) -> dict[str, Any]:
    """Return a key as it is answered."""
    state = "revoked" if key.revoked_at is not None else "expired"
    return {
        "object": "api_key",
        "prefix": key.prefix,
        "role": key.role,
        "participant_id": key.participant_id,
        "person_id": key.person_id,
        "scopes": key.scopes.split(),
        "label": key.label,
        "per_minute": key.per_minute,
        "state": "in_force" if key.is_in_force(now) else state,
        "issued_by": key.issued_by,
        "rotated_from": key.rotated_from,
        "last_used_at": _moment(key.last_used_at),
        "expires_at": _moment(key.expires_at),
        "revoked_at": _moment(key.revoked_at),
        "created_at": iso(key.created_at),
    }


def _require_sound(body: IssueBody, caller: Caller) -> None:
    """Return quietly if an admin may issue such a key.

    Raises:
        Invalid: a checker without a person, an unknown scope.
        OwnKey: an admin would give themselves another role.
    """
    if body.role in CHECKERS and body.person_id is None:
        raise Invalid(
            f"a key for role {body.role} belongs to a person: four eyes are counted by person",
            field="person_id",
            repair="name the person, or register them with POST /v1/people",
        )
    if body.participant_id is not None and body.role not in OF_A_COMPANY:
        raise Invalid(
            f"role {body.role} is of no company",
            field="participant_id",
            repair="leave it out, or issue a key for role exporter or importer",
        )
    known = {*access.groups(), access.READ_ONLY}
    for scope in body.scopes:
        if scope not in known:
            raise Invalid(
                f"there is no scope {scope!r:.60}",
                field="scopes",
                repair=f"use some of {', '.join(sorted(known))}",
            )
    is_own = body.person_id is not None and body.person_id == caller.person_id
    if is_own and body.role not in (caller.role, Role.OVERSEER):
        raise OwnKey(body.role)


def _lifetime(expires: datetime | None, now: datetime) -> datetime:
    """Return when a key ends.

    Raises:
        Invalid: in the past, or more than two years ahead.
    """
    if expires is None:
        return now + timedelta(days=LIFETIME_DAYS)
    if not now < expires <= now + timedelta(days=LIFETIME_DAYS_MAX):
        raise Invalid(
            "a key ends in the future, and within two years",
            field="expires_at",
            repair="give another moment, or none: a year from now",
        )
    return expires


def _issue(session: Session, act: _Act, now: datetime) -> Reply:
    body: IssueBody = act.body
    wanted = NewKey(
        role=body.role,
        participant_id=body.participant_id,
        person_id=body.person_id,
        scopes=" ".join(dict.fromkeys(body.scopes)),
        label=body.label,
        per_minute=body.per_minute,
        expires=_lifetime(body.expires_at, now),
    )
    pepper = act.gateway.keys.pepper
    key = keys.issue(session, pepper, wanted, issued_by=act.caller.actor, now=now)
    return _shown_once(session, key, now)


def _rotate(session: Session, act: _Act, now: datetime) -> Reply:
    body: RotateBody = act.body
    key = keys.rotate(
        session,
        act.gateway.keys.pepper,
        act.prefix,
        overlap=timedelta(seconds=body.overlap_seconds),
        issued_by=act.caller.actor,
        now=now,
        expires=_lifetime(body.expires_at, now),
    )
    act.gateway.keys.forget_after(session)
    return _shown_once(session, key, now)


def _revoke(session: Session, act: _Act, now: datetime) -> Reply:
    keys.revoke(session, act.prefix, now, revoked_by=act.caller.actor)
    act.gateway.keys.forget_after(session)
    return Reply(200, orjson.dumps(shown(keys.one(session, act.prefix), now)))


def _shown_once(session: Session, key: str, now: datetime) -> Reply:
    """Return an answer with the key; the one that is kept for repetitions is without."""
    found = shown(keys.one(session, key[: keys.PREFIX_LENGTH]), now)
    kept = orjson.dumps({**found, "key": None})
    return Reply(201, orjson.dumps({**found, "key": key}), kept=kept)


def _moment(micros: int | None) -> str | None:
    return None if micros is None else iso(micros)


_ISSUE = one_by_one(_issue)
_ROTATE = one_by_one(_rotate)
_REVOKE = one_by_one(_revoke)
