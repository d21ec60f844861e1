"""Commands at the door: admitted, read, planned, handed to the writer, answered after the commit.

Plain ASGI, for the sake of the many that come at once. Knows no noun: `api` plans.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Set
from datetime import datetime
from urllib.parse import parse_qsl

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway import access
from gateway.api.operation import Command, CommandRoute
from gateway.auth import Caller
from gateway.context import Gateway
from gateway.idempotency import Reply, RequestKey, require_valid
from gateway.problems import Asked
from gateway.refusals import (
    BodyTooLarge,
    KeyRefused,
    NoSuchRoute,
    ParametersUnknown,
    SessionRefused,
    TwoCredentials,
)
from gateway.trail import act_of
from settlement.errors import IdempotencyKeyMissing, Invalid

BODY_MAX = 10 * 1024 * 1024


async def admit(
    gateway: Gateway,
    scope: Scope,
    header: str,
    route: str,
    *,
    cookies: str | None = None,
    parameters: Set[str] = frozenset(),
) -> Caller:
    """Return the caller, noted in the scope together with the route's name.

    `parameters` are those that the route knows; a command knows none.

    Raises:
        KeyRefused, SessionRefused: no key in force, no session.
        TwoCredentials, CsrfRefused: both, or a session's request that nobody meant.
        RoleNotAllowed: not for this role.
        TooManyRequests: of strangers, or of this key.
        NoSuchRoute, Invalid: path or query that no database could keep.
        ParametersUnknown: who misspells a filter would get what is not filtered.
    """
    scope["route_name"] = route
    now = gateway.clock()
    token = None if cookies is None else gateway.sessions.token_of(cookies)
    caller = gateway.keys.remembered(header, now) if token is None else None
    if caller is None:
        caller = await _looked_up(gateway, scope, header, token, now)
    scope["caller"] = caller
    if caller.per_minute is not None:
        gateway.limits.spend_key(caller.prefix, caller.per_minute)
    access.require(caller.role, route, caller.scopes)
    _require_readable(scope)  # After the key: a stranger is told nothing but that.
    if query := scope.get("query_string"):
        asked = dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True))
        if unknown := sorted(asked.keys() - parameters):
            raise ParametersUnknown(unknown, sorted(parameters))
    return caller


def _require_readable(scope: Scope) -> None:
    """Return quietly if path and query hold no U+0000: no database keeps it.

    Raises:
        NoSuchRoute, Invalid: one of them does.
    """
    if "\0" in scope["path"]:
        raise NoSuchRoute(scope["path"].replace("\0", "%00"))
    if b"%00" in scope.get("query_string", b""):
        raise Invalid("the query holds the character U+0000", field="query", repair="leave it out")


async def _looked_up(
    gateway: Gateway, scope: Scope, header: str, token: str | None, now: datetime
) -> Caller:
    """Return the caller, asking the database; who comes without success too often has to wait.

    A good key is taken whatever else comes from its address: many share one.
    """
    address = client_address(scope)
    try:
        if token is None:
            return await asyncio.to_thread(gateway.keys.look_up, header, now)
        if header:
            raise TwoCredentials
        csrf = None if scope["method"] == "GET" else _csrf(scope)
        return await asyncio.to_thread(gateway.sessions.caller, token, now, csrf=csrf)
    except (KeyRefused, SessionRefused):
        gateway.limits.spend("failed-keys", address)
        raise


def client_address(scope: Scope) -> str:
    """Return the address at the other end of the connection; no header changes it."""
    client = scope.get("client")
    return client[0] if client else ""


def _csrf(scope: Scope) -> str:
    found = dict(scope["headers"]).get(b"x-csrf-token", b"")
    return str(found.decode("latin-1"))


def command_app(gateway: Gateway, command: CommandRoute) -> ASGIApp:
    """Return the application that answers one command."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        reply = await _perform(gateway, command, scope, receive)
        headers = [
            (b"content-type", reply.media_type.encode()),
            (b"content-length", str(len(reply.body)).encode()),
        ]
        if reply.is_replay:
            headers.append((b"idempotency-replayed", b"true"))
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body})

    return app


async def _perform(
    gateway: Gateway, command: CommandRoute, scope: Scope, receive: Receive
) -> Reply:
    headers: dict[bytes, bytes] = dict(scope["headers"])
    bearer = headers.get(b"authorization", b"").decode("latin-1")
    cookies = headers.get(b"cookie")
    caller = await admit(
        gateway,
        scope,
        bearer,
        command.name,
        cookies=None if cookies is None else cookies.decode("latin-1"),
    )
    given = headers.get(b"idempotency-key")
    if given is None:
        raise IdempotencyKeyMissing(command.name)
    path: str = scope["path"]
    route = f"{command.method} {path}"
    key = RequestKey(caller.line, route, require_valid(given.decode("latin-1")))
    content = await _body(headers.get(b"content-length", b""), receive)
    body_hash = hashlib.sha256(content).hexdigest()
    asked = Asked(path, scope["request_id"])
    media_type = headers.get(b"content-type")
    request = Command(
        caller=caller,
        path=scope.get("path_params", {}),
        content=content,
        media_type=None if media_type is None else media_type.decode("latin-1"),
        asked=asked,
    )
    await gateway.in_flight.twin(key, body_hash)
    gateway.in_flight.begin(key, body_hash)
    try:
        work = await command.plan(gateway, request)
        act = act_of(scope)._replace(
            request_id=asked.request_id, idempotency_key=key.key, body_hash=body_hash
        )
        return await gateway.writer.reply(work, key, body_hash, asked, act)
    finally:
        gateway.in_flight.end(key)


async def _body(length: bytes, receive: Receive) -> bytes:
    """Return the body.

    Raises:
        BodyTooLarge: it, or what it says of its length, is over the limit.
    """
    if length.isdigit() and int(length) > BODY_MAX:
        raise BodyTooLarge(BODY_MAX)
    message = await receive()
    content: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        return content
    parts = [content]
    size = len(content)
    while message.get("more_body", False):
        message = await receive()
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > BODY_MAX:
            raise BodyTooLarge(BODY_MAX)
        parts.append(part)
    return b"".join(parts)
