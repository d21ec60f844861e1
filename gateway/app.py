"""The gateway as an application: everything it needs is handed in, every route is registered here.

Opens nothing by itself: `wiring` and tests do.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import BinaryIO

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy import Engine
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway import access, auth, openapi, registration
from gateway.api import (
    approval_routes,
    audit,
    bank_routes,
    book_routes,
    break_routes,
    events,
    health,
    inquiry_routes,
    intake,
    invoices,
    key_routes,
    ledger_routes,
    limit_changes,
    limits,
    mandate_routes,
    participant_routes,
    parties,
    people_routes,
    policy_routes,
    proofs,
    reconciliation_expected,
    reconciliation_routes,
    registry_routes,
    screening_routes,
    settlements,
    statements,
    supervision_routes,
    trace,
    travel_rule,
)
from gateway.commands import command_app
from gateway.console import routes as console
from gateway.context import Gateway
from gateway.doorway import BugFound, Doorway
from gateway.idempotency import InFlight
from gateway.logs import RequestLog, open_log
from gateway.metrics import Metrics
from gateway.names_ahead import NamesAhead
from gateway.oidc import Provider
from gateway.rate_limits import Limits
from gateway.refusals import (
    BodyInvalid,
    BodyUnreadable,
    DatabaseAway,
    MethodNotAllowed,
    NoSuchRoute,
)
from gateway.session_ring import SessionRing
from gateway.sign_in import SignIn
from gateway.trail import Origins, Trail
from gateway.writer import Writer
from settlement.access import open_vault
from settlement.chain.port import ChainPort
from settlement.clock import Ids, new_id
from settlement.config import Settings
from settlement.documents.rules_engine import RulesEngine
from settlement.errors import RailError

API_VERSION = "1.0.0"

COMMANDS = (
    *policy_routes.COMMANDS,
    *supervision_routes.COMMANDS,
    *screening_routes.COMMANDS,
    *inquiry_routes.COMMANDS,
    *travel_rule.COMMANDS,
    *approval_routes.COMMANDS,
    *registry_routes.COMMANDS,
    *limit_changes.COMMANDS,
    *intake.COMMANDS,
    *invoices.COMMANDS,
    *settlements.COMMANDS,
    *mandate_routes.COMMANDS,
    *participant_routes.COMMANDS,
    *bank_routes.COMMANDS,
    *break_routes.COMMANDS,
    *ledger_routes.COMMANDS,
    *reconciliation_routes.COMMANDS,
    *reconciliation_expected.COMMANDS,
    *key_routes.COMMANDS,
    *people_routes.COMMANDS,
)
QUERIES = (
    *policy_routes.QUERIES,
    *audit.QUERIES,
    *supervision_routes.QUERIES,
    *screening_routes.QUERIES,
    *inquiry_routes.QUERIES,
    *travel_rule.QUERIES,
    *registry_routes.QUERIES,
    *limits.QUERIES,
    *approval_routes.QUERIES,
    *invoices.QUERIES,
    *settlements.QUERIES,
    *mandate_routes.QUERIES,
    *parties.QUERIES,
    *participant_routes.QUERIES,
    *book_routes.QUERIES,
    *bank_routes.QUERIES,
    *ledger_routes.QUERIES,
    *break_routes.QUERIES,
    *reconciliation_routes.QUERIES,
    *reconciliation_expected.QUERIES,
    *statements.QUERIES,
    *events.QUERIES,
    *proofs.QUERIES,
    *trace.QUERIES,
    *key_routes.QUERIES,
    *people_routes.QUERIES,
)


class GatewayApp(FastAPI):
    """FastAPI, with a short way for commands whose path holds no id: they are the busiest."""

    unrouted: Mapping[tuple[str, str], ASGIApp]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; HEAD as GET without its body."""
        if scope["type"] == "http":
            if scope["method"] == "HEAD":
                scope, send = {**scope, "method": "GET"}, _without_body(send)
            app = self.unrouted.get((scope["method"], scope["path"]))
            if app is not None:
                await app(scope, receive, send)
                return
        await super().__call__(scope, receive, send)


def _without_body(send: Send) -> Send:
    async def head(message: Message) -> None:
        await send({**message, "body": b""} if "body" in message else message)

    return head


def system_clock() -> datetime:
    """Return the system's time."""
    return datetime.now(UTC)


