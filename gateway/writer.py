"""The one writer of a gateway: requests that wait together share a database transaction.

Each has its own savepoint, or is done together with its like in one go; all are answered after the
commit, never before. It knows no route and no rule: works say what to do.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import re
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlmodel import Session

from gateway import idempotency, problems
from gateway.idempotency import Reply, RequestKey
from gateway.problems import Asked
from gateway.refusals import WriterBusy
from gateway.trail import Origins
from settlement import audit
from settlement.audit import Act
from settlement.clock import to_micros
from settlement.errors import IdempotencyConflict, RailError, Refused
from settlement.store import transaction

TOGETHER_MAX = 256
WAITING_MAX = 4096

_IDS = re.compile(rb'"id":"([a-z]{3}_[0-9a-f]{32})"')
"""What an answer shows of ids that the rail gives."""

Outcome = Reply | RailError
Run = Callable[[Session, Sequence[Any], datetime], list[Outcome]]
"""Does the items of many requests at once; an outcome for each, in their order."""


class Work(NamedTuple):
    """What one request wants done. Works with the same `run` are done together."""

    run: Run
    item: Any


class Order(NamedTuple):
    """A work with the key under which its answer is kept, and whom to tell."""

    work: Work
    key: RequestKey
    body_hash: str
    asked: Asked
    answered: asyncio.Future[Reply]
    act: Act
    """Who sends it, from where, for the audit trail: how it ended is added."""


def one_by_one(act: Callable[[Session, Any, datetime], Reply]) -> Run:
    """Return a run that does each item in a savepoint: a refusal undoes that item alone."""

    def run(session: Session, items: Sequence[Any], now: datetime) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for item in items:
            place = audit.mark(session)
            try:
                with session.begin_nested():
                    reply = act(session, item, now)
                outcomes.append(reply._replace(changes=audit.take_changes(session)))
            except RailError as error:
                audit.back_to(session, place)
                outcomes.append(error)
        return outcomes

    return run


class Writer:
    """A thread that commits what the event loop hands it: one group at a time.

    A lone request goes to the thread at once; what comes while a commit is under way is the next
    group, so that the busier the gateway, the more share a commit. All else happens on the loop.
    """

    def __init__(self, engine: Engine, *, clock: Callable[[], datetime], origins: Origins) -> None:
        self._engine = engine
        self._clock = clock
        self._origins = origins
        self._groups: queue.SimpleQueue[list[Order] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="writer", daemon=True)
        self._waiting: list[Order] = []
        self._is_busy = False

    def start(self) -> None:
        """Take orders from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Finish what was ordered, then end."""
        if self._waiting:
            self._groups.put(self._waiting)
        self._groups.put(None)
        self._thread.join()

    def reply(
        self, work: Work, key: RequestKey, body_hash: str, asked: Asked, act: Act
    ) -> asyncio.Future[Reply]:
        """Return the answer of a work, to be awaited: it comes once it is committed.

        The future raises what the work raised that is not kept as an answer.

        Raises:
            WriterBusy: too many wait already.
        """
        if len(self._waiting) >= WAITING_MAX:
            raise WriterBusy(len(self._waiting))
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[Reply] = loop.create_future()
        self._waiting.append(Order(work, key, body_hash, asked, answered, act))
        if not self._is_busy:
            self._hand_over()
        return answered

    def _hand_over(self) -> None:
        group, self._waiting = self._waiting[:TOGETHER_MAX], self._waiting[TOGETHER_MAX:]
        self._is_busy = True
        self._groups.put(group)

    def _work(self) -> None:
        while (group := self._groups.get()) is not None:
            answers = self._group(group)
            loop = group[0].answered.get_loop()
            with contextlib.suppress(RuntimeError):  # The loop has ended: nobody waits any more.
                loop.call_soon_threadsafe(self._tell, group, answers)

    def _tell(self, group: Sequence[Order], answers: Sequence[Reply | BaseException]) -> None:
        """Answer a group, on the event loop: one wake-up for all of it."""
        self._is_busy = False
        if self._waiting:
            self._hand_over()
        for order, answer in zip(group, answers, strict=True):
            if order.answered.done():  # Its client has gone; what was done stays done.
                continue
            if isinstance(answer, Reply):
                order.answered.set_result(answer)
            else:
                order.answered.set_exception(answer)

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
        """Try again where another gateway was first with the same key or number: it shows now.

        The same where the line was cut: whether it was committed is read again by its key.
        """
        if not isinstance(error, IntegrityError | OperationalError):
            return error
        try:
            return self._committed([order])[0]
        except Exception as second:  # noqa: BLE001 - told to the caller, as above.
            return second

    def _committed(self, group: list[Order]) -> list[Reply | BaseException]:
        now = self._clock()
        with transaction(self._engine) as session:
            answers = _done(session, group, now, self._origins)
        return answers


def _done(
    session: Session, group: Sequence[Order], now: datetime, origins: Origins
) -> list[Reply | BaseException]:
    """Answer what was answered before, do the rest by kind, keep the answers, record the acts."""
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
                act = origins.placed(session, _ended(order.act, outcome, answer), now)
                audit.record(session, act, now)
    idempotency.store(session, kept, at=to_micros(now))
    return [answers[place] for place in range(len(group))]


def _answer(outcome: Outcome, asked: Asked) -> Reply | BaseException:
    """Render a refusal, so that it is kept and given again; what may succeed later is not kept."""
    if isinstance(outcome, Refused):
        status, body = problems.rendered(outcome, asked)
        return Reply(status, body, problems.MEDIA_TYPE)
    return outcome


def _ended(act: Act, outcome: Outcome, answer: Reply) -> Act:
    """Return the act with how it ended, and with the ids that its answer shows."""
    if isinstance(outcome, RailError):
        return act._replace(outcome=str(answer.status), problem=problems.slug(type(outcome)))
    shown = (found.decode() for found in _IDS.findall(answer.body))
    return act._replace(
        outcome=str(answer.status),
        subjects=(*dict.fromkeys((*act.subjects, *shown)),),
        changes=outcome.changes,
    )
