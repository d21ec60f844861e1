"""Builds a world piece by piece: payments with what each side shows of them, and their answers.

Plants no trouble by itself: `_trouble_rail` and `_trouble_bank` do, with what is here.
"""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, timedelta

from scripts.benches._trouble import (
    CENTS,
    EXTRA_INDEX,
    NEXT_MONTH,
    PAYMENTS_OF_A_BLOCK,
    PAYOUT_DAYS,
    WORKING_DAYS,
    YESTERDAY,
    BankRow,
    Claim,
    Expected,
    Move,
    Payment,
    Planted,
    Shown,
    World,
)
from scripts.benches._trouble_names import (
    CURRENCIES,
    buyer_account,
    buyer_id,
    iban,
    name_of,
    seller_account,
)

FUNDING_BLOCK = 10
MINTS_OF_A_BLOCK = 10
STYLES = ("end_to_end", "structured", "text", "none")
SHARES = (45, 15, 15, 25)
"""Of a hundred bank rows: by what the bank names the payment."""


class Builder:
    """A world that is being built; seeded, so that the same seed gives the same world."""

    def __init__(self, rows: int, seed: int) -> None:
        self.random = random.Random(f"trouble {rows} {seed}")
        self.world = World(rows, seed, sellers=max(8, rows // 500), buyers=max(5, rows // 400))
        self._taken: set[tuple[int, int]] = set()
        self._in_day: Counter[date] = Counter()
        self._extra: Counter[int] = Counter()
        self._numbers: Counter[str] = Counter()

    # Payments.

    def payment(
        self,
        *,
        seller: int | None = None,
        buyer: int | None = None,
        unit: int | None = None,
        cents: int | None = None,
        day: date | None = None,
    ) -> Payment:
        """A payment on which settlement, chain and ledger agree; `cents` None: no one has it."""
        draw = self.random
        seller = draw.randrange(self.world.sellers) if seller is None else seller
        buyer = draw.randrange(self.world.buyers) if buyer is None else buyer
        unit = draw.randrange(len(CURRENCIES)) if unit is None else unit
        day = draw.choice(WORKING_DAYS) if day is None else day
        cents = self.amount(seller) if cents is None else cents
        made = Payment(self.next("payment"), seller, buyer, unit, cents, day)
        place = self._in_day[day]
        self._in_day[day] += 1
        block = self.block_of(day, place // PAYMENTS_OF_A_BLOCK)
        shown = Shown(block, 2 * (place % PAYMENTS_OF_A_BLOCK), cents, seller, unit)
        made.shown = made.booked = (shown,)
        self.world.payments.append(made)
        return made

    def agreed(self, payment: Payment) -> Payment:
        """Say that the first stage has to match it."""
        self.world.labels.rail.add(payment.settlement_id)
        return payment

    def amount(self, seller: int) -> int:
        """Cents that no other payment, row or expectation of the seller has."""
        while True:
            cents = self.random.randint(*CENTS)
            if (seller, cents) not in self._taken:
                self._taken.add((seller, cents))
                return cents

    def another(self, count: int, than: int) -> int:
        """A number below `count` that is not `than`."""
        return (than + self.random.randrange(1, count)) % count

    def block_of(self, day: date, place: int = 0) -> int:
        """The number of a day's block, which is there from now on."""
        block = 1_000 + (day - WORKING_DAYS[0]).days * 10_000 + place
        self.world.blocks[block] = day
        return block

    def funding_block(self) -> int:
        """The number of a block before the first payment, for a few mints."""
        block = FUNDING_BLOCK + self.next("mint") // MINTS_OF_A_BLOCK
        assert block < 1_000, "the blocks of the first day begin there"
        self.world.blocks[block] = WORKING_DAYS[0]
        return block

    def extra(self, block: int) -> int:
        """A log index of a block that nothing else has; the one after it is free too."""
        self._extra[block] += 2
        return EXTRA_INDEX + self._extra[block]

    def next(self, noun: str) -> int:
        """The next number of a noun, from 1."""
        self._numbers[noun] += 1
        return self._numbers[noun]

    # What stands beside them.

    def row(
        self,
        account: str,
        cents: int,
        day: date,
        *,
        unit: int | None = None,
        end_to_end_id: str | None = None,
        remittance: str | None = None,
        name: str | None = None,
        charges: int = 0,
    ) -> BankRow:
        """A movement on an account at a bank."""
        told_in = int(account.rpartition(":")[2]) if unit is None else unit
        row = BankRow(
            self.next("row"), account, told_in, cents, day,
            end_to_end_id=end_to_end_id, remittance=remittance, name=name, charges=charges,
        )  # fmt: skip
        self.world.bank.append(row)
        return row

    def told(self, payment: Payment, style: str | None = None) -> BankRow:
        """What the bank says when the creditor is paid out, on time and in full."""
        if style is None:
            (style,) = self.random.choices(STYLES, SHARES)
        account = seller_account(payment.seller, payment.unit)
        day = payment.day + timedelta(days=self.random.randint(0, PAYOUT_DAYS))
        row = self.row(account, payment.cents, day)
        if style == "end_to_end":
            row.end_to_end_id = payment.end_to_end_id
        elif style == "structured":
            row.creditor_reference = payment.invoice_number
        elif style == "text":
            row.remittance = f"YOUR INVOICE {payment.invoice_number} THANK YOU"
        else:
            row.remittance = self.random.choice(("PAYMENT", "GOODS NOVEMBER", None))
        # Half of the banks name the payer as it is registered, the others by his account.
        if self.random.random() < 0.5:
            row.name = name_of(buyer_id(payment.buyer)).upper()
        else:
            row.counterparty_account = iban(buyer_account(payment.buyer))
        return row

    def move(self, kind: str, block: int, *, payer: str, payee: str, unit: int, cents: int) -> Move:
        """Tokens that moved without a settlement of ours."""
        number = self.next("move")
        move = Move(number, kind, block, self.extra(block), payer, payee, unit, cents)
        self.world.moves.append(move)
        return move

    def expectation(
        self,
        *,
        reference: bool,
        day: date | None = None,
        days: int = 5,
        slack: int = 0,
        seller: int | None = None,
    ) -> Expected:
        """A payment that somebody said will come from outside, within bounds."""
        draw = self.random
        seller = draw.randrange(self.world.sellers) if seller is None else seller
        number = self.next("expected")
        cents = self.amount(seller)
        first = draw.choice(WORKING_DAYS) if day is None else day
        made = Expected(
            number, seller, draw.randrange(len(CURRENCIES)), cents - slack, cents + slack, first,
            first + timedelta(days=days), f"PO-2026-{number:07d}" if reference else None,
            f"CUSTOMER {number} SA",
        )  # fmt: skip
        self.world.expected.append(made)
        return made

    def claim(self, seller: int, buyer: int, *, due: date = NEXT_MONTH) -> Claim:
        """An open invoice that nothing pays yet."""
        number, unit = self.next("claim"), self.random.randrange(len(CURRENCIES))
        made = Claim(number, seller, buyer, unit, self.amount(seller), due)
        self.world.claims.append(made)
        return made

    # Answers.

    def match(self, *things: Payment | BankRow | Expected | Move) -> None:
        """Say that these are the same money."""
        self.world.labels.matches.add(frozenset(thing.key for thing in things))

    def trouble(self, variant: str, kind: str, *keys: str) -> None:
        """Say that there is one break of a kind, about one of the keys."""
        self.world.labels.breaks.append(Planted(variant, kind, frozenset(keys)))


def plain(build: Builder) -> None:
    """A payment on which all four sources agree."""
    payment = build.agreed(build.payment())
    build.match(payment, build.told(payment))


def colliding(build: Builder, size: int) -> None:
    """Payments with the same amount, parties and date; only what the bank says tells them apart."""
    first = build.agreed(build.payment())
    twins = [first]
    for _ in range(size - 1):
        twin = build.payment(
            seller=first.seller, buyer=first.buyer, unit=first.unit, cents=first.cents,
            day=first.day,
        )  # fmt: skip
        twins.append(build.agreed(twin))
    for payment in twins:
        style = build.random.choice(STYLES[:3])
        build.match(payment, build.told(payment, style))


def not_due(build: Builder) -> None:
    """A payment whose money is still on its way to the bank: expected, and no break."""
    build.agreed(build.payment(day=YESTERDAY))
