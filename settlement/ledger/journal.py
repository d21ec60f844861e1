"""The journal: posts balanced entries at its head, each chained to the one before.

Knows no invoice and no chain; what an entry means is its builder's business.

The hash of an entry is SHA-256, as 64 lower-case hexadecimal digits, over the UTF-8 bytes of one
JSON array without white space, non-ASCII characters as themselves, null for what is absent:

    [prev_hash, seq, kind, source_key, invoice_id, settlement_id, block_number, block_hash, tx_hash,
     reverses_seq, reason, value_date, booked_at, [[account code, phase, amount_minor], …]]

`prev_hash` is the hash of the entry with `seq - 1`, and 64 zeros for seq 1. Postings are in the
order of `line`, which counts from 0 without gaps. `booked_at` is microseconds since 1970 UTC.
This text is a promise: checkers recompute it with code of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple

import orjson
from sqlmodel import Session

from settlement.clock import to_micros
from settlement.errors import Fatal
from settlement.ledger.accounts import WEI, AccountRef, refs
from settlement.ledger.balances import keep
from settlement.ledger.booking_dates import (
    CLOSED_THROUGH,
    NOTHING_CLOSED,
    closed_through,
    in_open_period,
)
from settlement.ledger.entries import PENDING, POSTED, Entry
from settlement.store.bulk import insert_rows, rows, rows_by_key

FIRST_PREV_HASH = "0" * 64

ENTRY_COLUMNS = (
    "seq",
    "kind",
    "source_key",
    "invoice_id",
    "settlement_id",
    "block_number",
    "block_hash",
    "tx_hash",
    "reverses_seq",
    "reason",
    "value_date",
    "booked_at",
    "prev_hash",
    "hash",
)
_POSTING_COLUMNS = ("entry_seq", "line", "account_id", "phase", "amount_minor")
_HEAD_LOCK = 0x6A6F75726E616C
"""Key of the advisory lock that serialises posting on PostgreSQL: "journal" in ASCII."""


class Head(NamedTuple):
    """The newest entry: 0 and zeros before the first."""

    seq: int
    hash: str


class Unbalanced(Fatal):
    """An entry does not sum to zero in a unit and phase: only a bug makes one. Nothing changed."""

    def __init__(self, source_key: str, unit: str, phase: str, left_over: int) -> None:
        super().__init__(f"entry {source_key} is out of balance by {left_over} {unit} ({phase})")
        self.source_key, self.unit, self.phase, self.left_over = source_key, unit, phase, left_over


def post(session: Session, entries: Sequence[Entry], now: datetime) -> int:
    """Append entries in their order and return how many; one whose source key is there is skipped.

    Holds the journal's head until the database transaction ends, so it belongs late in one. A value
    date in a closed period becomes the first open day (see `booking_dates`).

    Raises:
        Unbalanced: an entry does not sum to zero in each unit and phase.
    """
    if not entries:
        return 0
    lock_head(session)
    newest, closed = _head_and_close(session)
    fresh = _fresh(session, entries)
    if not fresh:
        return 0
    known = refs(session, {line[0] for entry in fresh for line in entry.lines})
    require_balanced(fresh, known)
    today = now.date().isoformat()
    dated = [
        entry
        if entry.value_date is not None and entry.value_date > closed
        else in_open_period(entry, entry.value_date or today, closed)
        for entry in fresh
    ]
    _write(session, dated, newest, known, to_micros(now))
    return len(dated)


def lock_head(session: Session) -> None:
    """Let nobody else post, nor close a period, until this database transaction ends.

    On SQLite the one writer is alone already. On PostgreSQL a lock of the newest row would not do:
    who waited for it would go on with the row that was newest when it began to wait.
    """
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s)", (_HEAD_LOCK,))


def head(session: Session) -> Head:
    """Return the newest entry's place and hash."""
    for row in rows(session, "SELECT seq, hash FROM journal_entry ORDER BY seq DESC LIMIT 1"):
        return Head(*row)
    return Head(0, FIRST_PREV_HASH)


def _head_and_close(session: Session) -> tuple[Head, str]:
    """Return the newest entry and the last closed day, in one question where there is an entry."""
    newest = f"SELECT seq, hash, ({CLOSED_THROUGH}) FROM journal_entry ORDER BY seq DESC LIMIT 1"
    for seq, digest, closed in rows(session, newest):
        return Head(seq, digest), closed or NOTHING_CLOSED
    return Head(0, FIRST_PREV_HASH), closed_through(session)


def require_balanced(entries: Sequence[Entry], known: Mapping[str, AccountRef]) -> None:
    """Refuse entries that do not sum to zero in each unit and phase. Pure.

    Raises:
        Unbalanced: one does not.
    """
    units = {code: ref.unit for code, ref in known.items()}
    for entry in entries:
        sums: dict[str, int] = {}
        for code, minor, phase in entry.lines:
            key = units[code] + phase
            sums[key] = sums.get(key, 0) + minor
        if any(sums.values()):
            key = next(key for key, left_over in sums.items() if left_over)
            phase = POSTED if key.endswith(POSTED) else PENDING
            raise Unbalanced(entry.source_key, key.removesuffix(phase), phase, sums[key])


def entry_hash(
    prev_hash: str,
    seq: int,
    entry: Entry,
    booked_at: int,
    lines: Sequence[tuple[str, str, int]],
) -> str:
    """Return the hash of an entry; `lines` are (account code, phase, amount). Shape: see above."""
    return sha256(
        # Kind and key, then all behind the lines: the order that the text above promises.
        orjson.dumps((prev_hash, seq, *entry[:2], *entry[3:], booked_at, lines))
    ).hexdigest()


def _fresh(session: Session, entries: Sequence[Entry]) -> list[Entry]:
    keys = [entry.source_key for entry in entries]
    sql = "SELECT source_key FROM journal_entry WHERE source_key {keys}"
    seen = {key for (key,) in rows_by_key(session, sql, keys)}
    fresh = []
    for entry in entries:
        if entry.source_key not in seen:
            seen.add(entry.source_key)
            fresh.append(entry)
    return fresh


def _write(
    session: Session,
    entries: Sequence[Entry],
    at_head: Head,
    known: Mapping[str, AccountRef],
    booked_at: int,
) -> None:
    seq, prev_hash = at_head
    ids = {code: ref.id for code, ref in known.items()}
    entry_rows: list[tuple[object, ...]] = []
    posting_rows: list[tuple[object, ...]] = []
    posted = dict.fromkeys(known, 0)
    pending: list[tuple[int, int, str]] = []
    for entry in entries:
        seq += 1
        lines = [(code, phase, minor) for code, minor, phase in entry.lines]
        digest = entry_hash(prev_hash, seq, entry, booked_at, lines)
        entry_rows.append((seq, *entry[:2], *entry[3:], booked_at, prev_hash, digest))
        posting_rows += [
            (seq, line, ids[code], phase, minor) for line, (code, phase, minor) in enumerate(lines)
        ]
        for code, phase, minor in lines:
            if phase == POSTED:
                posted[code] += minor
            else:
                pending.append((ids[code], minor, entry.kind))
        prev_hash = digest
    insert_rows(session, "journal_entry", ENTRY_COLUMNS, entry_rows)
    insert_rows(session, "posting", _POSTING_COLUMNS, posting_rows)
    wei_accounts = {ref.id for ref in known.values() if ref.unit == WEI}
    keep(session, {ids[code]: minor for code, minor in posted.items()}, pending, wei_accounts)
