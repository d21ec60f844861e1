"""Journal entries as they are stored, read in bulk with their lines.

Changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sqlmodel import Session

from settlement.ledger.entries import Entry
from settlement.ledger.journal import ENTRY_COLUMNS
from settlement.store.bulk import Row, rows, rows_by_key

_ENTRY = f"SELECT {', '.join(ENTRY_COLUMNS)} FROM journal_entry"
_LINES = (
    "SELECT p.entry_seq, p.line, a.code, p.phase, p.amount_minor, a.unit"
    " FROM posting p JOIN account a ON a.id = p.account_id"
)
_PAGE = 5000


class StoredLine(NamedTuple):
    """A posting, with its account's code and unit."""

    entry_seq: int
    line: int
    code: str
    phase: str
    minor: int
    unit: str


class StoredEntry(NamedTuple):
    """An entry with what the journal added to it; its lines are in `lines`, not in `entry`."""

    seq: int
    entry: Entry
    booked_at: int
    prev_hash: str
    hash: str
    lines: list[StoredLine]


def by_seq(session: Session, seqs: Sequence[int]) -> list[StoredEntry]:
    """Return these entries in order of seq."""
    entries = rows_by_key(session, f"{_ENTRY} WHERE seq {{keys}} ORDER BY seq", seqs)
    lines = rows_by_key(
        session, f"{_LINES} WHERE p.entry_seq {{keys}} ORDER BY p.entry_seq, p.line", seqs
    )
    return _joined(entries, lines)


def pages(session: Session, after: int = 0) -> Iterator[list[StoredEntry]]:
    """Yield all entries with seq above `after` in order, a bounded number at a time."""
    while True:
        entries = rows(session, f"{_ENTRY} WHERE seq > ? ORDER BY seq LIMIT {_PAGE}", (after,))
        if not entries:
            return
        last = entries[-1][0]
        lines = rows(
            session,
            f"{_LINES} WHERE p.entry_seq > ? AND p.entry_seq <= ? ORDER BY p.entry_seq, p.line",
            (after, last),
        )
        yield _joined(entries, lines)
        after = last


def _joined(entries: list[Row], lines: list[Row]) -> list[StoredEntry]:
    of_entry: dict[int, list[StoredLine]] = {row[0]: [] for row in entries}
    for line in lines:
        of_entry[line[0]].append(StoredLine._make(line))
    joined = []
    for row in entries:
        seq, kind, source_key, *fields, booked_at, prev_hash, digest = row
        entry = Entry(kind, source_key, (), *fields)
        joined.append(StoredEntry(seq, entry, booked_at, prev_hash, digest, of_entry[seq]))
    return joined