def create_app(
    engine: Engine,
    settings: Settings,
    *,
    chain: ChainPort | None = None,
    rules: RulesEngine | None = None,
    clock: Callable[[], datetime] = system_clock,
    ids: Ids = new_id,
    log_stream: BinaryIO | None = None,
) -> FastAPI:
    """Return the application.

    `chain` is asked for readiness and mandates; without one those say that it is unreachable. A
    `rules` engine that is handed in is started and closed by whoever made it.

    Raises:
        AccessTableInvalid: a route has no row in `access.yaml`, or a row no route.
    """
    access.require_complete(
        [*(command.name for command in COMMANDS), *(query.name for query in QUERIES)]
    )
    judge = rules or RulesEngine()
    pepper, vault = auth.open_pepper(settings.home), open_vault(settings.home)
    origins = Origins(vault)
    gateway = Gateway(
        engine=engine,
        settings=settings,
        clock=clock,
        ids=ids,
        chain=chain,
        rules=judge,
        keys=auth.KeyRing(engine, pepper, monotonic=time.monotonic),
        writer=Writer(engine, clock=clock, origins=origins),
        trail=Trail(engine, clock=clock, origins=origins, log=open_log(log_stream)),
        in_flight=InFlight(),
        metrics=Metrics(engine),
        sessions=SessionRing(engine, pepper, settings, monotonic=time.monotonic),
        sign_in=SignIn(
            engine,
            settings,
            pepper=pepper,
            vault=vault,
            clock=clock,
            ids=ids,
        ),
        provider=Provider(engine, settings, pepper=pepper),
        limits=Limits(settings),
    )
    requests = RequestLog(log_stream, clock)
    app = GatewayApp(
        title="settlement rail",
        version=API_VERSION,
        lifespan=partial(_lifespan, gateway, requests, judge if rules is None else None),
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        separate_input_output_schemas=False,
    )
    app.state.gateway = gateway
    registration.register(app, gateway, COMMANDS, QUERIES)
    registration.open_to_all(app, health.PUBLIC, health.PAGES)
    app.router.routes.extend(console.routes())
    app.openapi = lambda: openapi.document(app, COMMANDS)  # type: ignore[method-assign]
    registration.let_errors_through(app)
    doorway = _doorway(gateway, requests, log_stream)
    app.add_middleware(doorway)
    app.unrouted = _unrouted(gateway, doorway)
    return app


def _doorway(
    gateway: Gateway, requests: RequestLog, log_stream: BinaryIO | None
) -> partial[Doorway]:
    """Return what puts an application behind a doorway."""
    return partial(
        Doorway,
        log=open_log(log_stream),
        requests=requests,
        metrics=gateway.metrics,
        trail=gateway.trail,
        translated=_translated,
    )


def _unrouted(
    gateway: Gateway, doorway: Callable[[ASGIApp], ASGIApp]
) -> dict[tuple[str, str], ASGIApp]:
    """Return the commands without an id in their path, each behind a doorway of its own."""
    return {
        (command.method, command.path): doorway(command_app(gateway, command))
        for command in COMMANDS
        if "{" not in command.path
    }


@asynccontextmanager
async def _lifespan(
    gateway: Gateway, requests: RequestLog, judge: RulesEngine | None, _app: FastAPI
) -> AsyncIterator[None]:
    """Start what works beside the routes, and the judge where it is the application's own."""
    gateway.writer.start()
    gateway.keys.uses.start()
    gateway.trail.start()
    gateway.sessions.uses.start()
    ahead = NamesAhead(gateway.engine)
    ahead.start()
    if judge is not None:
        judge.start()
    yield
    ahead.stop()
    gateway.writer.stop()
    gateway.keys.uses.stop()
    gateway.trail.stop()
    gateway.sessions.uses.stop()
    gateway.sign_in.close()
    requests.flush()
    if judge is not None:
        judge.close()


def _translated(error: Exception, scope: Scope) -> RailError:
    """Return what an exception of the framework, or of nobody, means in the rail's own words."""
    if isinstance(error, RailError):
        return error
    if isinstance(error, RequestValidationError):
        return BodyInvalid(error.errors())
    if isinstance(error, HTTPException) and error.status_code == 404:
        return NoSuchRoute(scope["path"])
    if isinstance(error, HTTPException) and error.status_code == 405:
        return MethodNotAllowed(scope["method"], scope["path"], registration.methods_of(scope))
    if isinstance(error, HTTPException) and error.status_code < 500:
        return BodyUnreadable(error.detail)
    return DatabaseAway.of(error) or BugFound(f"{type(error).__name__}: {error}")
