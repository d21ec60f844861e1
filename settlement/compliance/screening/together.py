"""A round over everybody at once, by several processes: names are compared beside the database.

One process writes, in steps that others may come between. It ends early where lists change.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from datetime import datetime
from multiprocessing import get_all_start_methods, get_context
from threading import active_count

from sqlalchemy import Engine

from settlement.clock import Ids
from settlement.compliance.screening import rounds
from settlement.compliance.screening.comparing import Compared, keep, serialise
from settlement.compliance.screening.finding import Counts
from settlement.compliance.screening.in_force import index_in_force, lists_in_force
from settlement.compliance.screening.index import Index
from settlement.compliance.screening.matching import matches
from settlement.compliance.screening.subjects import page, subjects
from settlement.store import open_engine, reading, transaction

PER_PIECE = 1_000
_AHEAD = 4
"""Pieces that wait for each process."""

_engine: Engine | None = None
_index: Index | None = None
"""Filled before the others are forked off, who then share its memory."""


def compare_everybody(
    engine: Engine, *, processes: int, actor: str, ids: Ids, now: datetime
) -> Counts:
    """Compare all participants with the lists in force; return what it came to."""
    global _index
    counts = Counts()
    with transaction(engine) as session:
        lists = lists_in_force(session)
        key = rounds.begin(session, actor=actor, ids=ids, now=now)
    if key is None:
        return counts
    with reading(engine) as session:
        _index = index_in_force(session, lists)
    url = engine.url.render_as_string(hide_password=False)
    # A fork beside other threads may take over a lock that nobody releases.
    can_fork = active_count() == 1 and "fork" in get_all_start_methods()
    context = get_context("fork" if can_fork else "spawn")
    with ProcessPoolExecutor(
        processes, mp_context=context, initializer=_open, initargs=(url,)
    ) as pool:
        for keys, compared in _in_order(pool, engine, processes):
            with transaction(engine) as session:
                serialise(session)
                if lists_in_force(session).hash != lists.hash:
                    return counts
                found = keep(session, compared, lists, actor=actor, ids=ids, now=now)
                rounds.advance(session, key, keys[-1], len(keys), found)
            counts.add(found)
    with transaction(engine) as session:
        rounds.finish(session, key, now)
    return counts


def _in_order(
    pool: ProcessPoolExecutor, engine: Engine, processes: int
) -> Iterator[tuple[list[str], list[Compared]]]:
    """Yield each piece of participants with what was found, in order; few are under way."""
    waiting: list[tuple[list[str], Future[list[Compared]]]] = []
    after, more = "", True
    while more or waiting:
        while more and len(waiting) < processes * _AHEAD:
            with reading(engine) as session:
                keys = page(session, after, PER_PIECE)
            if keys:
                waiting.append((keys, pool.submit(_compare, keys)))
                after = keys[-1]
            more = bool(keys)
        if waiting:
            keys, found = waiting.pop(0)
            yield keys, found.result()


def _open(url: str) -> None:
    global _engine
    gc.freeze()  # The index stays: looking for garbage in it again and again would cost much.
    _engine = open_engine(url)


def _compare(keys: list[str]) -> list[Compared]:
    assert _engine is not None, "the process was opened"
    with reading(_engine) as session:
        index = _index or index_in_force(session, lists_in_force(session))
        found = subjects(session, keys)
    return [Compared(each.participant_id, each.content_hash, matches(each, index))
            for each in found]  # fmt: skip
