"""People over HTTP: who one is, who may act here, and shutting somebody out.

A password never comes this way: it is set at the machine, or by the person in the console.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple

import orjson
from fastapi import Request
from pydantic import Field
from sqlmodel import Session
from starlette.responses import Response

from gateway import access, json_body
from gateway.api.answers import TheCaller, TheGateway, json_answer
from gateway.api.invoice_shapes import Shape
from gateway.api.operation import Command
from gateway.api.paging import Cursor, Limit
from gateway.auth import Caller
from gateway.context import Gateway
from gateway.idempotency import Reply
from gateway.json_body import Body
from gateway.refusals import OwnKey
from gateway.writer import Work, one_by_one
from settlement.access import Role, Vault, people, sessions
from settlement.access.people import NewPerson, Person
from settlement.clock import iso
from settlement.errors import NotFound
from settlement.store import reading


class PersonAnswer(Shape):
    """Somebody who acts on the rail."""

    object: Literal["person"]
    id: str
    name: str | None = Field(description="Null: erased.")
    email: str | None
    role: str
    participant_id: str | None
    state: Literal["active", "disabled", "erased"]
    created_by: str
    created_at: str


class PersonList(Shape):
    """A page of people, newest first."""

    object: Literal["list"]
    has_more: bool
    data: list[PersonAnswer]


class SessionAnswer(Shape):
    """Where one is signed in."""

    object: Literal["session"]
    id: str
    method: Literal["password", "oidc"]
    address: str
    agent: str
    created_at: str
    last_seen_at: str
    expires_at: str


class Me(Shape):
    """Whose request this is, and what may be asked for."""

    object: Literal["caller"]
    hand: str = Field(description="The person, else the key: what four eyes are counted by.")
    role: str
    participant_id: str | None
    person_id: str | None
    scopes: list[str]
    routes: list[str]
    csrf_token: str | None = Field(description="Of a session: for the header X-CSRF-Token.")
    sessions: list[SessionAnswer] = Field(description="Of a person, those that are alive.")


class PersonBody(Body):
    """Who is registered. They set their password with what is printed at the machine."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    email: Annotated[str, Field(min_length=3, max_length=254)]
    role: Annotated[Role, Field(strict=False)]
    participant_id: Annotated[str, Field(pattern="^par_[0-9a-f]{32}$")] | None = None


class NothingBody(Body):
    """Nothing is needed."""


class _Act(NamedTuple):
    gateway: Gateway
    caller: Caller
    body: PersonBody | None
    id: str = ""


def get_me(request: Request, gateway: TheGateway, caller: TheCaller) -> Response:
    """Whose request this is: role, hand, routes, sessions."""
    token = gateway.sessions.token_of(request.headers.get("cookie", ""))
    found: list[sessions.PersonSession] = []
    if caller.person_id is not None:
        with reading(gateway.engine) as session:
            now = gateway.clock()
            found = sessions.alive(session, caller.person_id, now, gateway.sessions.idle)
    return json_answer(
        {
            "object": "caller",
            "hand": caller.hand,
            "role": caller.role,
            "participant_id": caller.participant_id,
            "person_id": caller.person_id,
            "scopes": caller.scopes.split(),
            "routes": sorted(access.allowed(caller.role, caller.scopes)),
            "csrf_token": None if token is None else gateway.sessions.csrf_token(token),
            "sessions": [_session_shown(each) for each in found],
        }
    )


def list_people(gateway: TheGateway, limit: Limit = 20, starting_after: Cursor = None) -> Response:
    """Everybody, newest first; whoever was erased has no name any more."""
    with reading(gateway.engine) as session:
        rows = people.listed(session, limit=limit + 1, after=starting_after)
        data = [shown(session, gateway.sign_in.vault, row) for row in rows[:limit]]
    return json_answer({"object": "list", "has_more": len(rows) > limit, "data": data})


def get_person(person_id: str, gateway: TheGateway) -> Response:
    """One person."""
    with reading(gateway.engine) as session:
        person = people.one(session, person_id)
        return json_answer(shown(session, gateway.sign_in.vault, person))


