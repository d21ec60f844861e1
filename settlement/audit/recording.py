"""Writing the trail: acts gathered while a database transaction runs, written at its end.

One insert and one turn at the head for all of them. Whatever rolls back takes its acts with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session

from settlement.audit.acts import SUBJECTS_MAX, Act, Changes, differences, row_of
from settlement.clock import to_micros
from settlement.store import at_the_end, row_lock
from settlement.store.bulk import insert_rows, rows

_PENDING = "audit acts"
_CHANGED = "audit changes"
_COLUMNS = (
    "seq", "at", "hand", "role", "key_prefix", "act", "subjects", "origin", "request_id",
    "idempotency_key", "body_hash", "outcome", "problem", "repeated", "changes", "prev_hash",
    "hash",
)  # fmt: skip
_HEAD = "SELECT seq, hash FROM audit_head WHERE id = 1"


def record(session: Session, act: Act, now: datetime) -> None:
    """Record an act with this database transaction: written just before it commits."""
    pending = session.info.setdefault(_PENDING, [])
    pending.append((act, to_micros(now)))
    at_the_end(session, _write)


def changed(
    session: Session, subject: str, *, before: Mapping[str, Any], after: Mapping[str, Any]
) -> None:
    """Note what an act changes: whoever records the act adds it. Personal values come sealed."""
    found = differences(before, after)
    if found:
        session.info.setdefault(_CHANGED, {}).setdefault(subject, {}).update(found)
        at_the_end(session, _write)


def take_changes(session: Session) -> Changes | None:
    """Return what was noted since it was last taken; None for nothing."""
    found: Changes | None = session.info.pop(_CHANGED, None)
    return found


def mark(session: Session) -> int:
    """Return how far the acts of this database transaction have come: for `back_to`."""
    return len(session.info.get(_PENDING, ()))


def back_to(session: Session, place: int) -> None:
    """Forget what was recorded and noted since a mark: a savepoint was rolled back."""
    del session.info.get(_PENDING, [])[place:]
    session.info.pop(_CHANGED, None)


def head(session: Session, *, locked: bool = False) -> tuple[int, str]:
    """Return the newest event's place and hash: 0 and zeros before the first."""
    found = rows(session, _HEAD + (row_lock(session, "audit_head") if locked else ""))
    seq, digest = found[0]
    return int(seq), str(digest)


def _write(session: Session) -> None:
    """Append what was gathered; holds the head until the commit, which follows at once."""
    pending: Sequence[tuple[Act, int]] = session.info.pop(_PENDING, ())
    changes = take_changes(session)
    if not pending:
        return
    if changes is not None:
        last, at = pending[-1]
        pending = [*pending[:-1], (last._replace(changes={**(last.changes or {}), **changes}), at)]
    seq, digest = head(session, locked=True)
    made: list[tuple[Any, ...]] = []
    places: list[tuple[str, int]] = []
    for act, at in pending:
        seq += 1
        row = row_of(act, seq=seq, at=at, prev_hash=digest)
        digest = row[-1]
        made.append(row)
        if act.subjects:
            places += [(subject, seq) for subject in dict.fromkeys(act.subjects[:SUBJECTS_MAX])]
    insert_rows(session, "audit_event", _COLUMNS, made)
    insert_rows(session, "audit_subject", ("subject", "seq"), places)
    mark_sign = "?" if session.connection().dialect.name == "sqlite" else "%s"
    session.connection().exec_driver_sql(
        f"UPDATE audit_head SET seq = {mark_sign}, hash = {mark_sign} WHERE id = 1", (seq, digest)
    )
