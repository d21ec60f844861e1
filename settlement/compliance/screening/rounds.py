"""Rounds over everybody: begun by a new version or a person, in bounded steps, with a log.

A round goes on from its last step after a crash, and ends early where other lists are in force.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import orjson
from sqlalchemy import text
from sqlmodel import Session

from settlement.clock import Ids, to_micros
from settlement.compliance.screening.comparing import compare_all, ensure, serialise, stale
from settlement.compliance.screening.finding import Counts
from settlement.compliance.screening.in_force import lists_in_force
from settlement.compliance.screening.subjects import page, subjects
from settlement.store.bulk import insert_rows, rows

PER_STEP = 250
"""Participants that one step compares: the payments wait for no longer than that."""
_CHANGED_MAX = 500
_LOOKED_BACK = 10_000

_COLUMNS = (
    "id", "kind", "state", "actor", "list_versions", "lists_hash", "after_id", "compared", "found",
    "reopened", "lapsed", "held", "started_at", "finished_at",
)  # fmt: skip
_RUNNING = (
    "SELECT id, lists_hash, after_id FROM screening_run WHERE kind = 'all' AND state = 'running'"
)
_LAST = (
    "SELECT lists_hash FROM screening_run WHERE kind = 'all' AND state = 'done'"
    " ORDER BY id DESC LIMIT 1"
)
_STEP = text(
    "UPDATE screening_run SET after_id = :after, compared = compared + :compared,"
    " found = found + :found, reopened = reopened + :reopened, lapsed = lapsed + :lapsed"
    " WHERE id = :id"
)
_END = text("UPDATE screening_run SET state = :state, finished_at = :at WHERE id = :id")
_NEW = (
    "SELECT p.id FROM participant p WHERE p.id >"
    " (SELECT COALESCE(MAX(s.participant_id), '') FROM screening_subject s) ORDER BY p.id LIMIT ?"
)
_CHANGED = (
    "SELECT DISTINCT e.participant_id FROM participant_event e"
    " JOIN screening_subject s ON s.participant_id = e.participant_id"
    " WHERE e.id > (SELECT COALESCE(MAX(id), 0) FROM participant_event) - ?"
    " AND e.at >= s.screened_at LIMIT ?"
)


@dataclass(frozen=True, slots=True)
class Round:
    """A comparison of participants with lists, as logged."""

    id: str
    kind: str
    state: str
    actor: str
    list_versions: str
    lists_hash: str
    after_id: str
    compared: int
    found: int
    reopened: int
    lapsed: int
    held: int
    started_at: int
    finished_at: int | None


def begin(session: Session, *, actor: str, ids: Ids, now: datetime) -> str | None:
    """Begin a round over everybody; one that runs ends early. None where no list is in force."""
    lists = lists_in_force(session)
    if not lists.hash:
        return None
    at = to_micros(now)
    for running, _, _ in rows(session, _RUNNING):
        session.connection().execute(_END, {"id": running, "state": "overtaken", "at": at})
    key = ids("scr")
    versions = orjson.dumps(dict(lists.versions)).decode()
    row = (key, "all", "running", actor, versions, lists.hash, "", 0, 0, 0, 0, 0, at, None)
    insert_rows(session, "screening_run", _COLUMNS, [row])
    return key


def step(session: Session, *, ids: Ids, now: datetime, limit: int = PER_STEP) -> bool:
    """Compare the next participants of the round that runs; return whether there is more to do.

    Whoever was compared with the same lists since is counted, and not compared again.
    """
    lists = lists_in_force(session)
    if not lists.hash:
        return False
    serialise(session)
    running = rows(session, _RUNNING)
    if not running:
        last = rows(session, _LAST)
        if last and last[0][0] == lists.hash:
            return _tend(session, ids=ids, now=now)
        begin(session, actor="rail", ids=ids, now=now)
        return True
    key, lists_hash, after = running[0]
    if lists_hash != lists.hash:
        begin(session, actor="rail", ids=ids, now=now)
        return True
    keys = page(session, after, limit)
    if not keys:
        finish(session, key, now)
        return False
    due = stale(session, subjects(session, keys), lists)
    counts = compare_all(session, due, lists, actor="rail", ids=ids, now=now)
    advance(session, key, keys[-1], len(keys), counts)
    return True


def advance(session: Session, key: str, after: str, compared: int, counts: Counts) -> None:
    """Write down how far a round has come."""
    values = {
        "id": key, "after": after, "compared": compared, "found": counts.found,
        "reopened": counts.reopened, "lapsed": counts.lapsed,
    }  # fmt: skip
    session.connection().execute(_STEP, values)


def finish(session: Session, key: str, now: datetime) -> None:
    """Write down that a round has come to its end."""
    session.connection().execute(_END, {"id": key, "state": "done", "at": to_micros(now)})


def log(session: Session, *, before: str = "", limit: int = 100) -> list[Round]:
    """Return rounds, newest first, older than the id `before`."""
    found = rows(
        session,
        f"SELECT {', '.join(_COLUMNS)} FROM screening_run WHERE (? = '' OR id < ?)"
        " ORDER BY id DESC LIMIT ?",
        (before, before, limit),
    )
    return [Round(*row) for row in found]


def _tend(session: Session, *, ids: Ids, now: datetime) -> bool:
    """Compare whoever is new or has changed since; payments do not wait for this."""
    due = [row[0] for row in rows(session, _NEW, (_CHANGED_MAX,))]
    due += [row[0] for row in rows(session, _CHANGED, (_LOOKED_BACK, _CHANGED_MAX))]
    return bool(due) and ensure(session, due, ids=ids, now=now).compared > 0
