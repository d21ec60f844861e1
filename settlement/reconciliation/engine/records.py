"""Projection: what the sources hold becomes records, once each; what is undone there is withdrawn.

Incremental: marks say how far each source was read. Matches nothing, but a record that is
withdrawn takes its match with it, and the others in it are open again.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import text
from sqlmodel import Session

from settlement.clock import to_micros
from settlement.reconciliation.engine import sources
from settlement.reconciliation.engine.dialect import settle_ids
from settlement.reconciliation.engine.remittance import name_references
from settlement.reconciliation.engine.undoing import undo_of_records
from settlement.store.bulk import rows, rows_by_key

CHUNK = 50_000
"""Rows of a source that one database transaction reads, unless told otherwise."""


class _Stream(NamedTuple):
    """A source whose rows have growing numbers, read up to a mark."""

    name: str
    table: str
    number: str
    has_many_writers: bool


_STREAMS = (
    _Stream("payments", "settlement_match", "id", False),
    _Stream("bank", "bank_entry", "id", True),
    _Stream("journal", "journal_entry", "seq", False),
    _Stream("expected", "expected_payment", "id", True),
)
_ACCOUNTS = "accounts"
_READ_ANEW = ("payments", "journal")
"""What an account that is registered later concerns too: read from the beginning again."""


@dataclass(frozen=True, slots=True)
class Projected:
    """What came and what went, and whether the sources hold more than was read."""

    added: int
    withdrawn: int
    reopened: int
    """Records whose match was undone because another record in it was withdrawn."""
    is_complete: bool


def project(session: Session, now: datetime, *, limit: int | None = None) -> Projected:
    """Read what is new in every source, at most `limit` rows of each, and withdraw what is gone."""
    marks = read_marks(session)
    if _accounts_changed(session, marks):
        marks |= dict.fromkeys(_READ_ANEW, 0)
    has_accounts = marks[_ACCOUNTS] > 0
    added, is_complete, reversed_ids = 0, True, set[int]()
    for stream in _STREAMS:
        after = marks.get(stream.name, 0)
        newest = _newest(session, stream)
        through = newest if limit is None else min(newest, after + limit)
        is_complete &= through == newest
        if through > after:
            span = {"after": after, "through": through, "at": to_micros(now)}
            for statement in _statements(session, stream.name, has_accounts):
                added += int(session.connection().execute(text(statement), span).rowcount)
            if stream.name == "bank":
                name_references(session, after=after, through=through)
            if stream.name == "journal":
                reversed_ids |= _withdraw(session, sources.REVERSED_LOGS, span)
        marks[stream.name] = through
    claims = text(sources.invoices(session))
    gone = reversed_ids | _withdraw_all(session)
    added += int(session.connection().execute(claims, {"at": to_micros(now)}).rowcount)
    reopened = undo_of_records(session, gone, now)
    _leave_marks(session, marks)
    return Projected(added, len(gone), reopened, is_complete)


def read_marks(session: Session) -> dict[str, int]:
    """Return how far each source has been read."""
    return dict(rows(session, "SELECT name, seq FROM recon_mark"))


def _statements(session: Session, name: str, has_accounts: bool) -> tuple[str, ...]:
    if name == "payments":
        return (sources.payments(session),) if has_accounts else ()
    if name == "bank":
        return (sources.bank(session),)
    if name == "journal":
        supply = sources.supply(session) if has_accounts else ()
        return (*sources.transfers(session), *supply)
    return (sources.expected(session),)


def _accounts_changed(session: Session, marks: dict[str, int]) -> bool:
    known = marks.get(_ACCOUNTS, 0)
    ((count,),) = rows(session, "SELECT COUNT(*) FROM bank_account")
    marks[_ACCOUNTS] = count
    return bool(count != known)


def _newest(session: Session, stream: _Stream) -> int:
    if stream.has_many_writers:
        settle_ids(session, stream.table)
    ((newest,),) = rows(session, f"SELECT COALESCE(MAX({stream.number}), 0) FROM {stream.table}")
    return int(newest)


def _withdraw_all(session: Session) -> set[int]:
    gone = set[int]()
    for statement in (
        sources.UNDONE_PAYMENTS,
        sources.CLOSED_CLAIMS,
        sources.GONE_INVOICES,
        sources.CANCELLED_EXPECTATIONS,
    ):
        gone |= _withdraw(session, statement, {})
    return gone


def _withdraw(session: Session, statement: str, span: dict[str, int]) -> set[int]:
    made = session.connection().execute(text(f"{statement} RETURNING id"), span)
    gone = {key for (key,) in made}
    return gone | _withdraw_parts(session, gone)


def _withdraw_parts(session: Session, parents: Collection[int]) -> set[int]:
    """A part is nothing without the whole. Parts are never split again: one step is all."""
    parts = {
        key
        for (key,) in rows_by_key(
            session,
            "SELECT id FROM recon_record WHERE parent_id {keys} AND state <> 'withdrawn'",
            parents,
        )
    }
    if parts:
        session.connection().execute(
            text("UPDATE recon_record SET state = 'withdrawn', fresh = false WHERE id = :id"),
            [{"id": key} for key in sorted(parts)],
        )
    return parts


def _leave_marks(session: Session, marks: dict[str, int]) -> None:
    session.connection().execute(
        text(
            "INSERT INTO recon_mark (name, seq) VALUES (:name, :seq)"
            " ON CONFLICT (name) DO UPDATE SET seq = excluded.seq WHERE recon_mark.seq <> :seq"
        ),
        [{"name": name, "seq": seq} for name, seq in sorted(marks.items())],
    )
