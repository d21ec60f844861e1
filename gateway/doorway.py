"""The outermost layer: request id, log line, metrics, and a problem for whatever goes wrong inside.

Plain ASGI. Knows no route; the routing layer leaves its template in the scope.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway import problems
from gateway.logs import Log, RequestLog
from gateway.metrics import Metrics
from gateway.problems import Asked
from gateway.refusals import DatabaseAway, MethodNotAllowed, TooManyRequests
from gateway.trail import Trail
from settlement.clock import new_id
from settlement.errors import Fatal, RailError

_GIVEN_ID = re.compile(rb"[A-Za-z0-9_-]{8,64}\Z")
_SAFETY = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
)
NOWHERE = "unmatched"


class BugFound(Fatal):
    """The gateway met something that it was not written for."""


class Doorway:
    """Wraps the application; see the module."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        log: Log,
        requests: RequestLog,
        metrics: Metrics,
        trail: Trail,
        translated: Callable[[Exception, Scope], RailError],
    ) -> None:
        self._app = app
        self._log = log
        self._requests = requests
        self._metrics = metrics
        self._trail = trail
        self._translated = translated

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        scope["request_id"] = request_id = _request_id(scope)
        status = 500
        has_started = False

        async def answer(message: Message) -> None:
            nonlocal status, has_started
            if message["type"] == "http.response.start":
                has_started = True
                status = message["status"]
                message["headers"] = [
                    *message["headers"],
                    (b"x-request-id", request_id.encode()),
                    *_SAFETY,
                ]
            await send(message)

        try:
            await self._app(scope, receive, answer)
        except Exception as error:  # The last place where a bug can be answered.
            if has_started:
                raise
            await self._refuse(error, scope, answer)
        seconds = time.perf_counter() - started
        route = scope.get("route_name", NOWHERE)
        self._metrics.count(route, status, seconds)
        self._requests.add(
            request_id=request_id,
            route=route,
            status=status,
            ms=round(seconds * 1000, 2),
            key=scope["caller"].prefix if "caller" in scope else None,
        )

    async def _refuse(self, error: Exception, scope: Scope, send: Send) -> None:
        known = self._translated(error, scope)
        if problems.status_of(known) == 500:
            self._log.error("failed", request_id=scope["request_id"], exc_info=error)
        elif isinstance(known, DatabaseAway):
            self._log.warning("no database", request_id=scope["request_id"], cause=known.cause)
        status, body = problems.rendered(known, Asked(scope["path"], scope["request_id"]))
        # What the writer has answered, it has recorded itself.
        if scope["method"] != "GET" or status in (401, 403, 429):
            self._trail.refused(scope, status=status, problem=problems.slug(type(known)))
        headers = [
            (b"content-type", problems.MEDIA_TYPE.encode()),
            (b"content-length", str(len(body)).encode()),
        ]
        if status == 401:
            headers.append((b"www-authenticate", b'Bearer realm="settle"'))
        if status == 503:
            headers.append((b"retry-after", b"1"))
        if isinstance(known, MethodNotAllowed):
            headers.append((b"allow", known.allowed.encode()))
        if isinstance(known, TooManyRequests):
            headers.append((b"retry-after", str(known.retry_seconds).encode()))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def _request_id(scope: Scope) -> str:
    """Return the caller's own request id where it is a plain word, else a new one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _GIVEN_ID.match(value):
            given: str = value.decode()
            return given
    return new_id("req")
