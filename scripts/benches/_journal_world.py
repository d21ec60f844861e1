"""A journal of any length, drawn by a seed: claims, payments, tokens, gas, bank and corrections.

It does not measure anything. Money alone is drawn; no chain stands behind the blocks.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

from sqlalchemy import Engine
from sqlmodel import Session

from settlement import ledger
from settlement.ledger import (
    Attribution,
    Claim,
    Entry,
    Payment,
    Reservation,
    Side,
    Source,
    accounts,
    entries,
)
from settlement.store import transaction
from settlement.tables import Participant, Token, Wallet

BEGAN = datetime(2026, 9, 1, 6, tzinfo=UTC)
BLOCKS_A_DAY = 40
PARTIES = 6
MONEY = (("USD", "TUSD", 2), ("EUR", "TEUR", 2), ("JPY", "TJPY", 0))
"""Currency, token of 6 decimals, and the currency's decimals."""

_OPERATOR = "0x" + "0e" * 20
_AT_ONCE = 1000


def wallet_of(party: int) -> str:
    """Return the address of a party."""
    return f"0x{party + 1:040x}"


def token_of(symbol: str) -> str:
    """Return the address of a token."""
    return "0x" + symbol.encode().hex().rjust(40, "0")


def seed_world(session: Session) -> None:
    """Store parties, wallets and tokens."""
    for party in range(PARTIES):
        session.add(
            Participant(
                id=f"par_{party}",
                lei=f"5493001KJTIIGC8Y1R{party:02}",
                name=f"Party {party}",
                country="DE",
                town="Hamburg",
                created_at=0,
            )
        )
        session.flush()
        session.add(Wallet(address=wallet_of(party), participant_id=f"par_{party}", created_at=0))
    for currency, symbol, _decimals in MONEY:
        session.add(
            Token(
                address=token_of(symbol),
                symbol=symbol,
                currency=currency,
                decimals=6,
                kind="exact",
                code_hash="0x" + "00" * 32,
            )
        )
    session.flush()


def write_journal(engine: Engine, count: int, *, seed: int) -> int:
    """Post `count` entries in their order of time, and return the newest block."""
    world = JournalWorld(seed)
    with transaction(engine) as session:
        seed_world(session)
    while world.made < count:
        now = world.now
        batch = [world.entry() for _ in range(min(_AT_ONCE, count - world.made))]
        with transaction(engine) as session:
            ledger.post(session, batch, now)
    return world.block


