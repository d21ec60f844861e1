"""The steps of a journey as values, from the invoice to the match.

Formats nothing: moments are aware, money carries its unit.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from settlement.money import Money


@dataclass(frozen=True, slots=True)
class Move:
    """One move of an invoice, a settlement or a chain transaction."""

    move: str
    state: str
    at: datetime
    actor: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Party:
    """A participant as others see it."""

    id: str
    name: str
    country: str
    lei: str


@dataclass(frozen=True, slots=True)
class ClearanceStep:
    """A decision on a settlement."""

    id: str
    outcome: str
    policy_version: str
    verdicts: str | None
    """JSON; None for a party, who is told the outcome only."""
    list_versions: str | None
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class LogStep:
    """A log on the chain. An orphaned one stays, with `canonical` false."""

    name: str
    block_number: int
    block_hash: str
    block_time: datetime
    canonical: bool
    tx_hash: str
    log_index: int
    pair_index: int | None
    code: int | None
    token: str | None
    sender: str | None
    receiver: str | None
    amount: Money | None

    @property
    def key(self) -> str:
        """The key that names this log for ever."""
        return f"log:{self.block_hash}:{self.log_index}"


@dataclass(frozen=True, slots=True)
class LineStep:
    """A posting."""

    account: str
    phase: str
    amount: Money


@dataclass(frozen=True, slots=True)
class EntryStep:
    """A journal entry with its postings."""

    seq: int
    kind: str
    source_key: str
    block_number: int | None
    tx_hash: str | None
    reverses_seq: int | None
    reversed_by_seq: int | None
    reason: str | None
    value_date: str
    booked_at: datetime
    hash: str
    lines: tuple[LineStep, ...]

    @property
    def key(self) -> str:
        """The key that names this entry."""
        return f"je_{self.seq}"


@dataclass(frozen=True, slots=True)
class MatchStep:
    """Where reconciliation found settlement, log pair and entry to agree."""

    id: int
    log_key: str
    entry_seq: int
    live: bool
    created_at: datetime
    undone_at: datetime | None

    @property
    def key(self) -> str:
        """The key that names this match."""
        return f"match_{self.id}"


@dataclass(frozen=True, slots=True)
class BreakStep:
    """Something that did not agree."""

    id: str
    kind: str
    subject: str
    reason: str
    opened_at: datetime
    closed_at: datetime | None
    closed_reason: str | None


@dataclass(frozen=True, slots=True)
class AttemptStep:
    """Signed bytes of a chain transaction."""

    hash: str
    kind: str
    created_at: datetime
    first_sent_at: datetime | None
    last_sent_at: datetime | None
    send_count: int
    outcome: str | None
    mined: bool
    """Whether this is the attempt that stands in a block now."""


@dataclass(frozen=True, slots=True)
class ChainTxStep:
    """A chain transaction that one or more of the settlements were a part of."""

    id: str
    signer: str
    nonce: int
    kind: str
    state: str
    outcome: str | None
    member_count: int | None
    """None for a party: who else is paid in the same batch is not its business."""
    total: Money | None
    """None for a party too, and for a chain transaction that pays nobody."""
    deadline: datetime
    booking_depth: int
    block_number: int | None
    block_hash: str | None
    tx_hash: str | None
    moves: tuple[Move, ...]
    attempts: tuple[AttemptStep, ...]


@dataclass(frozen=True, slots=True)
class SettlementStep:
    """One payment, with all that it went through."""

    id: str
    end_to_end_id: str
    reference: str
    state: str
    iso_status: str
    """ISO 20022 label of the state."""
    reason: str | None
    outcome: str | None
    sequence: int
    amount: Money
    claim: Money
    debtor_wallet: str
    creditor_wallet: str
    execution_date: str
    block_number: int | None
    tx_hash: str | None
    moves: tuple[Move, ...]
    clearances: tuple[ClearanceStep, ...]
    chain_tx_ids: tuple[str, ...]
    """Every batch that it had a place in, oldest first."""
    logs: tuple[LogStep, ...]
    entries: tuple[EntryStep, ...]
    matches: tuple[MatchStep, ...]
    breaks: tuple[BreakStep, ...]


@dataclass(frozen=True, slots=True)
class InvoiceStep:
    """The claim that it all begins with."""

    id: str
    number: str
    type_code: str
    issue_date: str
    due_date: str | None
    state: str
    seller: Party
    buyer: Party
    payable: Money
    in_flight: Money
    settled: Money
    credited: Money
    document_sha256: str
    received_at: datetime
    preceding_id: str | None
    moves: tuple[Move, ...]
    entries: tuple[EntryStep, ...]


@dataclass(frozen=True, slots=True)
class Journey:
    """An invoice and those of its settlements that the key leads to."""

    invoice: InvoiceStep
    settlements: tuple[SettlementStep, ...]


@dataclass(frozen=True, slots=True)
class Trace:
    """What a key leads to. Without a journey: what stands alone, such as an unexpected deposit."""

    key: str
    kind: str
    journeys: tuple[Journey, ...]
    chain_txs: tuple[ChainTxStep, ...]
    logs: tuple[LogStep, ...] = ()
    entries: tuple[EntryStep, ...] = ()
    breaks: tuple[BreakStep, ...] = ()
