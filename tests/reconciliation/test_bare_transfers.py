"""Tokens that moved past the rail: what they are taken for, and that it is one break."""

from typing import Any

import pytest
from sqlalchemy import Engine, text

from settlement.reconciliation.bare_transfers import Moved, OpenClaim, PaidBefore, explain_transfer
from settlement.settlements import booking
from settlement.store import transaction
from settlement.tables import Token
from tests.builders.chain_facts import Facts, add_settlement, seed_world
from tests.builders.ledger import (
    BUYER,
    BUYER_WALLET,
    NOW,
    SELLER,
    SELLER_WALLET,
    block_hash,
)
from tests.builders.reconciled import book, closed_breaks, match, open_breaks, reason_of

EURO_TOKEN = "0x" + "e0" * 20


def _moved(minor: int = 12_000_000, **changes: Any) -> Moved:
    known = Moved(
        "log:0x01:0", BUYER_WALLET, SELLER_WALLET, minor, "0x02", 5, "TEUR", 6, "EUR",
        BUYER, SELLER,
    )  # fmt: skip
    return known._replace(**changes)


def _claim(open_minor: int = 1200, currency: str = "USD", number: str = "7") -> OpenClaim:
    return OpenClaim(f"inv_{number}", number, currency, open_minor)


@pytest.mark.parametrize(
    ("claims", "before", "kind"),
    [
        ([], [], "unattributed_deposit"),
        ([_claim()], [], "wrong_token"),
        ([_claim(1201)], [], "unattributed_deposit"),
        ([_claim(currency="EUR")], [], "unattributed_deposit"),
        ([_claim(), _claim(currency="EUR", number="8")], [], "unattributed_deposit"),
        ([_claim(12, "JPY")], [], "wrong_token"),
        ([], [PaidBefore("stl_1", SELLER, "TEUR", 12_000_000)], "duplicate"),
        ([], [PaidBefore("stl_1", "par_else", "TEUR", 12_000_000)], "unattributed_deposit"),
        ([], [PaidBefore("stl_1", SELLER, "TUSD", 12_000_000)], "unattributed_deposit"),
        ([], [PaidBefore("stl_1", SELLER, "TEUR", 12_000_001)], "unattributed_deposit"),
        (
            [_claim(currency="EUR")],
            [PaidBefore("stl_1", SELLER, "TEUR", 12_000_000)],
            "unattributed_deposit",
        ),
    ],
)
def test_a_transfer_is_taken_for_what_the_claims_and_payments_of_the_two_say(
    claims: list[OpenClaim], before: list[PaidBefore], kind: str
) -> None:
    found = explain_transfer(_moved(), claims, before)

    assert found.kind == kind
    assert (found.party, found.amount_minor, found.unit) == (SELLER, 12_000_000, "TEUR")


def test_a_deposit_names_the_one_invoice_that_it_would_pay() -> None:
    found = explain_transfer(_moved(), [_claim(currency="EUR")], [])
    two = [_claim(currency="EUR"), _claim(currency="EUR", number="8")]
    unclear = explain_transfer(_moved(), two, [])

    assert found.detail["invoice"] == "inv_7"
    assert found.reason.endswith("; it is just what is open of invoice 7")
    assert "invoice" not in unclear.detail


def test_a_fraction_of_a_cent_pays_no_claim() -> None:
    assert explain_transfer(_moved(12_000_001), [_claim()], []).kind == "unattributed_deposit"


def test_what_left_for_a_stranger_is_a_withdrawal_of_the_payer() -> None:
    found = explain_transfer(_moved(payee=None), [], [])

    assert (found.kind, found.party, found.amount_minor) == (
        "unattributed_withdrawal", BUYER, -12_000_000,
    )  # fmt: skip


@pytest.mark.parametrize("second", [False, True])
def test_each_trouble_is_one_break_and_heals_when_its_block_is_orphaned(
    engine: Engine, second: bool
) -> None:
    with transaction(engine) as session:
        seed_world(session)
        session.add(
            Token(address=EURO_TOKEN, symbol="TEUR", currency="EUR", decimals=6, kind="exact",
                  code_hash="0x" + "00" * 32)
        )  # fmt: skip
        add_settlement(session, 1, state="SETTLED" if second else "CANCELLED")
        if second:
            session.execute(text("UPDATE invoice SET settled_minor = 1200, state = 'PAID'"))
        facts = Facts(session).block(22).block(11)
        token = {} if second else {"token": EURO_TOKEN}
        index = facts.transfer(
            20, 50, debtor=BUYER_WALLET, creditor=SELLER_WALLET, minor=12_000_000, **token
        ).log_index
        facts.store()
    book(engine)

    match(engine)
    match(engine)
    is_open = open_breaks(engine)
    with transaction(engine) as session:
        session.execute(text("UPDATE block SET canonical = false WHERE number = 20"))
        booking.reverse(session, NOW)
    match(engine)

    subject = f"log:{block_hash(20)}:{index}"
    kind = "duplicate" if second else "wrong_token"
    assert {found for found in is_open if found[1] == subject} == {(kind, subject)}
    said = "settlement stl_1 pays already" if second else "invoice 1 asks for, but in USD"
    assert said in reason_of(engine, subject)
    assert (kind, subject, "its block was orphaned") in closed_breaks(engine)
