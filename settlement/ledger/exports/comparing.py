"""Whether a file that was read back says what the journal says, up to the file's newest entry."""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import Session

from settlement.ledger.exports import journal_file
from settlement.ledger.exports.journal_file import Scope
from settlement.ledger.exports.reading import ReadBack
from settlement.store.bulk import rows


@dataclass(frozen=True, slots=True)
class Difference:
    """An account that has another balance in the file than in the journal, in minor units."""

    code: str
    file_minor: int
    ledger_minor: int


@dataclass(frozen=True, slots=True)
class Compared:
    """What differs; `is_same_journal`: the file's newest entry is one of this journal."""

    is_same_journal: bool
    differences: tuple[Difference, ...]

    @property
    def agrees(self) -> bool:
        """Whether the file is this journal and every balance the same."""
        return self.is_same_journal and not self.differences


def compare(session: Session, read: ReadBack) -> Compared:
    """Compare every balance of the file with the journal's at the same entry and day."""
    seq, digest = read.head
    found = rows(session, "SELECT hash FROM journal_entry WHERE seq = ?", (seq,))
    is_same = found[0][0] == digest if found else seq == 0
    ledger = journal_file.closing(session, Scope(read.head, read.first, read.last))
    differing = [
        Difference(code, read.balances.get(code, 0), ledger.get(code, 0))
        for code in sorted(ledger.keys() | read.balances.keys())
        if read.balances.get(code, 0) != ledger.get(code, 0)
    ]
    return Compared(is_same, tuple(differing))
