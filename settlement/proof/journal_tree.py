"""A Merkle tree over the journal: few hashes show an entry's place in all of it, up to a head.

A leaf commits to an entry's hash and to the entry before it of the same invoice, so that nobody can
leave one of an invoice's entries out. Decides nothing; stores nothing but sums of what is stored.
Source: RFC 6962, 2.1 for the tree; docs/decisions/0008-a-merkle-tree-over-the-journal.md.
"""

from __future__ import annotations

from hashlib import sha256
from threading import Lock

from sqlmodel import Session

from settlement.store.bulk import rows

CHUNK = 256
"""Leaves whose common node is kept: the rest is read again when it is asked for."""

_PAGE = 100 * CHUNK
_LEAVES = (
    "SELECT e.hash, COALESCE((SELECT MAX(p.seq) FROM journal_entry p"
    " WHERE p.invoice_id = e.invoice_id AND p.seq < e.seq), 0)"
    " FROM journal_entry e WHERE e.seq > ? AND e.seq <= ? ORDER BY e.seq"
)


def leaf(entry_hash: str, previous_of_invoice: int) -> bytes:
    """Return an entry's leaf; 0 is said of the first entry of an invoice, and of none's."""
    return sha256(
        b"\0" + bytes.fromhex(entry_hash) + previous_of_invoice.to_bytes(8, "big")
    ).digest()


class JournalTree:
    """What one process keeps of the tree: a hash for every `CHUNK` entries, and those above it.

    The journal is append-only, so what is kept stays true. Used by many threads.
    """

    def __init__(self) -> None:
        # At place h: the nodes over 2^h whole chunks each, in order.
        self._levels: list[list[bytes]] = [[]]
        self._lock = Lock()

    def grow(self, session: Session, size: int) -> None:
        """Take in what was posted up to `size` entries; the first time reads all of it."""
        with self._lock:
            while (done := len(self._levels[0]) * CHUNK) + CHUNK <= size:
                last = min(done + _PAGE, size - size % CHUNK)
                found = _leaves(session, done, last)
                for start in range(0, len(found), CHUNK):
                    self._append(_root(found[start : start + CHUNK]))

    def at(self, session: Session, size: int) -> TreeHead:
        """Return the tree over the first `size` entries, as this session sees them."""
        self.grow(session, size)
        return TreeHead(self._levels, session, size)

    def _append(self, node: bytes) -> None:
        self._levels[0].append(node)
        height = 0
        while len(self._levels[height]) % 2 == 0:
            left, right = self._levels[height][-2:]
            height += 1
            if height == len(self._levels):
                self._levels.append([])
            self._levels[height].append(_inner(left, right))


class TreeHead:
    """The tree over a fixed number of entries."""

    def __init__(self, levels: list[list[bytes]], session: Session, size: int) -> None:
        self._levels, self._session, self.size = levels, session, size
        self._read: dict[int, list[bytes]] = {}

    def root(self) -> str:
        """Return the root and the number of its entries as one hash, of 64 hexadecimal digits."""
        # Alone the root would leave open how many entries there are.
        size = self.size.to_bytes(8, "big")
        return sha256(b"\2" + size + self._node(0, self.size)).hexdigest()

    def path(self, seq: int) -> list[str]:
        """Return the hashes that lead from the leaf of entry `seq` to the root, lowest first."""
        found = []
        start, end, place = 0, self.size, seq - 1
        while end - start > 1:
            middle = start + _left(end - start)
            if place < middle:
                found.append(self._node(middle, end).hex())
                end = middle
            else:
                found.append(self._node(start, middle).hex())
                start = middle
        return found[::-1]

    def previous_of_invoice(self, seq: int) -> int:
        """Return what the leaf of entry `seq` says of the one before it of the same invoice."""
        ((_hash, previous),) = rows(self._session, _LEAVES, (seq - 1, seq))
        return int(previous)

    def _node(self, start: int, end: int) -> bytes:
        """Return the node over the leaves from `start` to `end`, a range that the tree has."""
        count = end - start
        if count < CHUNK:
            # A range of the tree never lies across the border of two chunks.
            chunk = start - start % CHUNK
            if chunk not in self._read:
                last = min(chunk + CHUNK, self.size)
                self._read[chunk] = _leaves(self._session, chunk, last)
            return _root(self._read[chunk][start - chunk : end - chunk])
        if count & (count - 1) == 0:
            height = (count // CHUNK).bit_length() - 1
            return self._levels[height][start // count]
        middle = start + _left(count)
        return _inner(self._node(start, middle), self._node(middle, end))


def _leaves(session: Session, after: int, through: int) -> list[bytes]:
    found = [leaf(*row) for row in rows(session, _LEAVES, (after, through))]
    assert len(found) == through - after, "the journal has no gaps"
    return found


def _root(leaves: list[bytes]) -> bytes:
    if len(leaves) == 1:
        return leaves[0]
    middle = _left(len(leaves))
    return _inner(_root(leaves[:middle]), _root(leaves[middle:]))


def _left(count: int) -> int:
    """Return how many of `count` leaves stand to the left: the largest power of two below it."""
    return 1 << (count - 1).bit_length() - 1


def _inner(left: bytes, right: bytes) -> bytes:
    return sha256(b"\1" + left + right).digest()
