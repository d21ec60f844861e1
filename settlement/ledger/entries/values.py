"""A journal entry as a value: its lines, where it comes from, and what its builders are told.

Knows no sign and no account: the builders beside it do.
"""

from __future__ import annotations

from typing import NamedTuple

POSTED = "posted"
PENDING = "pending"


class Line(NamedTuple):
    """Signed minor units of one account's unit. Pending lines are reservations, not money."""

    code: str
    minor: int
    phase: str = POSTED


class Entry(NamedTuple):
    """What is to be posted. `source_key` says what it was made from: posted once, whatever happens.

    `value_date` is ISO 8601; None takes the day of posting.
    """

    kind: str
    source_key: str
    lines: tuple[Line, ...]
    invoice_id: str | None = None
    settlement_id: str | None = None
    block_number: int | None = None
    block_hash: str | None = None
    tx_hash: str | None = None
    reverses_seq: int | None = None
    reason: str | None = None
    value_date: str | None = None


class Source(NamedTuple):
    """Where on the chain an entry comes from."""

    block_number: int
    block_hash: str
    tx_hash: str
    value_date: str
    """Day of the block's own time."""

    def log_key(self, log_index: int) -> str:
        """Return the source key of an entry made from a log of this block."""
        return f"log:{self.block_hash}:{log_index}"

    def gas_key(self) -> str:
        """Return the source key of the entry for this chain transaction's gas."""
        return f"gas:{self.block_hash}:{self.tx_hash}"


class Claim(NamedTuple):
    """An invoice, or a credit note that takes back a part of one, as the books see it."""

    invoice_id: str
    seller_id: str
    buyer_id: str
    currency: str
    minor: int
    value_date: str


class Payment(NamedTuple):
    """A settlement that was paid: who paid whom, in the token and in the invoice's currency."""

    settlement_id: str
    invoice_id: str
    debtor_id: str
    creditor_id: str
    debtor_wallet: str
    creditor_wallet: str
    symbol: str
    currency: str
    token_minor: int
    claim_minor: int


class Side(NamedTuple):
    """One end of a Transfer: an address, and the participant it belongs to, if any."""

    address: str
    participant_id: str | None
