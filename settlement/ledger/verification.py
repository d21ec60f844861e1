"""Whether the journal is what was posted: every hash recomputed from the stored rows, in order.

Finds edits, gaps and swapped rows, and names the first. What was cut off at the end it cannot see:
compare the head that it returns with one that was noted elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import Session

from settlement.errors import StoreCorrupt
from settlement.ledger import stored
from settlement.ledger.journal import FIRST_PREV_HASH, Head, entry_hash, head
from settlement.ledger.stored import StoredEntry


class JournalEdited(StoreCorrupt):
    """The newest entry is not as it was posted."""

    def __init__(self, seq: int, reason: str) -> None:
        super().__init__(
            f"journal entry {seq} is not as it was posted: {reason}. Restore a backup, or ask"
            " `settle journal verify` for the first bad entry; nothing is sent before"
        )
        self.seq, self.reason = seq, reason


@dataclass(frozen=True, slots=True)
class BadEntry:
    """The first entry that is not as it was posted."""

    seq: int
    reason: str


@dataclass(frozen=True, slots=True)
class ChainVerdict:
    """How far the chain of hashes holds: `head` is its last good entry."""

    head: Head
    bad: BadEntry | None

    @property
    def holds(self) -> bool:
        """Whether every entry is as it was posted."""
        return self.bad is None


def verify_chain(session: Session, after: Head | None = None) -> ChainVerdict:
    """Recompute every hash behind `after`, an entry that was found good before; default: all."""
    at = after or Head(0, FIRST_PREV_HASH)
    for page in stored.pages(session, at.seq):
        for entry in page:
            reason = fault(entry, at)
            if reason:
                return ChainVerdict(at, BadEntry(entry.seq, reason))
            at = Head(entry.seq, entry.hash)
    return ChainVerdict(at, None)


def require_sound_head(session: Session) -> None:
    """Recompute the newest entry's hash: cheap, however long the journal.

    Raises:
        JournalEdited: it is not as it was posted.
    """
    newest = head(session).seq
    found = stored.by_seq(session, [newest - 1, newest])
    if not found:
        return
    before = Head(found[0].seq, found[0].hash) if len(found) > 1 else Head(0, FIRST_PREV_HASH)
    reason = fault(found[-1], before)
    if reason:
        raise JournalEdited(newest, reason)


def fault(entry: StoredEntry, before: Head) -> str | None:
    """Say what is wrong with an entry that follows `before`, None if nothing is. Pure."""
    if entry.seq != before.seq + 1:
        return f"entry {before.seq + 1} is missing"
    if entry.prev_hash != before.hash:
        return f"its prev_hash is not the hash of entry {before.seq}"
    lines = []
    sums: dict[tuple[str, str], int] = {}
    for number, (_seq, line, code, phase, minor, unit) in enumerate(entry.lines):
        if line != number:
            return "its postings are not numbered from 0 without gaps"
        if not code.endswith(f":{unit}"):
            return "an account's unit is not the one that its code says"
        sums[unit, phase] = sums.get((unit, phase), 0) + minor
        lines.append((code, phase, minor))
    digest = entry_hash(before.hash, entry.seq, entry.entry, entry.booked_at, lines)
    if digest != entry.hash:
        return "its hash is not that of its fields and postings: a row was edited"
    if any(sums.values()):
        return "it does not sum to zero in each unit and phase"
    return None
