"""Idempotency-Key: the same key and body get the same bytes again; stored with the effect itself.

Twins that arrive together meet in `InFlight`; those that come later, or at another gateway, find
the stored row. Source: draft-ietf-httpapi-idempotency-key-header-07.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

from sqlmodel import Session

from gateway.refusals import IdempotencyKeyInvalid
from settlement.audit import Changes
from settlement.errors import IdempotencyConflict, IdempotencyInFlight
from settlement.store.bulk import insert_rows, rows

KEY_MAX = 255
TWIN_WAIT_SECONDS = 2.0

_COLUMNS = ("caller", "route", "key", "body_hash", "status", "media_type", "body", "created_at")


class RequestKey(NamedTuple):
    """Whose operation it is. `route` is method and concrete path."""

    caller: str
    route: str
    key: str


class Reply(NamedTuple):
    """An answer, ready to be sent."""

    status: int
    body: bytes
    media_type: str = "application/json"
    is_replay: bool = False
    kept: bytes | None = None
    """What is given to a repetition, where the answer holds a secret that is shown once."""
    changes: Changes | None = None
    """What the act changed, for the trail; never sent."""


class StoredReply(NamedTuple):
    """An answer that was given before, and the hash of the body that it answered."""

    body_hash: str
    reply: Reply

    def for_body(self, key: RequestKey, body_hash: str) -> Reply:
        """Return the answer once more.

        Raises:
            IdempotencyConflict: the key came with another body.
        """
        if self.body_hash != body_hash:
            raise IdempotencyConflict(key.key)
        return self.reply


def require_valid(key: str) -> str:
    """Return the key.

    Raises:
        IdempotencyKeyInvalid: empty, too long, or not visible ASCII.
    """
    if not 0 < len(key) <= KEY_MAX or not key.isascii() or not key.isprintable():
        raise IdempotencyKeyInvalid
    return key


def stored(session: Session, keys: Sequence[RequestKey]) -> dict[RequestKey, StoredReply]:
    """Return the answers that were given under these keys, in one statement."""
    if not keys:
        return {}
    listed = ",".join(["(?,?,?)"] * len(keys))
    # A join, not IN: SQLite looks each up in the index only then.
    found = rows(
        session,
        f"WITH wanted (caller, route, key) AS (VALUES {listed})"
        " SELECT i.caller, i.route, i.key, i.body_hash, i.status, i.media_type, i.body"
        " FROM wanted w JOIN idempotency i"
        " ON i.caller = w.caller AND i.route = w.route AND i.key = w.key",
        (*chain(*keys),),
    )
    return {
        RequestKey(caller, route, key): StoredReply(
            body_hash, Reply(status, bytes(body), media_type, is_replay=True)
        )
        for caller, route, key, body_hash, status, media_type, body in found
    }


def store(session: Session, answers: Sequence[tuple[RequestKey, str, Reply]], *, at: int) -> None:
    """Keep answers (key, hash of the body, answer) in the database transaction of their effects."""
    insert_rows(
        session,
        "idempotency",
        _COLUMNS,
        [
            (*key, body_hash, reply.status, reply.media_type, reply.kept or reply.body, at)
            for key, body_hash, reply in answers
        ],
    )


class InFlight:
    """Requests of this process that are not answered yet, by key. Used by one event loop."""

    def __init__(self, wait_seconds: float = TWIN_WAIT_SECONDS) -> None:
        self._wait_seconds = wait_seconds
        self._first: dict[RequestKey, tuple[str, asyncio.Future[None]]] = {}

    async def twin(self, key: RequestKey, body_hash: str) -> None:
        """Return when no request with this key is in flight any more.

        Raises:
            IdempotencyConflict: the one in flight has another body.
            IdempotencyInFlight: it was not answered in time.
        """
        deadline = time.monotonic() + self._wait_seconds
        # Of many twins that wake together, one goes on and the others wait for it in turn.
        while (found := self._first.get(key)) is not None:
            first_hash, answered = found
            if first_hash != body_hash:
                raise IdempotencyConflict(key.key)
            left = deadline - time.monotonic()
            if left <= 0:
                raise IdempotencyInFlight(key.key)
            await asyncio.wait([answered], timeout=left)

    def begin(self, key: RequestKey, body_hash: str) -> None:
        """Note that a request with this key is being worked on."""
        self._first[key] = (body_hash, asyncio.get_running_loop().create_future())

    def end(self, key: RequestKey) -> None:
        """Let twins go on: they find the stored answer, or try themselves."""
        _, answered = self._first.pop(key)
        if not answered.done():
            answered.cancel()
