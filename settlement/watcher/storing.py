"""Facts into the database: blocks, receipts, logs and cursor, orphaned branches marked.

Asks no node; every function is part of one database transaction of its caller.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, text
from sqlmodel import Session

from settlement.chain.port import BlockRef, Hash
from settlement.clock import to_micros
from settlement.errors import Retryable
from settlement.store.bulk import insert_rows, rows, rows_by_key, run
from settlement.watcher.decoding import LOG_COLUMNS, RECEIPT_COLUMNS, Rows
from settlement.watcher.position import FINAL, HEAD, Tip

_CANONICAL_FROM = "SELECT number, hash FROM block WHERE canonical AND number >= :first"
_CANONICAL = "SELECT hash FROM block WHERE canonical AND number = :number"
_KNOWN = "SELECT hash FROM block WHERE hash {keys}"
_ORPHAN = "UPDATE block SET canonical = false WHERE canonical AND number > :above"
_MOVE = (
    "UPDATE cursor SET number = :number, hash = :hash, at = :at WHERE name = :name AND hash = :old"
)
_BLOCK_COLUMNS = ("hash", "number", "parent_hash", "timestamp", "canonical", "seen_at")


class HeadMoved(Retryable):
    """Another worker moved the head between decision and storing; nothing was written."""

    def __init__(self, number: int) -> None:
        super().__init__(f"another worker has moved the head on from block {number}")
        self.number = number


def canonical_hashes(session: Session, first: int) -> dict[int, Hash]:
    """Return the hashes of the stored canonical blocks from `first` on, by number."""
    return {number: Hash(key) for number, key in rows(session, _CANONICAL_FROM, {"first": first})}


def canonical_hash(session: Session, number: int) -> Hash | None:
    """Return the hash of the stored canonical block at `number`."""
    for (found,) in rows(session, _CANONICAL, {"number": number}):
        return Hash(found)
    return None


def known(session: Session, blocks: Sequence[BlockRef]) -> set[Hash]:
    """Return which of `blocks` were seen before: their receipts and logs are stored."""
    return {Hash(key) for (key,) in rows_by_key(session, _KNOWN, [each.hash for each in blocks])}


def orphan(session: Session, above: int) -> int:
    """Mark every canonical block above a number as orphaned; return how many."""
    return run(session, _ORPHAN, {"above": above})


def revive(session: Session, blocks: Sequence[BlockRef]) -> None:
    """Mark blocks canonical that were orphaned; what was taken back of them is due once more."""
    if not blocks:
        return
    for statement in (
        "UPDATE block SET canonical = true WHERE hash IN :hashes",
        "UPDATE receipt SET books = 'due'"
        " WHERE block_hash IN :hashes AND books IN ('reversed', 'none')",
    ):
        session.execute(
            text(statement).bindparams(bindparam("hashes", expanding=True)),
            {"hashes": [block.hash for block in blocks]},
        )


def insert_blocks(session: Session, blocks: Sequence[BlockRef], now: datetime) -> None:
    """Store new canonical blocks."""
    seen_at = to_micros(now)
    insert_rows(
        session,
        "block",
        _BLOCK_COLUMNS,
        [
            (block.hash, block.number, block.parent_hash, block.timestamp, True, seen_at)
            for block in blocks
        ],
    )


def insert_facts(session: Session, found: Rows) -> None:
    """Store receipts and logs of blocks that are stored in the same database transaction."""
    insert_rows(session, "receipt", RECEIPT_COLUMNS, found.receipts)
    insert_rows(session, "chain_log", LOG_COLUMNS, found.logs)


def begin(session: Session, base: BlockRef, now: datetime) -> None:
    """Store the block that all others stand on, and both cursors on it. A second run is a no-op."""
    insert_cursor = text(
        "INSERT INTO cursor (name, number, hash, at) VALUES (:name, :number, :hash, :at)"
        " ON CONFLICT (name) DO NOTHING RETURNING name"
    )
    place = {"number": base.number, "hash": base.hash, "at": to_micros(now)}
    if session.execute(insert_cursor, {"name": HEAD, **place}).scalar() is not None:
        session.execute(insert_cursor, {"name": FINAL, **place})
        insert_blocks(session, [base], now)


def move_head(session: Session, old: Tip, new: Tip, now: datetime) -> None:
    """Move the head from the block that it was decided on.

    Raises:
        HeadMoved: another worker stored blocks meanwhile.
    """
    if not _move(session, HEAD, old, new, now):
        raise HeadMoved(old.number)


def raise_final(session: Session, old: Tip, limit: int, now: datetime) -> Tip:
    """Move the last final block up to height `limit`, never down; return it."""
    if limit <= old.number:
        return old
    block_hash = canonical_hash(session, limit)
    assert block_hash is not None, "the head stands on it"
    new = Tip(limit, block_hash)
    _move(session, FINAL, old, new, now)
    return new


def _move(session: Session, name: str, old: Tip, new: Tip, now: datetime) -> bool:
    place = {"name": name, "number": new.number, "hash": new.hash, "at": to_micros(now)}
    return run(session, _MOVE, {**place, "old": old.hash}) == 1
