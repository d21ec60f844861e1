"""Reversals: what was booked and must not stand is undone by opposite entries, never deleted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlmodel import Session

from settlement.ledger.entries import Entry, Line
from settlement.ledger.journal import post
from settlement.ledger.stored import StoredEntry, by_seq
from settlement.store.bulk import chunks

_AT_ONCE = 5000


def reverse(session: Session, seqs: Sequence[int], now: datetime, reason: str) -> int:
    """Post the opposite of each entry, pending lines too; one that is reversed already stays so.

    A reversal carries the block of the entry it reverses, so that both count at the same blocks.
    """
    return sum(
        post(session, list(_reversals(by_seq(session, some), reason)), now)
        for some in chunks(sorted(seqs), _AT_ONCE)
    )


def _reversals(entries: list[StoredEntry], reason: str) -> Iterator[Entry]:
    for stored in entries:
        entry = stored.entry
        assert entry.reverses_seq is None, f"entry {stored.seq} is a reversal itself"
        yield entry._replace(
            kind="reversal",
            source_key=f"rev:{stored.seq}",
            lines=tuple(
                Line(code, -minor, phase) for _seq, _line, code, phase, minor, _unit in stored.lines
            ),
            reverses_seq=stored.seq,
            reason=reason,
        )
