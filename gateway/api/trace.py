"""The journey of an invoice over HTTP, from any of its ids and hashes."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path
from starlette.responses import Response

from gateway.api.answers import TheCaller, TheGateway, json_answer
from gateway.api.operation import QueryRoute
from gateway.api.told import told
from gateway.api.trace_example import TRACE
from gateway.api.trace_shapes import Trace, shown
from settlement.store import reading
from settlement.trace import trace

_KEY = (
    "An invoice's id or number, a document's SHA-256, a settlement's id, end-to-end id or"
    " reference, a clearance's id, a chain transaction's id or the hash of any attempt at it,"
    " `<block hash>:<log index>`, a block's hash, `je_<seq>`, `match_<id>` or a break's id."
)


def get_trace(
    key: Annotated[str, Path(description=_KEY, max_length=200)],
    gateway: TheGateway,
    caller: TheCaller,
) -> Response:
    """From any id or hash on the way to the whole way: invoice, settlements, clearances, chain
    transactions with every attempt, logs, journal entries, matches and breaks.

    A company sees what it is a party to.
    """
    with reading(gateway.engine) as session:
        found = trace(session, key, participant_id=caller.party)
        answer = told(session, caller, gateway.clock(), shown(found))
    return json_answer(answer)


QUERIES = (
    # The key may hold slashes: invoice numbers do.
    QueryRoute(
        "/v1/trace/{key:path}",
        get_trace,
        "Trace a journey from any of its ids and hashes",
        Trace,
        TRACE,
        tag="trace",
    ),
)
