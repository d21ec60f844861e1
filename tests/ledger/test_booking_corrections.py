"""Bank movements, write-offs, adjustments and attributions: balanced, signed right, posted once."""

import pytest
from sqlalchemy import Engine

from settlement import ledger
from settlement.errors import Invalid
from settlement.ledger import Attribution, Claim, Entry, Line, Side, accounts, entries
from settlement.store import reading, transaction
from tests.builders.ledger import (
    BUYER,
    BUYER_WALLET,
    CURRENCY,
    DAY,
    NOW,
    SELLER,
    SELLER_WALLET,
    SYMBOL,
    TOKEN,
    a_source,
    an_acceptance,
    seed_parties,
)

BANK_ACCOUNT = "bka_1"
NOSTRO, CLEARING = f"nostro:{BANK_ACCOUNT}:USD", f"clearing:{BANK_ACCOUNT}:USD"
OWED, OWING = f"receivable:{SELLER}:USD", f"payable:{BUYER}:USD"
DECIMALS = {"held_decimals": 6, "claim_decimals": 2}


def a_movement(minor: int = 1200, entry_id: int = 1) -> Entry:
    return entries.bank_movement(
        entry_id, bank_account_id=BANK_ACCOUNT, currency="USD", minor=minor, value_date=DAY
    )


def an_attribution(**fields: object) -> Attribution:
    given: dict[str, object] = {
        "act_id": "act_1",
        "invoice_id": "inv_1",
        "creditor_id": SELLER,
        "debtor_id": BUYER,
        "currency": CURRENCY,
        "claim_minor": 1200,
        "received_in": accounts.suspense(SELLER, SYMBOL),
        "paid_from": accounts.suspense(accounts.OUTSIDE, SYMBOL),
        "reason": "the payer named the invoice by mail",
        **fields,
    }
    return Attribution(**given)  # type: ignore[arg-type]


def posted(engine: Engine, made: list[Entry], codes: list[str]) -> list[int]:
    """Post all of them, twice, and return the balances of `codes`."""
    with transaction(engine) as session:
        assert ledger.post(session, made, NOW) == len(made)
        assert ledger.post(session, made, NOW) == 0
    with reading(engine) as session:
        assert ledger.trial_balance(session).is_balanced
        found = ledger.balances(session, codes)
    return [found[code] for code in codes]


def test_what_a_bank_books_stands_in_clearing_until_somebody_explains_it(engine: Engine) -> None:
    made = [a_movement(1200, 1), a_movement(-200, 2)]

    assert posted(engine, made, [NOSTRO, CLEARING]) == [1000, -1000]
    assert [entry.source_key for entry in made] == ["bank:1", "bank:2"]


def test_a_bank_entry_of_nothing_moves_nothing() -> None:
    assert a_movement(0).lines == ()


def test_bank_money_that_backs_a_token_goes_from_clearing_to_its_reserve(engine: Engine) -> None:
    backing = entries.reserve_movement(
        "match_1",
        bank_account_id=BANK_ACCOUNT,
        token=TOKEN,
        currency="USD",
        minor=1200,
        value_date=DAY,
    )

    codes = [NOSTRO, CLEARING, accounts.reserve(TOKEN, "USD")]
    assert posted(engine, [a_movement(), backing], codes) == [1200, 0, -1200]


def test_a_claim_that_is_let_go_is_gone_on_both_sides(engine: Engine) -> None:
    claim = Claim("inv_1", SELLER, BUYER, CURRENCY, 30, DAY)
    off = entries.claim_write_off("act_1", claim, reason="short by a bank's charge")

    codes = [OWED, OWING, f"write_off:{SELLER}:USD", f"write_off:{BUYER}:USD"]
    assert posted(engine, [an_acceptance(), off], codes) == [1170, -1170, 30, -30]


@pytest.mark.parametrize("minor", [25, -25])
def test_an_amount_is_taken_off_an_account_as_it_stands_there(engine: Engine, minor: int) -> None:
    fees = accounts.fees(SELLER, "USD")
    off = entries.write_off("act_1", code=CLEARING, minor=minor, against=fees, reason="a charge")

    assert posted(engine, [a_movement(-minor), off], [CLEARING, fees]) == [0, minor]


def test_an_adjustment_moves_from_credit_to_debit(engine: Engine) -> None:
    other = accounts.adjustment(SELLER, "USD")
    made = entries.adjustment("act_1", debit=CLEARING, credit=other, minor=7, reason="booked twice")

    assert posted(engine, [made], [CLEARING, other]) == [7, -7]


