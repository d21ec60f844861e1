"""What a journal file holds, in its order: openings, entries by value date, and what must be true.

Every figure to be asserted is added up by the database, not from the entries that are written, so
that a file which lacks one does not balance. Reservations are no money and are left out. Bounded
memory: of all entries only their numbers are held.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate
from random import Random
from typing import NamedTuple

from sqlmodel import Session

from settlement.documents.identifiers import minor_units
from settlement.ledger import stored
from settlement.ledger.balances import SUM_HALVES, whole
from settlement.ledger.entries import POSTED
from settlement.ledger.journal import Head, head
from settlement.ledger.stored import StoredEntry
from settlement.store.bulk import Row, rows
from settlement.store.engine import statement

AT_ONCE = 2000
BLOCK_KINDS = ("coin", "funding", "gas", "liability", "wallet")
"""Kinds of account whose every posting comes from a block."""

_DAY = timedelta(days=1)
_FIRST_OF_ALL, _LAST_OF_ALL = "0001-01-01", "9999-12-31"

Sums = dict[str, int]
"""Minor units by account code."""


class BlockEnd(NamedTuple):
    """A block, the value date of its last entry, and what those that moved have after it."""

    number: int
    day: str
    sums: Sums


@dataclass(frozen=True, slots=True)
class Scope:
    """Which part of the journal is written: value dates, both included, up to the newest entry."""

    head: Head
    first: str
    last: str

    @property
    def is_from_the_beginning(self) -> bool:
        """Whether there is nothing before it."""
        return self.first == _FIRST_OF_ALL


def scope(session: Session, first: date | None, last: date | None) -> Scope:
    """Return what of the journal is to be written, as it is now."""
    return Scope(
        head(session),
        first.isoformat() if first else _FIRST_OF_ALL,
        last.isoformat() if last else _LAST_OF_ALL,
    )


def accounts(session: Session, of: Scope) -> list[str]:
    """Return the code of every account that money was posted to, in alphabetical order."""
    found = rows(
        session,
        "SELECT a.code FROM account a WHERE EXISTS (SELECT 1 FROM posting p"
        " WHERE p.account_id = a.id AND p.phase = 'posted' AND p.entry_seq <= ?)",
        (of.head.seq,),
    )
    return sorted(code for (code,) in found)


def decimals(session: Session) -> dict[str, int]:
    """Return the digits behind the point of every unit that an account is kept in."""
    tokens: dict[str, int] = dict(rows(session, "SELECT symbol, decimals FROM token"))
    units = rows(session, "SELECT DISTINCT unit FROM account")
    return {unit: tokens[unit] if unit in tokens else minor_units(unit) or 0 for (unit,) in units}


def first_day(session: Session, of: Scope) -> str:
    """Return the day on which the file begins."""
    if not of.is_from_the_beginning:
        return of.first
    found = rows(session, "SELECT MIN(value_date) FROM journal_entry")[0][0]
    return found or _FIRST_OF_ALL


def opening(session: Session, of: Scope) -> Sums:
    """Return what each account has before the first day, without zeros: zero in sum."""
    if of.is_from_the_beginning:
        return {}
    return _sums(session, "e.seq <= ? AND e.value_date < ?", (of.head.seq, of.first))


def closing(session: Session, of: Scope) -> Sums:
    """Return what each account has after the last day; zeros too."""
    found = _sums(session, "e.seq <= ? AND e.value_date <= ?", (of.head.seq, of.last))
    return {code: found.get(code, 0) for code in accounts(session, of)}


def pages(session: Session, of: Scope) -> Iterator[list[StoredEntry]]:
    """Yield the entries by value date, block and seq; entries of reservations alone left out."""
    order = array(
        "q",
        (
            row[0]
            for row in session.execute(
                statement(
                    "SELECT e.seq FROM journal_entry e WHERE e.seq <= :head"
                    " AND e.value_date >= :first AND e.value_date <= :last"
                    " AND (NOT EXISTS (SELECT 1 FROM posting p WHERE p.entry_seq = e.seq)"
                    " OR EXISTS (SELECT 1 FROM posting p WHERE p.entry_seq = e.seq"
                    "  AND p.phase = 'posted'))"
                    " ORDER BY e.value_date, COALESCE(e.block_number, -1), e.seq"
                ),
                {"head": of.head.seq, "first": of.first, "last": of.last},
            )
        ),
    )
    for start in range(0, len(order), AT_ONCE):
        seqs = order[start : start + AT_ONCE].tolist()
        found = {each.seq: each for each in stored.by_seq(session, seqs)}
        yield [_posted(found[seq]) for seq in seqs]


def day_ends(session: Session, of: Scope) -> Iterator[tuple[str, Sums]]:
    """Yield each day with what the accounts that moved on it have at its end."""
    found = session.execute(
        statement(
            f"SELECT e.value_date, a.code, {SUM_HALVES} FROM journal_entry e"
            " JOIN posting p ON p.entry_seq = e.seq JOIN account a ON a.id = p.account_id"
            " WHERE e.seq <= :head AND e.value_date >= :first AND e.value_date <= :last"
            " AND p.phase = 'posted' GROUP BY e.value_date, a.code ORDER BY e.value_date, a.code"
        ),
        {"head": of.head.seq, "first": of.first, "last": of.last},
        execution_options={"stream_results": True, "yield_per": AT_ONCE},
    )
    kept = opening(session, of)
    day = ""
    moved: Sums = {}
    for value_date, code, high, low in found:
        if value_date != day:
            if moved:
                yield day, moved
            day, moved = value_date, {}
        kept[code] = moved[code] = kept.get(code, 0) + whole(high, low)
    if moved:
        yield day, moved


def block_ends(
    session: Session, of: Scope, *, final_block: int, count: int, seed: int
) -> list[BlockEnd]:
    """Return up to `count` blocks, drawn by `seed`, with what the accounts then have that moved.

    A block is drawn only if all of its past stands before it in the file and nothing else does: not
    where a closed period has put something of its past behind it.
    """
    blocks = rows(
        session,
        "SELECT block_number, MIN(value_date), MAX(value_date) FROM journal_entry"
        " WHERE block_number IS NOT NULL AND seq <= ? GROUP BY block_number ORDER BY block_number",
        (of.head.seq,),
    )
    clean = [
        (number, day)
        for number, day in _clean_cuts(blocks)
        if number <= final_block and of.first <= day <= of.last
    ]
    drawn = sorted(Random(seed).sample(clean, min(count, len(clean))))
    ends: list[BlockEnd] = []
    kept: Sums = {}
    kinds = ", ".join(f"'{kind}'" for kind in BLOCK_KINDS)
    before = -1
    for number, day in drawn:
        found = rows(
            session,
            f"SELECT a.code, {SUM_HALVES}"
            # In this order: else the whole journal is read for each of the blocks.
            " FROM journal_entry e CROSS JOIN posting p CROSS JOIN account a"
            " WHERE e.block_number > ? AND e.block_number <= ? AND e.seq + 0 <= ?"
            " AND p.entry_seq = e.seq AND p.phase = 'posted' AND a.id = p.account_id"
            f" AND a.kind IN ({kinds}) GROUP BY a.code ORDER BY a.code",
            (before, number, of.head.seq),
        )
        moved = {code: whole(high, low) for code, high, low in found}
        for code, minor in moved.items():
            kept[code] = kept.get(code, 0) + minor
        ends.append(BlockEnd(number, day, {code: kept[code] for code in moved}))
        before = number
    return ends


def day_after(day: str) -> str:
    """Return the next day."""
    return (date.fromisoformat(day) + _DAY).isoformat()


def _clean_cuts(blocks: list[Row]) -> list[tuple[int, str]]:
    """Return each block, with its last day, that divides the file as it divides the chain. Pure."""
    latest = list(accumulate((last for _number, _first, last in blocks), max))
    earliest = list(accumulate((first for _number, first, _last in reversed(blocks)), min))[::-1]
    return [
        (number, last)
        for place, (number, _first, last) in enumerate(blocks)
        if latest[place] == last and (place + 1 == len(blocks) or earliest[place + 1] >= last)
    ]


def _sums(session: Session, where: str, values: tuple[int | str, ...]) -> Sums:
    found = rows(
        session,
        f"SELECT a.code, {SUM_HALVES} FROM journal_entry e JOIN posting p ON p.entry_seq = e.seq"
        f" JOIN account a ON a.id = p.account_id WHERE {where} AND p.phase = 'posted'"
        " GROUP BY a.code ORDER BY a.code",
        values,
    )
    sums = ((code, whole(high, low)) for code, high, low in found)
    return {code: minor for code, minor in sums if minor}


def _posted(entry: StoredEntry) -> StoredEntry:
    return entry._replace(lines=[line for line in entry.lines if line.phase == POSTED])