async def plan_add(gateway: Gateway, command: Command) -> Work:
    """Register a person; who signs in by an OpenID provider needs no more."""
    body = json_body.read(command.content, PersonBody)
    return Work(_ADD, _Act(gateway, command.caller, body))


async def plan_disable(gateway: Gateway, command: Command) -> Work:
    """Shut a person out at once: sessions and keys end."""
    return _planned(_DISABLE, gateway, command)


async def plan_enable(gateway: Gateway, command: Command) -> Work:
    """Let a disabled person in again; keys that ended stay ended."""
    return _planned(_ENABLE, gateway, command)


async def plan_erase(gateway: Gateway, command: Command) -> Work:
    """Delete for good what is personal of somebody; what they did stays, under their id."""
    return _planned(_ERASE, gateway, command)


async def plan_end_session(gateway: Gateway, command: Command) -> Work:
    """End one of one's own sessions."""
    json_body.read(command.content, NothingBody)
    act = _Act(gateway, command.caller, None, command.path["session_id"])
    return Work(_END_SESSION, act)


def shown(session: Session, vault: Vault, person: Person) -> dict[str, Any]:
    """Return a person as answered."""
    return {
        "object": "person",
        "id": person.id,
        "name": person.name(session, vault),
        "email": person.email(session, vault),
        "role": person.role,
        "participant_id": person.participant_id,
        "state": person.state,
        "created_by": person.created_by,
        "created_at": iso(person.created_at),
    }


def _planned(run: Any, gateway: Gateway, command: Command) -> Work:
    json_body.read(command.content, NothingBody)
    return Work(run, _Act(gateway, command.caller, None, command.path["person_id"]))


def _add(session: Session, act: _Act, now: datetime) -> Reply:
    assert act.body is not None
    gateway, body = act.gateway, act.body
    wanted = NewPerson(body.name, body.email, body.role, body.participant_id)
    person = people.add(
        session, gateway.sign_in.vault, gateway.keys.pepper, wanted,
        created_by=act.caller.actor, ids=gateway.ids, now=now,
    )  # fmt: skip
    return _reply(session, act, person.id, 201)


def _disable(session: Session, act: _Act, now: datetime) -> Reply:
    if act.id == act.caller.person_id:
        raise OwnKey(act.caller.role)
    people.disable(session, act.id, by=act.caller.actor, now=now)
    _forget_after(session, act)
    return _reply(session, act, act.id)


def _enable(session: Session, act: _Act, now: datetime) -> Reply:
    people.enable(session, act.id, now=now)
    return _reply(session, act, act.id)


def _erase(session: Session, act: _Act, now: datetime) -> Reply:
    people.erase(session, act.gateway.sign_in.vault, act.id, by=act.caller.actor, now=now)
    _forget_after(session, act)
    return _reply(session, act, act.id)


def _end_session(session: Session, act: _Act, now: datetime) -> Reply:
    if act.caller.person_id is None:
        raise NotFound("session", act.id)
    sessions.end(session, act.id, act.caller.person_id, now)
    _forget_after(session, act)
    return Reply(200, orjson.dumps({"object": "ended", "id": act.id}))


def _forget_after(session: Session, act: _Act) -> None:
    act.gateway.keys.forget_after(session)
    act.gateway.sessions.forget_after(session)


def _reply(session: Session, act: _Act, person_id: str, status: int = 200) -> Reply:
    """Return the person; what is kept for repetitions is without name and address."""
    found = shown(session, act.gateway.sign_in.vault, people.one(session, person_id))
    kept = orjson.dumps({**found, "name": None, "email": None})
    return Reply(status, orjson.dumps(found), kept=kept)


def _session_shown(each: sessions.PersonSession) -> dict[str, Any]:
    return {
        "object": "session",
        "id": each.id,
        "method": each.method,
        "address": each.address,
        "agent": each.agent,
        "created_at": iso(each.created_at),
        "last_seen_at": iso(each.last_seen_at),
        "expires_at": iso(each.expires_at),
    }


class Ended(Shape):
    """A session that is over."""

    object: Literal["ended"]
    id: str


_ADD = one_by_one(_add)
_DISABLE = one_by_one(_disable)
_ENABLE = one_by_one(_enable)
_ERASE = one_by_one(_erase)
_END_SESSION = one_by_one(_end_session)
