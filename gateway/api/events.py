"""What happened, in order: the outbox, for those who poll."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import orjson
from fastapi import Query
from starlette.responses import Response

from gateway.api.answers import TheCaller, TheGateway, json_answer
from gateway.api.invoice_shapes import Shape
from gateway.api.operation import QueryRoute
from gateway.api.paging import Limit
from gateway.api.told import told
from settlement import outbox
from settlement.clock import iso
from settlement.store import reading


class Event(Shape):
    """Something that happened to `aggregate_id`."""

    object: Literal["event"]
    seq: int
    kind: str
    aggregate_id: str
    data: Any
    at: str


class EventList(Shape):
    """A page of events, oldest first."""

    object: Literal["list"]
    has_more: bool
    data: list[Event]


def list_events(
    gateway: TheGateway,
    caller: TheCaller,
    limit: Limit = 20,
    starting_after: Annotated[int, Query(ge=0, le=2**62, description="An event's seq.")] = 0,
    kind: Annotated[str | None, Query(max_length=60)] = None,
    aggregate_id: Annotated[str | None, Query(max_length=64)] = None,
) -> Response:
    """Oldest first: ask again with the last seq. A company sees what it takes part in.

    On PostgreSQL, where several processes write, an event may appear below a seq that was read a
    moment ago: readers go back a little and skip what they have.
    """
    wanted = outbox.EventFilter(kind=kind, aggregate_id=aggregate_id, party=caller.party)
    with reading(gateway.engine) as session:
        rows = outbox.page(session, wanted, after=starting_after, limit=limit + 1)
        data = [
            {
                "object": "event",
                "seq": row.seq,
                "kind": row.kind,
                "aggregate_id": row.aggregate_id,
                "data": orjson.loads(row.body),
                "at": iso(row.at),
            }
            for row in rows[:limit]
        ]
        data = told(session, caller, gateway.clock(), data)
    return json_answer({"object": "list", "has_more": len(rows) > limit, "data": data})


_EVENT = {
    "object": "event",
    "seq": 42,
    "kind": "invoice.accepted",
    "aggregate_id": "inv_019a8f2e6c1f7d3e9b6a2d4c5e6f7081",
    "data": {},
    "at": "2026-10-06T09:00:00.000000Z",
}

QUERIES = (
    QueryRoute(
        "/v1/events",
        list_events,
        "List events",
        EventList,
        {"object": "list", "has_more": False, "data": [_EVENT]},
        tag="events",
    ),
)
