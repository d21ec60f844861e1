"""What a bank's file says, as values: statement heads, entries, balances; and why one is refused.

Knows no file format and no database. Amounts are signed integers in minor units.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from settlement.errors import Refused

TEXT_MAX = 500
"""Characters that are kept of a remittance text; ISO 20022 has 140 a line, and any number."""


class StatementRefused(Refused):
    """A bank's file is not accepted; nothing of it was stored."""

    def __init__(self, message: str, *, line: int | None, path: str, repair: str) -> None:
        place = f"line {line}: " if line else ""
        super().__init__(f"{place}{message}", field=path, repair=repair)
        self.line, self.path = line, path


class StatementUnreadable(StatementRefused):
    """The bytes cannot be read: cut short, another encoding, a DOCTYPE, not by the schema."""


class StatementInvalid(StatementRefused):
    """A value in the file is not what it must be: an amount, a day, a sign, a currency."""


class StatementContradicts(StatementRefused):
    """The file contradicts itself: its balances, sums or details do not add up."""


class Balance(NamedTuple):
    """A balance on a day; - where the account is overdrawn."""

    minor: int
    currency: str
    day: str


class Total(NamedTuple):
    """How many entries a summary counts, and what they sum up to; None: it does not say."""

    entries: int | None
    sum_minor: int | None


@dataclass(frozen=True, slots=True)
class ReadHead:
    """What stands before the entries of a statement or notification."""

    kind: str
    """statement: with balances; notification: without."""
    statement_id: str
    sequence: int | None
    account: str
    """IBAN, or the bank's own number."""
    currency: str
    from_date: str | None
    to_date: str | None
    opening: Balance | None
    closing: Balance | None
    all_entries: Total
    credits: Total
    debits: Total
    line: int
    path: str


class ReadEntry(NamedTuple):
    """A movement, or one detail of a batch booking. Columns as in `bank_entry`."""

    source_line: int
    entry_index: int
    detail_index: int
    amount_minor: int
    currency: str
    status: str
    booking_date: str
    value_date: str
    end_to_end_id: str | None
    instruction_id: str | None
    uetr: str | None
    bank_reference: str | None
    creditor_reference: str | None
    remittance: str | None
    counterparty_name: str | None
    counterparty_account: str | None
    transaction_code: str | None
    charges_minor: int
    is_reversal: bool
    return_reason: str | None
    entry_minor: int
    """Of the whole entry that this is a detail of."""
    entry_reference: str
    """What tells the whole entry from others of its day and amount."""


@dataclass(frozen=True, slots=True)
class ReadEnd:
    """The end of a statement, with the balances that only its entries tell (CSV)."""

    line: int
    opening: Balance | None = None
    closing: Balance | None = None


Read = ReadHead | list[ReadEntry] | ReadEnd
"""What a reader gives, one after the other."""
