"""Values for messages, with defaults; and every message that we write, made of them."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from settlement.documents.iso20022.camt053 import Movements, StatementHead, camt053
from settlement.documents.iso20022.camt054 import camt054
from settlement.documents.iso20022.entries import StatedEntry
from settlement.documents.iso20022.header import header
from settlement.documents.iso20022.pacs008 import pacs008, pacs008_id
from settlement.documents.iso20022.pain001 import BankOrder, BankPayment, pain001
from settlement.documents.iso20022.payments import ChainPlace, InvoicePart, Payment
from settlement.documents.iso20022.remt001 import remt001
from settlement.documents.iso20022.status import InstructionStatus, Reason, pacs002, pain002
from settlement.documents.iso20022.values import Agent, CashAccount, Party

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
DAY = date(2026, 11, 20)
KEY = "019a8f2e6c1f7d3e9b6a2d4c5e6f7081"
UETR = "019a8f2e-6c1f-4d3e-9b6a-2d4c5e6f7081"
IBAN = "DE89370400440532013000"

SELLER = Party(
    name="Nordlicht Pumpen & Söhne <GmbH>",
    lei="5299000J2N45DDNE4Y28",
    country="DE",
    town="Hamburg",
    street="Hafenstraße 1",
    post_code="20457",
)
BUYER = Party(name="شركة النور للتجارة", lei="213800A1B2C3D4E5F607", country="AE", town="Dubai")
SELLER_ACCOUNT = CashAccount(address="0x" + "a1" * 20, alias="0x" + "A1" * 20, currency="EUR")
BUYER_ACCOUNT = CashAccount(address="0x" + "b2" * 20, currency="EUR")
PLACE = ChainPlace(31337, "0x" + "cd" * 32, 4711, "0x" + "ef" * 32, 3)
INVOICE = InvoicePart("RE-2026/0417", date(2026, 11, 1), 432_000, 400_000, "ab" * 32)


def a_payment(**changes: Any) -> Payment:
    """A final payment of 4,000 of the 4,320 EUR of an invoice."""
    plain = Payment(
        key=KEY,
        end_to_end_id=f"E{KEY}",
        uetr=UETR,
        debtor=BUYER,
        debtor_account=BUYER_ACCOUNT,
        creditor=SELLER,
        creditor_account=SELLER_ACCOUNT,
        currency="EUR",
        amount_minor=400_000,
        token_amount="4000.000000 TEUR",
        reference="0x" + "12" * 32,
        execution_date=DAY,
        invoice=INVOICE,
        value_date=DAY,
        booked_at=NOW,
        entry="je_12",
        chain=PLACE,
        is_final=True,
    )
    return replace(plain, **changes)


def an_entry(minor: int = 400_000, **changes: Any) -> StatedEntry:
    """A payment that came in."""
    plain = StatedEntry(
        reference="je_12",
        minor=minor,
        booking_date=DAY,
        value_date=DAY,
        kind="payment",
        is_payment=True,
        key=KEY,
        end_to_end_id=f"E{KEY}",
        uetr=UETR,
        other_party=BUYER,
        other_account=BUYER_ACCOUNT,
        chain=PLACE,
        invoice=INVOICE,
    )
    return plain._replace(**changes)


def a_head(minors: Iterable[int], *, opening: int = 0, **changes: Any) -> StatementHead:
    """The head of a statement with these movements."""
    moved = list(minors)
    received, paid = [m for m in moved if m >= 0], [-m for m in moved if m < 0]
    plain = StatementHead(
        statement_id="20261120-12-B1",
        sequence=20_777,
        day=DAY,
        from_at=datetime(2026, 11, 20, tzinfo=UTC),
        to_at=datetime(2026, 11, 20, 23, 59, 59, tzinfo=UTC),
        owner=SELLER,
        account=SELLER_ACCOUNT,
        currency="EUR",
        opening_minor=opening,
        closing_minor=opening + sum(moved),
        movements=Movements(len(received), sum(received), len(paid), sum(paid)),
        note="by booking date, days in UTC",
    )
    return replace(plain, **changes)


def a_statement(minors: list[int], *, opening: int = 0, **changes: Any) -> bytes:
    """A statement of these movements."""
    out = io.BytesIO()
    entries = (an_entry(minor) for minor in minors)
    camt053(a_head(minors, opening=opening, **changes), entries, out, created_at=NOW)
    return out.getvalue()


def a_status(label: str, **changes: Any) -> InstructionStatus:
    """How far the payment is, with a reason longer than one line of it."""
    plain = InstructionStatus(
        key=KEY,
        end_to_end_id=f"E{KEY}",
        uetr=UETR,
        label=label,
        currency="EUR",
        amount_minor=400_000,
        execution_date=DAY,
        debtor=BUYER,
        creditor=SELLER,
        received_at=NOW,
        reasons=() if label == "ACSC" else (Reason("NARR", "because " * 40),),
        settled_on=DAY if label == "ACSC" else None,
    )
    return replace(plain, **changes)


def an_order(**changes: Any) -> BankOrder:
    """Two payments from one account."""
    account = CashAccount(iban=IBAN, currency="EUR")
    agent = Agent(bic="COBADEFFXXX")
    payments = [
        BankPayment(f"E{n}", 100_050 + n, SELLER, account, agent, f"RE-{n}", UETR) for n in range(2)
    ]
    plain = BankOrder("PAYOUT-1", BUYER, account, "EUR", DAY, payments, agent)
    return replace(plain, **changes)


def every_message() -> dict[str, bytes]:
    """One of each message that we write, by its definition and a word."""
    made = {
        "camt.053.001.08": a_statement([400_000, -20_000], opening=-5),
        "camt.054.001.08": a_notification(an_entry()),
        "pain.001.001.09": pain001(an_order(), created_at=NOW),
        "pacs.008.001.08": pacs008(a_payment(), created_at=NOW),
        "remt.001.001.06": remt001(a_payment(), created_at=NOW),
        "pain.002.001.10": pain002(a_status("ACSC"), created_at=NOW),
        "pacs.002.001.10": pacs002(
            a_status("RJCT"), original_id=pacs008_id(a_payment()), created_at=NOW
        ),
    }
    made["head.001.001.02"] = header(
        message_id=pacs008_id(a_payment()),
        definition="pacs.008.001.08",
        sender=BUYER,
        receiver=SELLER,
        created_at=NOW,
    )
    return made


def a_notification(entry: StatedEntry) -> bytes:
    """The seller is told of an entry."""
    return camt054(
        message_id=f"C4-{KEY}",
        owner=SELLER,
        own_account=SELLER_ACCOUNT,
        currency="EUR",
        entry=entry,
        created_at=NOW,
    )
