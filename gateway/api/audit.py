"""The audit trail over HTTP: who did what, about what, when, from where, and how it ended.

For overseer, compliance and admin; where a person's address was sealed it is opened for them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, Literal

import orjson
from fastapi import Query
from pydantic import Field
from starlette.responses import Response

from gateway.api.answers import TheGateway, json_answer
from gateway.api.invoice_shapes import Shape
from gateway.api.operation import QueryRoute
from gateway.api.paging import Limit
from settlement import audit
from settlement.audit import AuditFilter, AuditRecord
from settlement.clock import iso, to_micros
from settlement.store import reading

_Seq = Annotated[int | None, Query(ge=1, le=2**62, description="An event's `seq`, from before.")]
_SEALED = "sealed:"
Opened = Callable[[str, bytes], str | None]


class AuditEventAnswer(Shape):
    """One act, or several refused attempts that were alike."""

    object: Literal["audit_event"]
    seq: int
    at: str
    hand: str = Field(description="A person, a machine's key, `os:…`, or empty: unknown.")
    role: str
    key_prefix: str
    act: str
    subjects: list[str]
    origin: str | None = Field(description="The client's address; null: it was erased.")
    request_id: str | None
    idempotency_key: str | None
    body_hash: str | None
    outcome: str
    problem: str | None
    repeated: int
    changes: Any = Field(description="Subject, field, [before, after].")
    prev_hash: str
    hash: str


class AuditList(Shape):
    """A page of the trail, newest first, with its head: note it elsewhere."""

    object: Literal["list"]
    has_more: bool
    head: str
    data: list[AuditEventAnswer]


def list_audit(
    gateway: TheGateway,
    limit: Limit = 20,
    starting_after: _Seq = None,
    subject: Annotated[str | None, Query(max_length=80)] = None,
    hand: Annotated[str | None, Query(max_length=80)] = None,
    act: Annotated[str | None, Query(max_length=120)] = None,
    outcome: Annotated[str | None, Query(max_length=20)] = None,
    since: Annotated[datetime | None, Query(description="ISO 8601, itself included.")] = None,
    until: Annotated[datetime | None, Query(description="ISO 8601, itself not.")] = None,
) -> Response:
    """Newest first; every parameter narrows the list."""
    wanted = AuditFilter(
        subject=subject,
        hand=hand,
        act=act,
        outcome=outcome,
        since=None if since is None else to_micros(_aware(since)),
        until=None if until is None else to_micros(_aware(until)),
    )
    with reading(gateway.engine) as session:
        rows = audit.page(session, wanted, limit=limit + 1, before_seq=starting_after)
        _seq, head = audit.head(session)
        opened = partial(gateway.trail.opened, session)
        data = [shown(row, opened) for row in rows[:limit]]
    return json_answer(
        {"object": "list", "has_more": len(rows) > limit, "head": head, "data": data}
    )


def shown(event: AuditRecord, opened: Opened) -> dict[str, Any]:
    """Return an event as the API shows it."""
    origin: str | None = event.origin
    if event.origin.startswith(_SEALED):
        origin = opened(event.hand, bytes.fromhex(event.origin[len(_SEALED) :]))
    return {
        "object": "audit_event",
        "seq": event.seq,
        "at": iso(event.at),
        "hand": event.hand,
        "role": event.role,
        "key_prefix": event.key_prefix,
        "act": event.act,
        "subjects": orjson.loads(event.subjects),
        "origin": origin,
        "request_id": event.request_id,
        "idempotency_key": event.idempotency_key,
        "body_hash": event.body_hash,
        "outcome": event.outcome,
        "problem": event.problem,
        "repeated": event.repeated,
        "changes": None if event.changes is None else orjson.loads(event.changes),
        "prev_hash": event.prev_hash,
        "hash": event.hash,
    }


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


_HASH = "b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c"
_EVENT = {
    "object": "audit_event",
    "seq": 4711,
    "at": "2026-11-04T09:30:00Z",
    "hand": "per_019a8f2e6c1f7d3e9b6a2d4c5e6f7099",
    "role": "approver",
    "key_prefix": "stk_0a1b2c3d4e5f",
    "act": "POST /v1/approvals/{approval_id}/approve",
    "subjects": ["apr_019a8f2e6c1f7d3e9b6a2d4c5e6f7081"],
    "origin": "192.0.2.17",
    "request_id": "req_019a8f2e6c1f7d3e9b6a2d4c5e6f7082",
    "idempotency_key": "approve-4711",
    "body_hash": _HASH,
    "outcome": "200",
    "problem": None,
    "repeated": 1,
    "changes": {"stl_019a8f3b7d2e7a4c8f1b3c5d7e9f0a1b": {"approval": ["open", "approved"]}},
    "prev_hash": _HASH,
    "hash": _HASH,
}
QUERIES = (
    QueryRoute(
        "/v1/audit",
        list_audit,
        "List the audit trail",
        AuditList,
        {"object": "list", "has_more": False, "head": _HASH, "data": [_EVENT]},
        tag="audit",
    ),
)