class JournalWorld:
    """Draws one entry after the other; time, blocks and days go on with them."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self.made = 0
        self.block = 1

    @property
    def now(self) -> datetime:
        """The moment of the newest block."""
        return BEGAN + timedelta(days=1) / BLOCKS_A_DAY * self.block

    def entry(self) -> Entry:
        """Return the next entry."""
        self.made += 1
        if self._random.random() < 0.25:
            self.block += 1
        draw = self._random.choices(
            (self._claim, self._payment, self._transfer, self._supply, self._coins, self._bank,
             self._attribution, self._write_off, self._reservation),
            (30, 30, 8, 5, 12, 8, 3, 2, 2),
        )[0]  # fmt: skip
        return draw()

    def _claim(self) -> Entry:
        seller, buyer = self._two()
        currency, _symbol, _decimals = self._money()
        # Invoices are accepted some days after they were issued.
        day = (self.now - timedelta(days=self._random.randrange(5))).date().isoformat()
        claim = Claim(f"inv_{self.made}", seller, buyer, currency, self._minor(), day)
        return entries.accept(claim)

    def _payment(self) -> Entry:
        creditor, debtor = self._two()
        currency, symbol, decimals = self._money()
        minor = self._minor()
        paid = Payment(
            settlement_id=f"stl_{self.made}",
            invoice_id=f"inv_{self.made}",
            debtor_id=debtor,
            creditor_id=creditor,
            debtor_wallet=wallet_of(int(debtor[4:])),
            creditor_wallet=wallet_of(int(creditor[4:])),
            symbol=symbol,
            currency=currency,
            token_minor=minor * 10 ** (6 - decimals),
            claim_minor=minor,
        )
        return entries.payment(paid, self.made, self._source(), ())

    def _transfer(self) -> Entry:
        payer, payee = self._two()
        _currency, symbol, _decimals = self._money()
        known = self._random.random() < 0.5
        return entries.transfer(
            self._side(payer) if known else Side("0x" + "99" * 20, None),
            self._side(payee),
            symbol=symbol,
            # Once in a while a Transfer of nothing.
            minor=self._random.randrange(50) * self._minor(),
            log_index=self.made,
            source=self._source(),
        )

    def _supply(self) -> Entry:
        _currency, symbol, _decimals = self._money()
        build = entries.mint if self._random.random() < 0.7 else entries.burn
        return build(
            self._side(self._two()[0]),
            token=token_of(symbol),
            symbol=symbol,
            minor=self._minor() * 10**6,
            log_index=self.made,
            source=self._source(),
        )

    def _coins(self) -> Entry:
        if self._random.random() < 0.02:
            wei = self._random.randrange(10**21)
            return entries.funding(_OPERATOR, wei, self._source(), "opening balance")
        return entries.gas(_OPERATOR, self._random.randrange(10**16), self._source())

    def _bank(self) -> Entry:
        currency, _symbol, _decimals = self._money()
        return entries.bank_movement(
            self.made,
            bank_account_id=f"bka_{self._random.randrange(PARTIES)}",
            currency=currency,
            minor=self._random.choice((1, -1)) * self._minor(),
            value_date=(self.now - timedelta(days=self._random.randrange(3))).date().isoformat(),
        )

    def _attribution(self) -> Entry:
        creditor, debtor = self._two()
        currency, symbol, decimals = self._money()
        paid = Attribution(
            act_id=f"act_{self.made}",
            invoice_id=f"inv_{self.made}",
            creditor_id=creditor,
            debtor_id=debtor,
            currency=currency,
            claim_minor=self._minor(),
            received_in=accounts.suspense(creditor, symbol),
            paid_from=accounts.suspense(accounts.OUTSIDE, symbol),
            reason='the payer wrote: "for inv_7\\8, you know"',
            value_date=self.now.date().isoformat(),
        )
        return entries.attribution(paid, held_decimals=6, claim_decimals=decimals)

    def _write_off(self) -> Entry:
        owner, _other = self._two()
        currency, _symbol, _decimals = self._money()
        against = self._random.choice(
            (accounts.fees, accounts.fx_difference, accounts.rounding, accounts.write_off)
        )
        return entries.write_off(
            f"act_{self.made}",
            code=accounts.receivable(owner, currency),
            minor=self._minor() % 100 + 1,
            against=against(owner, currency),
            reason="short by a charge",
            value_date=self.now.date().isoformat(),
        )

    def _reservation(self) -> Entry:
        creditor, debtor = self._two()
        _currency, symbol, _decimals = self._money()
        row = Reservation(
            f"clr_{self.made}", f"stl_{self.made}", wallet_of(int(debtor[4:])),
            wallet_of(int(creditor[4:])), symbol, self._minor(),
        )  # fmt: skip
        lines = (
            ledger.Line(f"wallet:{row.debtor_wallet}:{symbol}", -row.amount_minor, ledger.PENDING),
            ledger.Line(f"wallet:{row.creditor_wallet}:{symbol}", row.amount_minor, ledger.PENDING),
        )
        return Entry("reserve", f"reserve:{row.clearance_id}", lines,
                     settlement_id=row.settlement_id)  # fmt: skip

    def _two(self) -> tuple[str, str]:
        first, second = self._random.sample(range(PARTIES), 2)
        return f"par_{first}", f"par_{second}"

    def _money(self) -> tuple[str, str, int]:
        return self._random.choice(MONEY)

    def _minor(self) -> int:
        return int(10 ** self._random.randrange(1, 8)) + self._random.randrange(10**4)

    def _side(self, party: str) -> Side:
        return Side(wallet_of(int(party[4:])), party)

    def _source(self) -> Source:
        return Source(
            self.block,
            f"0x{self.block:064x}",
            f"0x{self.made:064x}",
            self.now.date().isoformat(),
        )
