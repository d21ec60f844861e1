"""Reading the trail: pages by subject, hand, act and time, newest first. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlmodel import Session

from settlement.store.bulk import rows

_COLUMNS = (
    "e.seq, e.at, e.hand, e.role, e.key_prefix, e.act, e.subjects, e.origin, e.request_id,"
    " e.idempotency_key, e.body_hash, e.outcome, e.problem, e.repeated, e.changes, e.prev_hash,"
    " e.hash"
)
_CHUNK = 1_000


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """An event as stored: `subjects` and `changes` are JSON text, `at` microseconds."""

    seq: int
    at: int
    hand: str
    role: str
    key_prefix: str
    act: str
    subjects: str
    origin: str
    request_id: str | None
    idempotency_key: str | None
    body_hash: str | None
    outcome: str
    problem: str | None
    repeated: int
    changes: str | None
    prev_hash: str
    hash: str


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which events to list; None does not restrict. `since` is included, `until` is not."""

    subject: str | None = None
    hand: str | None = None
    act: str | None = None
    outcome: str | None = None
    since: int | None = None
    until: int | None = None


def page(
    session: Session,
    wanted: AuditFilter,
    *,
    limit: int,
    before_seq: int | None = None,
    after_seq: int | None = None,
) -> list[AuditRecord]:
    """Return up to `limit` events, newest first, older than `before_seq` or newer than another."""
    source, conditions, values = "audit_event e", ["1 = 1"], []
    if wanted.subject is not None:
        source = "audit_subject s JOIN audit_event e ON e.seq = s.seq"
        conditions.append("s.subject = ?")
        values.append(wanted.subject)
    named: tuple[tuple[str, str, object], ...] = (
        ("e.hand", "=", wanted.hand),
        ("e.act", "=", wanted.act),
        ("e.outcome", "=", wanted.outcome),
        ("e.at", ">=", wanted.since),
        ("e.at", "<", wanted.until),
        ("e.seq", "<", before_seq),
        ("e.seq", ">", after_seq),
    )
    for column, comparison, value in named:
        if value is not None:
            conditions.append(f"{column} {comparison} ?")
            values.append(str(value) if isinstance(value, str) else value)  # type: ignore[arg-type]
    order = "ASC" if after_seq is not None else "DESC"
    found = rows(
        session,
        f"SELECT {_COLUMNS} FROM {source} WHERE {' AND '.join(conditions)}"
        f" ORDER BY e.seq {order} LIMIT {int(limit)}",
        values,
    )
    listed = [AuditRecord(*row) for row in found]
    return listed[::-1] if after_seq is not None else listed


def every(session: Session, wanted: AuditFilter) -> Iterator[AuditRecord]:
    """Yield all events that are wanted, oldest first, never all of them in memory."""
    seq = 0
    while True:
        found = page(session, wanted, limit=_CHUNK, after_seq=seq)[::-1]
        yield from found
        if len(found) < _CHUNK:
            return
        seq = found[-1].seq
