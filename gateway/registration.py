"""Registering routes: who may use them is checked before anything of theirs runs.

A query is FastAPI's own affair from there on; a command goes to the writer, with its key.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from gateway import access
from gateway.api.operation import Command, CommandRoute, QueryRoute
from gateway.auth import Caller
from gateway.context import Gateway
from gateway.idempotency import Reply, RequestKey, require_valid
from gateway.problems import Asked
from gateway.refusals import BodyTooLarge
from settlement.errors import IdempotencyKeyMissing

BODY_MAX = 10 * 1024 * 1024

RouteHandler = Callable[[Request], Coroutine[Any, Any, Response]]


class GuardedRoute(APIRoute):
    """A route that is closed to everybody whom `access` does not name."""

    def get_route_handler(self) -> RouteHandler:
        inner = super().get_route_handler()
        name = f"{next(iter(self.methods))} {self.path}"

        async def guarded(request: Request) -> Response:
            await _admit(request, name)
            return await inner(request)

        return guarded


class OpenRoute(APIRoute):
    """A route that needs no key."""

    def get_route_handler(self) -> RouteHandler:
        inner = super().get_route_handler()
        name = f"GET {self.path}"

        async def opened(request: Request) -> Response:
            request.scope["route_name"] = name
            return await inner(request)

        return opened


def register(app: FastAPI, commands: Iterable[CommandRoute], queries: Iterable[QueryRoute]) -> None:
    """Add every route to the application."""
    for command in commands:
        app.router.add_api_route(
            command.path,
            _documented(command),
            methods=[command.method],
            status_code=command.status,
            response_model=command.answer,
            summary=command.summary,
            tags=[command.tag],
            operation_id=_operation_id(command.name),
            description=(command.plan.__doc__ or "").partition("\n")[0],
            responses={command.status: _example(command.example)},
            route_class_override=_command_route(command),
        )
    for query in queries:
        _add_query(app, query, GuardedRoute)


def open_to_all(
    app: FastAPI,
    queries: Iterable[QueryRoute],
    pages: Iterable[tuple[str, Callable[..., Response]]],
) -> None:
    """Add the routes that need no key: health, metrics, documentation."""
    for query in queries:
        _add_query(app, query, OpenRoute)
    for path, endpoint in pages:
        app.router.add_api_route(
            path, endpoint, include_in_schema=False, route_class_override=OpenRoute
        )


def _add_query(app: FastAPI, query: QueryRoute, route_class: type[APIRoute]) -> None:
    response_class = JSONResponse if query.media_type == "application/json" else Response
    app.router.add_api_route(
        query.path,
        query.endpoint,
        methods=[query.method],
        response_model=query.answer,
        response_class=response_class,
        summary=query.summary,
        tags=[query.tag],
        operation_id=_operation_id(query.name),
        responses={200: _example(query.example, query.media_type)},
        route_class_override=route_class,
    )


def let_errors_through(app: FastAPI) -> None:
    """Take FastAPI's own error answers away: the doorway writes them all, in one shape."""

    async def raised_again(_request: Request, error: Exception) -> Response:
        raise error

    app.exception_handlers.clear()
    app.exception_handlers[HTTPException] = raised_again


async def _admit(request: Request, name: str) -> Caller:
    """Return the caller, noted in the scope.

    Raises:
        KeyRefused: no key in force.
        RoleNotAllowed: not for this role.
    """
    gateway: Gateway = request.app.state.gateway
    scope = request.scope
    scope["route_name"] = name
    header = request.headers.get("authorization", "")
    now = gateway.clock()
    caller = gateway.keys.remembered(header, now)
    if caller is None:
        caller = await asyncio.to_thread(gateway.keys.look_up, header, now)
    scope["caller"] = caller
    access.require(caller.role, name)
    return caller


def _command_route(command: CommandRoute) -> type[APIRoute]:
    """Return a route class whose handler is this command's."""

    class _Route(APIRoute):
        def get_route_handler(self) -> RouteHandler:
            async def handler(request: Request) -> Response:
                return await _perform(command, request)

            return handler

    return _Route


async def _perform(command: CommandRoute, request: Request) -> Response:
    """Answer a command: admit, read, plan, hand to the writer, wait for the commit."""
    caller = await _admit(request, command.name)
    gateway: Gateway = request.app.state.gateway
    given = request.headers.get("idempotency-key")
    if given is None:
        raise IdempotencyKeyMissing(command.name)
    path: str = request.scope["path"]
    key = RequestKey(caller.prefix, f"{command.method} {path}", require_valid(given))
    content = await _body(request)
    body_hash = hashlib.sha256(content).hexdigest()
    asked = Asked(path, request.scope["request_id"])
    await gateway.in_flight.twin(key, body_hash)
    gateway.in_flight.begin(key, body_hash)
    try:
        work = await command.plan(
            gateway,
            Command(
                caller, request.path_params, content, request.headers.get("content-type"), asked
            ),
        )
        reply = await gateway.writer.reply(work, key, body_hash, asked)
    finally:
        gateway.in_flight.end(key)
    return _response(reply)


def _response(reply: Reply) -> Response:
    headers = {"idempotency-replayed": "true"} if reply.is_replay else None
    return Response(reply.body, reply.status, headers, reply.media_type)


async def _body(request: Request) -> bytes:
    """Return the body.

    Raises:
        BodyTooLarge: it, or what it says of its length, is over the limit.
    """
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > BODY_MAX:
        raise BodyTooLarge(BODY_MAX)
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > BODY_MAX:
            raise BodyTooLarge(BODY_MAX)
        parts.append(part)
    return b"".join(parts)


def _documented(command: CommandRoute) -> Callable[[Request], Coroutine[Any, Any, None]]:
    """Return an endpoint for FastAPI to describe; the command's own handler is called instead."""

    async def endpoint(request: Request) -> None:
        raise AssertionError("a command is answered by its own handler")

    endpoint.__name__ = command.plan.__name__
    return endpoint


def _operation_id(name: str) -> str:
    method, _, path = name.partition(" ")
    words = [
        part.strip("{}").partition(":")[0].replace("-", "_") for part in path.split("/") if part
    ]
    return "_".join([method.lower(), *words])


def _example(example: Any, media_type: str = "application/json") -> dict[str, Any]:
    return {"content": {media_type: {"example": example}}}
