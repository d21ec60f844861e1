"""Whether the gateway lives and can work, its metrics, its documentation, what problems mean."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import FileResponse, Response

from gateway import problems
from gateway.api.answers import TheGateway, json_answer
from gateway.api.invoice_shapes import Shape
from gateway.api.operation import QueryRoute
from gateway.context import Gateway
from gateway.refusals import NoSuchRoute, NotReady
from settlement import store, watcher
from settlement.chain.cross_checked import NodesDisagree
from settlement.errors import RailError
from settlement.store import reading
from settlement.watcher.identity import deployed

STATIC = Path(__file__).resolve().parents[1] / "console" / "static"

_SWAGGER = STATIC / "swagger-ui"
_FILES = {
    "swagger-ui.css": "text/css; charset=utf-8",
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "docs.js": "text/javascript; charset=utf-8",
}
# Nothing is fetched from elsewhere, whatever a description might say.
_ONLY_FROM_HERE = {
    "Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
}


class Health(Shape):
    """The process answers."""

    status: Literal["ok"]


class Readiness(Shape):
    """Everything that work needs is there."""

    status: Literal["ready"]
    checks: dict[str, str]


class ProblemKind(Shape):
    """What a kind of problem means."""

    title: str
    status: int
    meaning: str


def healthz() -> Response:
    """The process answers; says nothing of what it depends on."""
    return json_answer({"status": "ok"})


def readyz(gateway: TheGateway) -> Response:
    """Database, schema and chain, each asked now; 503 names what is missing."""
    checks: dict[str, Callable[[Gateway], str]] = {
        "database": _database,
        "chain": _chain,
        "lanes": _lanes,
    }
    found: dict[str, str] = {}
    faults: dict[str, str] = {}
    for name, check in checks.items():
        try:
            found[name] = check(gateway)
        except (RailError, SQLAlchemyError) as error:
            faults[name] = str(error).partition("\n")[0]
    if faults:
        raise NotReady(faults)
    return json_answer({"status": "ready", "checks": found})


def metrics(gateway: TheGateway) -> Response:
    """Counters and gauges in Prometheus' text format."""
    return Response(gateway.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


def problem_kind(name: str) -> Response:
    """What a problem's `type` leads to."""
    found = problems.page(name)
    if found is None:
        raise NoSuchRoute(f"/problems/{name}")
    return json_answer(found)


def docs() -> Response:
    """The API's documentation, to read and to try; works without a network."""
    return FileResponse(_SWAGGER / "index.html", headers=_ONLY_FROM_HERE)


def docs_file(name: str) -> Response:
    """A file of the documentation."""
    if name not in _FILES:
        raise NoSuchRoute(f"/docs/{name}")
    return FileResponse(_SWAGGER / name, media_type=_FILES[name])


def _database(gateway: Gateway) -> str:
    store.require_current(gateway.engine)
    return "reachable, schema current"


def _chain(gateway: Gateway) -> str:
    if gateway.chain is None:
        return "none configured"
    with reading(gateway.engine) as session:
        ours = deployed(session).identity
        stored = watcher.head(session)
    try:
        watcher.require_same_chain(ours, gateway.chain.identity())
        head = gateway.chain.head()
    except NodesDisagree as error:
        if error.is_lasting:
            raise
        return str(error)  # Two nodes seldom learn of a block at the same moment.
    if stored is not None and head.number < stored.number:
        raise NotReady({"chain": f"the node is at {head.number}, we have seen {stored.number}"})
    behind = head.number - (stored.number if stored else 0)
    return f"reachable, ours, head {head.number}, {behind} blocks to follow"


def _lanes(gateway: Gateway) -> str:
    with reading(gateway.engine) as session:
        statement = text("SELECT signer, state, reason FROM lane ORDER BY signer")
        found = session.connection().execute(statement).all()
    halted = [f"{row.signer}: {row.reason}" for row in found if row.state == "halted"]
    if halted:
        raise NotReady({"lanes": "; ".join(halted)})
    waiting = [f"{row.signer}: {row.reason}" for row in found if row.state == "active"
               and row.reason]  # fmt: skip
    return "; ".join(["none halted", *waiting])


PUBLIC = (
    QueryRoute("/healthz", healthz, "Does it live?", Health, {"status": "ok"}, tag="operation"),
    QueryRoute(
        "/readyz",
        readyz,
        "Can it work?",
        Readiness,
        {"status": "ready", "checks": {"database": "reachable, schema current"}},
        tag="operation",
    ),
    QueryRoute(
        "/metrics",
        metrics,
        "Metrics for Prometheus",
        None,
        'settle_requests_total{route="POST /v1/invoices",status="201"} 60.0',
        tag="operation",
        media_type="text/plain",
    ),
    QueryRoute(
        "/problems/{name}",
        problem_kind,
        "What a problem means",
        ProblemKind,
        {"title": "Duplicate invoice", "status": 409, "meaning": "The number is taken."},
        tag="operation",
    ),
)
PAGES = (("/docs", docs), ("/docs/{name}", docs_file))
