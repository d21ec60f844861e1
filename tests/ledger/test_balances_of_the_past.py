"""Balances now, at a past moment and at a block."""

from datetime import timedelta

from sqlalchemy import Engine

from settlement import ledger
from settlement.ledger import Line
from settlement.store import reading, transaction
from tests.builders.ledger import (
    BUYER,
    BUYER_WALLET,
    NOW,
    SELLER,
    SELLER_WALLET,
    a_payment,
    a_source,
    an_acceptance,
    seed_parties,
)

BUYERS, SELLERS = f"wallet:{BUYER_WALLET}:TUSD", f"wallet:{SELLER_WALLET}:TUSD"
OWED = f"receivable:{SELLER}:USD"
LATER = NOW + timedelta(hours=1)


def _two_payments(engine: Engine) -> None:
    with transaction(engine) as session:
        seed_parties(session)
        ledger.post(session, [an_acceptance("inv_1", 1200)], NOW)
        ledger.post(session, [a_payment(1, 5_000_000, source=a_source(10))], NOW)
        ledger.post(session, [a_payment(2, 7_000_000, source=a_source(12))], LATER)


def test_a_balance_at_a_block_counts_up_to_and_with_that_block(engine: Engine) -> None:
    _two_payments(engine)

    with reading(engine) as session:
        at = {
            number: ledger.balances(session, [SELLERS], at_block=number)[SELLERS]
            for number in (9, 10, 11, 12)
        }
        in_bulk = {
            number: ledger.balances_at(session, ["wallet"], number)[SELLERS]
            for number in (9, 10, 11, 12)
        }

    assert at == in_bulk == {9: 0, 10: 5_000_000, 11: 5_000_000, 12: 12_000_000}


def test_a_balance_at_a_moment_counts_what_was_posted_by_then(engine: Engine) -> None:
    _two_payments(engine)

    with reading(engine) as session:
        then = ledger.balances(session, [BUYERS, OWED], at=LATER - timedelta(microseconds=1))
        now = ledger.balances(session, [BUYERS, OWED])
        at_that_moment = ledger.balances(session, [BUYERS, OWED], at=LATER)

    assert at_that_moment == now
    assert then == {BUYERS: -5_000_000, OWED: 700}
    assert now == {BUYERS: -12_000_000, OWED: 0}


def test_a_reversed_entry_counts_at_no_block(engine: Engine) -> None:
    _two_payments(engine)
    with transaction(engine) as session:
        ledger.reverse(session, [2], LATER, "its block was orphaned")

    with reading(engine) as session:
        at_10 = ledger.balances(session, [SELLERS], at_block=10)[SELLERS]
        at_12 = ledger.balances_at(session, ["wallet"], 12)[SELLERS]

    assert (at_10, at_12) == (0, 7_000_000)


def test_the_kinds_and_owners_of_accounts_are_found(engine: Engine) -> None:
    _two_payments(engine)

    with reading(engine) as session:
        wallets = ledger.codes_of(session, kind="wallet")
        of_the_buyer = ledger.codes_of(session, owner=BUYER)
        unknown = ledger.balances(session, ["wallet:0xff:TUSD"])

    assert wallets == [SELLERS, BUYERS]
    assert of_the_buyer == [
        f"par:{BUYER}:TUSD",
        f"par:{BUYER}:USD",
        f"payable:{BUYER}:USD",
        f"purchases:{BUYER}:USD",
        BUYERS,
    ]
    assert unknown == {"wallet:0xff:TUSD": 0}


def test_a_kept_sum_that_drifted_is_named(engine: Engine) -> None:
    _two_payments(engine)
    with transaction(engine) as session:
        session.connection().exec_driver_sql(
            "UPDATE balance SET posted_minor = posted_minor + 1"
            f" WHERE account_id = (SELECT id FROM account WHERE code = '{SELLERS}')"
        )

    with reading(engine) as session:
        trial = ledger.trial_balance(session)

    assert trial.drifted == (SELLERS,)
    assert not trial.is_balanced
    assert Line(SELLERS, 12_000_000)[:2] in [(row.code, row.posted_minor) for row in trial.rows]
