"""Registering routes: who may use them is checked before anything of theirs runs.

A query is FastAPI's own affair from there on; a command goes to the writer, with its key.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from copy import copy
from functools import cache
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Scope

from gateway.api.operation import CommandRoute, QueryRoute
from gateway.commands import admit, client_address, command_app
from gateway.context import Gateway

PROBED = ("/healthz", "/readyz", "/metrics")
"""What machines ask for again and again; not counted."""
RouteHandler = Callable[[Request], Coroutine[Any, Any, Response]]


class GuardedRoute(APIRoute):
    """A route that is closed to everybody whom `access` does not name."""

    def get_route_handler(self) -> RouteHandler:
        inner = super().get_route_handler()
        assert self.methods  # Every route names its method.
        name = f"{next(iter(self.methods))} {self.path}"
        known = {each.alias for each in self.dependant.query_params}

        async def guarded(request: Request) -> Response:
            header = request.headers.get("authorization", "")
            gateway: Gateway = request.app.state.gateway
            cookies = request.headers.get("cookie")
            await admit(gateway, request.scope, header, name, cookies=cookies, parameters=known)
            answer = await inner(request)
            gateway.trail.read(request.scope)
            return answer

        return guarded


class OpenRoute(APIRoute):
    """A route that needs no key."""

    def get_route_handler(self) -> RouteHandler:
        inner = super().get_route_handler()
        name = f"GET {self.path}"

        async def opened(request: Request) -> Response:
            request.scope["route_name"] = name
            if self.path not in PROBED:
                limits = request.app.state.gateway.limits
                limits.spend("open", client_address(request.scope))
            return await inner(request)

        return opened


def register(
    app: FastAPI,
    gateway: Gateway,
    commands: Iterable[CommandRoute],
    queries: Iterable[QueryRoute],
) -> None:
    """Add every route to the application."""
    routes = app.router.routes
    for command in commands:
        route = copy(_described(command))
        route.app = command_app(gateway, command)
        routes.append(route)
    routes.extend(_query_route(query, GuardedRoute) for query in queries)


def open_to_all(
    app: FastAPI,
    queries: Iterable[QueryRoute],
    pages: Iterable[tuple[str, Callable[..., Response]]],
) -> None:
    """Add the routes that need no key: health, metrics, documentation."""
    app.router.routes.extend(_query_route(query, OpenRoute) for query in queries)
    for path, endpoint in pages:
        app.router.add_api_route(
            path, endpoint, include_in_schema=False, route_class_override=OpenRoute
        )


def methods_of(scope: Scope) -> list[str]:
    """Return the methods that a request's path has; what can be got has HEAD as well."""
    routes = [each for each in scope["app"].router.routes if isinstance(each, Route)]
    found = {
        method
        for route in routes
        if route.path_regex.match(scope["path"])
        for method in route.methods or ()
    }
    return sorted(found | {"HEAD"} if "GET" in found else found)


# A route knows no application. It is worked out once in a process: that takes FastAPI longer than
# all else that an application needs.


@cache
def _described(command: CommandRoute) -> APIRoute:
    """Return a command's route as FastAPI describes it; who answers it is put in by `register`."""
    return _route(
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
    )


@cache
def _query_route(query: QueryRoute, route_class: type[APIRoute]) -> APIRoute:
    response_class = JSONResponse if query.media_type == "application/json" else Response
    return _route(
        query.path,
        query.endpoint,
        methods=[query.method],
        response_model=query.answer,
        response_class=response_class,
        summary=query.summary,
        tags=[query.tag],
        operation_id=_operation_id(query.name),
        responses={200: _shown(query)},
        route_class_override=route_class,
    )


def _route(path: str, endpoint: Callable[..., Any], **options: Any) -> APIRoute:
    router = APIRouter()
    router.add_api_route(path, endpoint, **options)
    (route,) = router.routes
    assert isinstance(route, APIRoute)
    return route


def _shown(query: QueryRoute) -> dict[str, Any]:
    """Return what a query gives, by media type."""
    described = _example(query.example, query.media_type)
    for media_type in query.other_media_types:
        kind = "object" if media_type == "application/json" else "string"
        example = {} if kind == "object" else f"the bytes of a {media_type} file"
        described["content"][media_type] = {"schema": {"type": kind}, "example": example}
    return described


def let_errors_through(app: FastAPI) -> None:
    """Take FastAPI's own error answers away: the doorway writes them all, in one shape."""

    async def raised_again(_request: Request, error: Exception) -> Response:
        raise error

    app.exception_handlers.clear()
    app.exception_handlers[HTTPException] = raised_again


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
