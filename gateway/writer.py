"""The one writer of a gateway: requests that wait together share a database transaction.

Each has its own savepoint, or is done together with its like in one go; all are answered after the
commit, never before. It knows no route and no rule: works say what to do.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from gateway import idempotency, problems
from gateway.idempotency import Reply, RequestKey
from gateway.problems import Asked
from gateway.refusals import WriterBusy
from settlement.clock import to_micros
from settlement.errors import IdempotencyConflict, RailError, Refused
from settlement.store import transaction

TOGETHER_MAX = 256
WAITING_MAX = 4096

Outcome = Reply | RailError
Run = Callable[[Session, Sequence[Any], datetime], list[Outcome]]
"""Does the items of many requests at once; an outcome for each, in their order."""


@dataclass(frozen=True, slots=True)
class Work:
    """What one request wants done. Works with the same `run` are done together."""

    run: Run
    item: Any


@dataclass(frozen=True, slots=True)
class Order:
    """A work with the key under which its answer is kept, and whom to tell."""

    work: Work
    key: RequestKey
    body_hash: str
    asked: Asked
    answered: asyncio.Future[Reply]


def one_by_one(act: Callable[[Session, Any, datetime], Reply]) -> Run:
    """Return a run that does each item in a savepoint: a refusal undoes that item alone."""

    def run(session: Session, items: Sequence[Any], now: datetime) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for item in items:
            try:
                with session.begin_nested():
                    outcomes.append(act(session, item, now))
            except RailError as error:
                outcomes.append(error)
        return outcomes

    return run


class Writer:
    """A thread that commits what the event loop hands it, in groups as large as have gathered."""

    def __init__(self, engine: Engine, *, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._clock = clock
        self._orders: queue.SimpleQueue[Order | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="writer", daemon=True)

    def start(self) -> None:
        """Take orders from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Finish what was ordered, then end."""
        self._orders.put(None)
        self._thread.join()

    async def reply(self, work: Work, key: RequestKey, body_hash: str, asked: Asked) -> Reply:
        """Return the answer of a work, once it is committed.

        Raises:
            RailError: what the work raised that is not kept as an answer.
        """
        waiting = self._orders.qsize()
        if waiting >= WAITING_MAX:
            raise WriterBusy(waiting)
        answered: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._orders.put(Order(work, key, body_hash, asked, answered))
        return await answered

    def _work(self) -> None:
        while True:
            order = self._orders.get()
            group: list[Order] = []
            while order is not None:
                group.append(order)
                if len(group) >= TOGETHER_MAX or self._orders.empty():
                    break
                order = self._orders.get()
            if group:
                _tell(group, self._group(group))
            if order is None:
                return

    def _group(self, group: list[Order]) -> list[Reply | BaseException]:
        """Do a group in one database transaction; when that fails, each alone."""
        try:
            return self._committed(group)
        except Exception as error:  # noqa: BLE001 - one order's bug must not end the writer.
            if len(group) == 1:
                return [self._once_more(group[0], error)]
        answers: list[Reply | BaseException] = []
        for order in group:
            answers += self._group([order])
        return answers

    def _once_more(self, order: Order, error: Exception) -> Reply | BaseException:
        """Try again where another gateway was first with the same key or number: it shows now."""
        if not isinstance(error, IntegrityError):
            return error
        try:
            return self._committed([order])[0]
        except Exception as second:  # noqa: BLE001 - told to the caller, as above.
            return second

    def _committed(self, group: list[Order]) -> list[Reply | BaseException]:
        now = self._clock()
        with transaction(self._engine) as session:
            answers = _done(session, group, now)
        return answers


def _done(session: Session, group: Sequence[Order], now: datetime) -> list[Reply | BaseException]:
    """Answer what was answered before, do the rest by kind, keep the answers."""
    before = idempotency.stored(session, [order.key for order in group])
    answers: dict[int, Reply | BaseException] = {}
    by_run: dict[Run, list[int]] = {}
    for place, order in enumerate(group):
        stored = before.get(order.key)
        if stored is None:
            by_run.setdefault(order.work.run, []).append(place)
            continue
        try:
            answers[place] = stored.for_body(order.key, order.body_hash)
        except IdempotencyConflict as conflict:
            answers[place] = conflict
    kept: list[tuple[RequestKey, str, Reply]] = []
    for run, places in by_run.items():
        outcomes = run(session, [group[place].work.item for place in places], now)
        for place, outcome in zip(places, outcomes, strict=True):
            order = group[place]
            answers[place] = answer = _answer(outcome, order.asked)
            if isinstance(answer, Reply):
                kept.append((order.key, order.body_hash, answer))
    idempotency.store(session, kept, at=to_micros(now))
    return [answers[place] for place in range(len(group))]


def _answer(outcome: Outcome, asked: Asked) -> Reply | BaseException:
    """Render a refusal, so that it is kept and given again; what may succeed later is not kept."""
    if isinstance(outcome, Refused):
        status, body = problems.rendered(outcome, asked)
        return Reply(status, body, problems.MEDIA_TYPE)
    return outcome


def _tell(group: Sequence[Order], answers: Sequence[Reply | BaseException]) -> None:
    """Hand the answers back to the event loop: one wake-up for the whole group."""
    loop = group[0].answered.get_loop()

    def resolve() -> None:
        for order, answer in zip(group, answers, strict=True):
            if order.answered.done():  # Its client has gone; what was done stays done.
                continue
            if isinstance(answer, Reply):
                order.answered.set_result(answer)
            else:
                order.answered.set_exception(answer)

    loop.call_soon_threadsafe(resolve)
