"""`python -m settlement.verify.journal_chain`: the whole chain of hashes, from the first entry on.

Reads the database once, in order, and keeps no entry; asks no node. Names the first entry that is
not as it was posted, and gives the head and the root over all of them.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from typing import Any

from settlement.verify.database import Database
from settlement.verify.findings import Finding
from settlement.verify.journal import Entry, digest_of, entries
from settlement.verify.rpc import NotJudged

HOLDS, BROKEN, NOT_JUDGED = 0, 1, 2

_PREVIOUS = (
    "SELECT e.seq, COALESCE((SELECT MAX(p.seq) FROM journal_entry p"
    " WHERE p.invoice_id = e.invoice_id AND p.seq < e.seq), 0) FROM journal_entry e ORDER BY e.seq"
)


class Tree:
    """A Merkle tree that grows at its end and keeps one hash for each of its whole parts.

    Source: RFC 6962, 2.1; a leaf is an entry's hash and the seq of its invoice's entry before.
    """

    def __init__(self) -> None:
        self._parts: list[tuple[int, bytes]] = []

    def append(self, entry_hash: str, previous_of_invoice: int) -> None:
        """Add an entry."""
        leaf = b"\0" + bytes.fromhex(entry_hash) + previous_of_invoice.to_bytes(8, "big")
        size, node = 1, sha256(leaf).digest()
        while self._parts and self._parts[-1][0] == size:
            node = _inner(self._parts.pop()[1], node)
            size *= 2
        self._parts.append((size, node))

    def root(self) -> str | None:
        """Return the root with the number of what was added, as one hash; None over nothing."""
        if not self._parts:
            return None
        size = sum(size for size, _node in self._parts)
        node = self._parts[-1][1]
        for _size, left in reversed(self._parts[:-1]):
            node = _inner(left, node)
        return sha256(b"\2" + size.to_bytes(8, "big") + node).hexdigest()


@dataclass(slots=True)
class Verdict:
    """How far the chain holds."""

    entries: int = 0
    head: str = "0" * 64
    root: str | None = None
    bad_entry: int | None = None
    field: str | None = None
    """What differs: seq, prev_hash, hash, a posting's line, an account's unit, the sum."""
    reason: str | None = None
    noted: dict[str, Any] | None = None
    """Where the head that was noted elsewhere stands, with the root over all up to it."""

    @property
    def holds(self) -> bool:
        """Whether nothing speaks against the journal."""
        return self.reason is None


def verify(database: Database, noted_head: str | None = None) -> Verdict:
    """Return the verdict on the whole journal; `noted_head` is the hash of an entry it must hold.

    Raises:
        NotJudged: the database cannot be read.
    """
    verdict, tree, strays = Verdict(), Tree(), Finding("I7", "strays")
    before = database.stream(_PREVIOUS)
    for entry, following in pairwise(_and_none(entries(database, strays))):
        assert entry is not None
        fault = _fault(entry, verdict, following)
        if fault is not None:
            verdict.field, verdict.reason = fault
            is_missing = verdict.field == "seq"
            verdict.bad_entry = verdict.entries + 1 if is_missing else entry.seq
            return verdict
        verdict.entries, verdict.head = entry.seq, entry.hash
        _seq, previous = next(before)
        tree.append(entry.hash, previous)
        if entry.hash == noted_head:
            verdict.noted = {"entries": entry.seq, "root": tree.root()}
    verdict.root = tree.root()
    # Amid the entries a posting of none is a missing entry; here are those behind the last one.
    if strays.offenders:
        verdict.field, verdict.reason = "entry_seq", strays.offenders[0]
    elif noted_head is not None and verdict.noted is None:
        verdict.field = "head"
        verdict.reason = (
            f"no entry has the hash {noted_head}: the journal was cut off at its end, or is another"
        )
    return verdict


def _and_none(found: Iterator[Entry]) -> Iterator[Entry | None]:
    yield from found
    yield None


def _fault(entry: Entry, before: Verdict, following: Entry | None) -> tuple[str, str] | None:
    """Say what differs in an entry, and in which words; None if nothing does. Pure."""
    seq = entry.seq
    if seq != before.entries + 1:
        return "seq", f"entry {before.entries + 1} is missing"
    if entry.prev_hash != before.head:
        return "prev_hash", f"its prev_hash is not the hash of entry {before.entries}"
    if [posting.line for posting in entry.postings] != list(range(len(entry.postings))):
        return "line", "its postings are not numbered from 0 without gaps"
    sums: dict[tuple[str, str], int] = {}
    for posting in entry.postings:
        if posting.code.rpartition(":")[2] != posting.unit:
            return "unit", f"account {posting.code} is kept in {posting.unit}"
        if not isinstance(posting.amount, int):
            return "amount_minor", f"line {posting.line} holds {posting.amount!r:.40}"
        key = (posting.unit, posting.phase)
        sums[key] = sums.get(key, 0) + posting.amount
    digest = digest_of(entry)
    if digest != entry.hash:
        if following is not None and following.prev_hash == digest:
            return "hash", "its hash was edited: its content has the hash that the next one names"
        return "hash", "its hash is not that of its fields and postings: one of them was edited"
    for (unit, phase), left in sums.items():
        if left:
            return "amount_minor", f"it is off by {left} {unit} ({phase})"
    return None


def main(arguments: list[str] | None = None) -> int:
    """Judge, print, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="settle verify journal", description="Check the journal's whole chain of hashes."
    )
    parser.add_argument("--database", required=True, help="sqlite:///file or postgresql://…")
    parser.add_argument("--head", help="the hash of an entry that you noted: is it still there?")
    parser.add_argument("--json", action="store_true", help="answer as JSON")
    asked = parser.parse_args(arguments)
    try:
        database = Database(asked.database)
        try:
            verdict = verify(database, asked.head)
        finally:
            database.close()
    except NotJudged as error:
        print(f"verify: not judged: {error}", file=sys.stderr)
        return NOT_JUDGED
    answer = {
        "holds": verdict.holds,
        "entries": verdict.entries,
        "head": verdict.head,
        "root": verdict.root,
        "bad_entry": verdict.bad_entry,
        "field": verdict.field,
        "reason": verdict.reason,
        "noted": verdict.noted,
    }
    if asked.json:
        print(json.dumps(answer))
    else:
        for name, value in answer.items():
            if value is not None:
                print(f"{name.replace('_', ' '):<10} {value}")
    return HOLDS if verdict.holds else BROKEN


def _inner(left: bytes, right: bytes) -> bytes:
    return sha256(b"\1" + left + right).digest()


if __name__ == "__main__":
    sys.exit(main())
