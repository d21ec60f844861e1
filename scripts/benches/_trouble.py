"""A world of payments over four sources, with trouble planted in it and the answers known.

Values alone: it knows who paid whom and what each side shows of it, and writes no database. The
answers are in `Labels`, which never reach a database either.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple, TypeVar

from scripts.benches._trouble_names import statement_id

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
FIRST_DAY = date(2026, 11, 2)
WORKING_DAYS = tuple(
    FIRST_DAY + timedelta(days=n)
    for n in range(12)
    if (FIRST_DAY + timedelta(days=n)).weekday() < 5
)
"""Payments are made on these; by NOW all of them are long due at the bank."""
YESTERDAY = date(2026, 11, 22)
NEXT_MONTH = date(2026, 12, 31)
PAYOUT_DAYS = 2
MICRO_PER_CENT = 10_000
PAYMENTS_OF_A_BLOCK = 100
EXTRA_INDEX = 1_000
"""Log indexes from here on are of what was planted beside a block's payments."""
CENTS = (1_000, 80_000_000)

Item = TypeVar("Item")


class Shown(NamedTuple):
    """A payment as the chain shows it, or as the ledger has it."""

    block: int
    index: int
    """Log index of the Transfer; that of its Settled is one more."""
    cents: int
    seller: int
    unit: int
    """Place in CURRENCIES and SYMBOLS."""
    is_paired: bool = True


@dataclass(slots=True)
class Payment:
    """An invoice and the settlement that pays it; what chain and ledger say of it."""

    number: int
    seller: int
    buyer: int
    unit: int
    cents: int
    day: date
    shown: tuple[Shown, ...] = ()
    booked: tuple[Shown, ...] = ()
    state: str = "SETTLED"
    outcome: str | None = "paid"
    is_reorged: bool = False
    part_of: int | None = None
    """The first payment of the same invoice, where this is a later part of it."""
    asked_for: date | None = None
    """Requested execution date, where it was not the day of payment."""
    due: date | None = None
    """Of the invoice; None: weeks from now."""

    @property
    def invoice_id(self) -> str:
        return f"inv_{self.part_of or self.number:08d}"

    @property
    def settlement_id(self) -> str:
        """In order of time, as the rail's own ids are."""
        return f"stl_{self.day:%m%d}{self.number:08d}"

    @property
    def end_to_end_id(self) -> str:
        return f"E2E{self.number:08d}"

    @property
    def invoice_number(self) -> str:
        return f"INV-2026-{self.part_of or self.number:08d}"

    @property
    def key(self) -> str:
        """What names it in labels."""
        return f"stl:{self.settlement_id}"


@dataclass(slots=True)
class BankRow:
    """A movement as a bank tells it. `account` is an index of a participant, `unit` its money."""

    number: int
    account: str
    unit: int
    cents: int
    """Signed."""
    day: date
    end_to_end_id: str | None = None
    creditor_reference: str | None = None
    remittance: str | None = None
    name: str | None = None
    counterparty_account: str | None = None
    charges: int = 0

    @property
    def key(self) -> str:
        """What names it in labels: its fingerprint says the same in whatever order it came."""
        return f"bank:{self.fingerprint}"

    @property
    def fingerprint(self) -> str:
        return f"fp{self.number:08d}"


class Move(NamedTuple):
    """A bare Transfer, a mint or a burn: nobody instructed it on the rail."""

    number: int
    kind: str
    """mint, burn, transfer; `settled` of a payment under a reference that nobody knows."""
    block: int
    index: int
    payer: str
    payee: str
    """Addresses."""
    unit: int
    cents: int

    @property
    def key(self) -> str:
        return f"log:{self.block}:{self.index}"


@dataclass(slots=True)
class Expected:
    """A payment that somebody said would come; `low` and `high` bound it in cents."""

    number: int
    seller: int
    unit: int
    low: int
    high: int
    first: date
    last: date
    reference: str | None
    counterparty: str | None

    @property
    def key(self) -> str:
        return f"exp:{self.number}"


class Claim(NamedTuple):
    """An open invoice that nobody has instructed to pay."""

    number: int
    seller: int
    buyer: int
    unit: int
    cents: int
    due: date

    @property
    def key(self) -> str:
        return f"inv:{self.invoice_id}"

    @property
    def invoice_id(self) -> str:
        return f"inv_open{self.number:06d}"


class Gap(NamedTuple):
    """A statement that never came: what it would have told has moved the next one's opening."""

    account: str
    day: date
    """The first statement after the gap."""
    cents: int

    @property
    def key(self) -> str:
        return f"statement:{statement_id(self.account, self.day)}"


class Planted(NamedTuple):
    """A trouble and what it has to be called; `keys` name what its one break may be about."""

    variant: str
    kind: str
    keys: frozenset[str]


@dataclass(slots=True)
class Labels:
    """The answers. A group of keys in `matches` is one match; nothing else may be matched."""

    matches: set[frozenset[str]] = field(default_factory=set)
    rail: set[str] = field(default_factory=set)
    """Payments whose settlement, log pair and entry agree: what the first stage has to match."""
    breaks: list[Planted] = field(default_factory=list)


@dataclass(slots=True)
class World:
    """All that is to be stored, by source, and the labels beside it."""

    rows: int
    seed: int
    sellers: int
    buyers: int
    payments: list[Payment] = field(default_factory=list)
    bank: list[BankRow] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    expected: list[Expected] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    untied: list[tuple[str, int, int]] = field(default_factory=list)
    """Address, unit and how many millionths the chain has more than every log says."""
    blocks: dict[int, date] = field(default_factory=dict)
    labels: Labels = field(default_factory=Labels)

    def shuffled(self, seed: int) -> World:
        """The same world, to be stored in another order of rows; each source in its own."""
        order = random.Random(f"shuffle {seed}")
        return World(
            self.rows,
            self.seed,
            self.sellers,
            self.buyers,
            _mixed(order, self.payments),
            _mixed(order, self.bank),
            _mixed(order, self.moves),
            _mixed(order, self.expected),
            _mixed(order, self.claims),
            self.gaps,
            self.untied,
            self.blocks,
            self.labels,
        )


def _mixed(order: random.Random, items: Sequence[Item]) -> list[Item]:
    return order.sample(items, len(items))
