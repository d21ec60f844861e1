"""What both dialects share: the file's first and last line, and amounts as text. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from settlement.ledger.exports.journal_file import Scope
from settlement.ledger.exports.names import account_name, unit_name
from settlement.ledger.stored import StoredEntry
from settlement.money import format_minor

MARK = "settle-journal 1"


class Speller:
    """Spells accounts and amounts; each account's name is worked out once."""

    def __init__(self, decimals: Mapping[str, int]) -> None:
        """`decimals` gives the digits behind the point of every unit."""
        self.decimals = decimals
        self._names: dict[str, str] = {}

    def account(self, code: str) -> str:
        """Return the account's name."""
        name = self._names.get(code)
        if name is None:
            name = self._names[code] = account_name(code)
        return name

    def amount(self, minor: int, unit: str) -> str:
        """Return the number without its commodity, with all digits of its unit."""
        return format_minor(minor, self.decimals[unit])

    def units(self) -> list[tuple[str, str]]:
        """Return every unit with its commodity."""
        return [(unit, unit_name(unit)) for unit in sorted(self.decimals)]


def heading(dialect: str, of: Scope) -> str:
    """Return the first lines: what the file is, and how far into the journal it goes."""
    return (
        f"; {MARK} {dialect}\n; head {of.head.seq} {of.head.hash}\n; first {of.first}\n"
        f"; last {of.last}\n; Dates are value dates. Reservations are no money and are left out.\n"
    )


def ending(entries: int, assertions: int) -> str:
    """Return the last line: a file without it was cut off."""
    return f"; end {entries} {assertions}\n"


def facts(entry: StoredEntry) -> Iterable[tuple[str, str | int]]:
    """Yield what is said of an entry beside its lines, without what is absent."""
    it = entry.entry
    found: tuple[tuple[str, str | int | None], ...] = (
        ("seq", entry.seq),
        ("hash", entry.hash),
        ("source_key", it.source_key),
        ("invoice", it.invoice_id),
        ("settlement", it.settlement_id),
        ("block", it.block_number),
        ("block_hash", it.block_hash),
        ("tx", it.tx_hash),
        ("reverses", it.reverses_seq),
        ("booked", entry.booked_at),
    )
    for name, value in found:
        if value is not None:
            yield name, value
