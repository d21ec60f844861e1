"""Builders for tests of the books: parties and tokens, and entries with defaults."""

from datetime import UTC, datetime

from sqlmodel import Session

from settlement.ledger import Claim, Entry, Line, Payment, Reservation, Source, entries
from settlement.tables import Block, Participant, Token, Wallet

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
DAY = "2026-11-23"
SELLER, BUYER = "par_seller", "par_buyer"
SELLER_WALLET, BUYER_WALLET = "0x" + "a1" * 20, "0x" + "b2" * 20
TOKEN, SYMBOL, CURRENCY = "0x" + "c3" * 20, "TUSD", "USD"
OPERATOR = "0x" + "0e" * 20


def seed_parties(session: Session) -> None:
    """Two participants with a wallet each, and one token of 6 decimals."""
    for identifier, lei, wallet in (
        (SELLER, "529900T8BM49AURSDO55", SELLER_WALLET),
        (BUYER, "5493001KJTIIGC8Y1R12", BUYER_WALLET),
    ):
        session.add(
            Participant(
                id=identifier, lei=lei, name=identifier, country="DE", town="Hamburg", created_at=0
            )
        )
        session.flush()
        session.add(Wallet(address=wallet, participant_id=identifier, created_at=0))
    session.add(
        Token(
            address=TOKEN,
            symbol=SYMBOL,
            currency=CURRENCY,
            decimals=6,
            kind="exact",
            code_hash="0x" + "00" * 32,
        )
    )
    session.flush()


def block_hash(number: int, branch: int = 0) -> str:
    """The hash of a block of a test: its number and its branch."""
    return f"0x{branch:032x}{number:032x}"


def tx_hash(number: int) -> str:
    """The hash of a chain transaction of a test."""
    return f"0x{0xC0FFEE:032x}{number:032x}"


def a_block(number: int, branch: int = 0, *, canonical: bool = True) -> Block:
    return Block(
        hash=block_hash(number, branch),
        number=number,
        parent_hash=block_hash(number - 1, branch),
        timestamp=int(NOW.timestamp()) + number,
        canonical=canonical,
        seen_at=0,
    )


def a_source(number: int = 10, branch: int = 0, tx: int = 1) -> Source:
    return Source(number, block_hash(number, branch), tx_hash(tx), DAY)


def an_acceptance(invoice_id: str = "inv_1", minor: int = 1200) -> Entry:
    return entries.accept(Claim(invoice_id, SELLER, BUYER, CURRENCY, minor, DAY))


def a_reservation(number: int = 1, minor: int = 12_000_000) -> Reservation:
    return Reservation(
        clearance_id=f"clr_{number}",
        settlement_id=f"stl_{number}",
        debtor_wallet=BUYER_WALLET,
        creditor_wallet=SELLER_WALLET,
        symbol=SYMBOL,
        amount_minor=minor,
    )


def a_payment(
    number: int = 1,
    minor: int = 12_000_000,
    *,
    source: Source | None = None,
    release: tuple[Line, ...] = (),
) -> Entry:
    paid = Payment(
        settlement_id=f"stl_{number}",
        invoice_id=f"inv_{number}",
        debtor_id=BUYER,
        creditor_id=SELLER,
        debtor_wallet=BUYER_WALLET,
        creditor_wallet=SELLER_WALLET,
        symbol=SYMBOL,
        currency=CURRENCY,
        token_minor=minor,
        claim_minor=minor // 10_000,
    )
    return entries.payment(paid, number, source or a_source(), release)


def two_lines(
    minor: int = 5,
    *,
    unit: str = SYMBOL,
    phase: str = "posted",
    key: str = "test:1",
    kind: str = "mint",
) -> Entry:
    """The smallest balanced entry."""
    lines = (
        Line(f"outside:{unit}", minor, phase),
        Line(f"suspense:outside:{unit}", -minor, phase),
    )
    return Entry(kind, key, lines)
