"""What makes an entry the same one in another file: day, amount, status and the bank's reference.

Two entries of one statement that are equal in all of it both stand: they are numbered in its order.
"""

from __future__ import annotations

from collections import Counter
from hashlib import blake2b

from settlement.documents.iso20022.reading_model import ReadEntry

DIGEST_SIZE = 16
_BYTES_OF_AN_ENTRY = 500
_BITS_PER_ENTRY = 32
_BITS_MIN, _BITS_MAX = 1 << 16, 1 << 28


def key_of(entry: ReadEntry, account_id: str) -> str:
    """Return the key of the entry that a row belongs to; it begins with the booking day.

    The day first keeps rows of one time together in the index.
    """
    told = (
        f"{account_id}\x1d{entry.status}\x1d{entry.entry_minor}\x1d{entry.currency}"
        f"\x1d{entry.is_reversal}\x1d{entry.entry_reference}"
    )
    return f"{entry.booking_date}:{blake2b(told.encode(), digest_size=DIGEST_SIZE).hexdigest()}"


class Repeats:
    """Which keys come more than once in a file, found in bounded memory.

    First pass: `note` every entry's key. Second pass, in the same order: `number` each, and say
    where the `next_statement` begins.
    """

    def __init__(self, file_bytes: int) -> None:
        wanted = min(max(file_bytes // _BYTES_OF_AN_ENTRY * _BITS_PER_ENTRY, _BITS_MIN), _BITS_MAX)
        size = 1 << (wanted - 1).bit_length()
        self._mask = size - 1
        self._bits = bytearray(size >> 3)
        self._suspects: set[str] = set()
        self._of_file: Counter[str] = Counter()
        self._of_statement: Counter[str] = Counter()

    def note(self, key: str) -> None:
        """Remember a key; one that may have come before is a suspect, counted later."""
        digest = int(key[-2 * DIGEST_SIZE :], 16)
        first, second = digest & self._mask, (digest >> 64) & self._mask
        bits = self._bits
        one, two = 1 << (first & 7), 1 << (second & 7)
        if bits[first >> 3] & one and bits[second >> 3] & two:
            self._suspects.add(key)
        bits[first >> 3] |= one
        bits[second >> 3] |= two

    def restart(self) -> None:
        """Begin the second pass, which may be made more than once."""
        self._of_file.clear()
        self._of_statement.clear()

    def next_statement(self) -> None:
        """Begin to count a statement's entries."""
        self._of_statement.clear()

    def may_repeat(self, key: str) -> bool:
        """Return whether a key may come more than once in the file; never no where it does."""
        return key in self._suspects

    def number(self, key: str, *, is_named: bool) -> int:
        """Return which one of the entries with this key comes now, from 1.

        What the bank has a reference of is the same in another statement; of what it has none,
        nobody can say, and of one file all stand.
        """
        if key not in self._suspects:
            return 1
        counts = self._of_statement if is_named else self._of_file
        counts[key] += 1
        return counts[key]