def test_a_deposit_in_suspense_pays_the_claim_of_an_invoice(engine: Engine) -> None:
    deposit = entries.transfer(
        Side("0x" + "99" * 20, None),
        Side(SELLER_WALLET, SELLER),
        symbol=SYMBOL,
        minor=12_000_001,
        log_index=3,
        source=a_source(),
    )
    with transaction(engine) as session:
        seed_parties(session)

    made = [an_acceptance(), deposit, entries.attribution(an_attribution(), **DECIMALS)]
    codes = [f"wallet:{SELLER_WALLET}:TUSD", f"suspense:{SELLER}:TUSD", "suspense:outside:TUSD"]
    assert posted(engine, made, [*codes, OWED, OWING]) == [12_000_001, -1, 1, 0, 0]
    with reading(engine) as session:
        par = ledger.balances(session, ledger.codes_of(session, kind="par"))
    assert par == {
        f"par:{SELLER}:TUSD": -12_000_000,
        f"par:{SELLER}:USD": 1200,
        f"par:{BUYER}:TUSD": 12_000_000,
        f"par:{BUYER}:USD": -1200,
    }


def test_a_bank_credit_in_clearing_pays_a_claim_without_a_par_pair(engine: Engine) -> None:
    paid = an_attribution(received_in=CLEARING, paid_from=accounts.outside("USD"), claim_minor=700)

    made = [
        an_acceptance(),
        a_movement(700),
        entries.attribution(paid, held_decimals=2, claim_decimals=2),
    ]
    codes = [NOSTRO, CLEARING, OWED, OWING, accounts.outside("USD")]
    assert posted(engine, made, codes) == [700, 0, 500, -500, -700]
    with reading(engine) as session:
        assert ledger.codes_of(session, kind="par") == []


def test_one_act_shares_a_deposit_out_among_invoices() -> None:
    keys = {
        entries.attribution(an_attribution(invoice_id=invoice_id), **DECIMALS).source_key
        for invoice_id in ("inv_1", "inv_2")
    }

    assert keys == {"attribution:act_1:inv_1", "attribution:act_1:inv_2"}


def test_a_claim_with_more_digits_than_the_token_is_not_attributed() -> None:
    with pytest.raises(Invalid, match=r"12\.01"):
        entries.attribution(an_attribution(claim_minor=1201), held_decimals=1, claim_decimals=2)


def test_an_attribution_is_undone_by_its_reversal(engine: Engine) -> None:
    made = [an_acceptance(), entries.attribution(an_attribution(), **DECIMALS)]
    codes = [f"suspense:{SELLER}:TUSD", OWED, OWING]
    assert posted(engine, made, codes) == [12_000_000, 0, 0]

    with transaction(engine) as session:
        ledger.reverse(session, [2], NOW, "the deposit was for another invoice")

    with reading(engine) as session:
        assert list(ledger.balances(session, codes).values()) == [0, 1200, -1200]


def test_every_kind_of_account_has_a_code_that_is_opened_under_it(engine: Engine) -> None:
    codes = {
        "adjustment": accounts.adjustment(SELLER, "USD"),
        "clearing": accounts.clearing(BANK_ACCOUNT, "USD"),
        "coin": accounts.coin(BUYER_WALLET),
        "fees": accounts.fees(SELLER, SYMBOL),
        "funding": accounts.funding(BUYER_WALLET),
        "fx_difference": accounts.fx_difference(SELLER, "USD"),
        "gas": accounts.gas(BUYER_WALLET),
        "liability": accounts.liability(TOKEN, SYMBOL),
        "nostro": accounts.nostro(BANK_ACCOUNT, "USD"),
        "outside": accounts.outside("USD"),
        "par": accounts.par(SELLER, "USD"),
        "payable": accounts.payable(SELLER, "USD"),
        "purchases": accounts.purchases(SELLER, "USD"),
        "receivable": accounts.receivable(SELLER, "USD"),
        "reserve": accounts.reserve(TOKEN, "USD"),
        "rounding": accounts.rounding(SELLER, "USD"),
        "sales": accounts.sales(SELLER, "USD"),
        "suspense": accounts.suspense(SELLER, "USD"),
        "wallet": accounts.wallet(BUYER_WALLET, SYMBOL),
        "write_off": accounts.write_off(SELLER, "USD"),
    }
    assert set(codes) == accounts.KINDS
    other = f"adjustment:{SELLER}:"
    made = [
        Entry("adjustment", kind, (Line(code, 1), Line(other + accounts.unit_of(code), -1)))
        for kind, code in codes.items()
        if kind != "adjustment"
    ]

    with transaction(engine) as session:
        ledger.post(session, made, NOW)

    with reading(engine) as session:
        for kind, code in codes.items():
            assert code in ledger.codes_of(session, kind=kind)
