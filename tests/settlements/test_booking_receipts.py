"""Booking: receipts at their depth become entries, in the chain's order, once."""

import pytest
from sqlalchemy import Engine, text

from settlement import ledger
from settlement.config import Settings
from settlement.settlements import booking
from settlement.store import reading, transaction
from tests.builders.chain_facts import (
    RAIL,
    STRANGER,
    ZERO,
    Facts,
    add_settlement,
    seed_world,
)
from tests.builders.ledger import (
    BUYER,
    BUYER_WALLET,
    NOW,
    OPERATOR,
    SELLER,
    SELLER_WALLET,
    TOKEN,
    a_reservation,
    block_hash,
    tx_hash,
)
from tests.builders.reconciled import seen

SETTINGS = Settings()


def _book(engine: Engine) -> booking.Booked:
    with transaction(engine) as session:
        return booking.book(session, SETTINGS, NOW)


def _entries(engine: Engine) -> list[tuple[str, str]]:
    with reading(engine) as session:
        assert ledger.verify_chain(session).holds
        assert ledger.trial_balance(session).is_balanced
        rows = session.execute(text("SELECT kind, source_key FROM journal_entry ORDER BY seq"))
        return [tuple(row) for row in rows]


def _balance(engine: Engine, code: str) -> int:
    with reading(engine) as session:
        return ledger.balances(session, [code])[code]


def _states(engine: Engine) -> dict[str, str]:
    with reading(engine) as session:
        rows = session.execute(text("SELECT id, state FROM settlement"))
        return {row.id: row.state for row in rows}


def test_a_seen_payment_is_booked_and_its_settlement_moves_to_booked(engine: Engine) -> None:
    with transaction(engine) as session:
        seed_world(session)
        add_settlement(session, 1)
        ledger.reserve(session, [a_reservation(1, 12_000_000)], NOW)
        facts = Facts(session)
        moved, settled = facts.payment(10, 1, 1)
        facts.store()
        seen(session, 1, block=10, tx=1, log_index=settled.log_index)

    booked = _book(engine)

    assert booked == booking.Booked(1, 1, 1, 1, more=False)
    assert _entries(engine)[1:] == [("payment", f"log:{block_hash(10)}:{moved.log_index}")]
    with reading(engine) as session:
        row = (
            session.execute(text("SELECT * FROM journal_entry WHERE kind = 'payment'"))
            .mappings()
            .one()
        )
        lines = session.execute(
            text(
                "SELECT a.code, p.amount_minor, p.phase FROM posting p JOIN account a"
                " ON a.id = p.account_id WHERE p.entry_seq = :seq"
            ),
            {"seq": row["seq"]},
        ).all()
        events = session.execute(text("SELECT move, state, actor FROM settlement_event")).all()
        receipt = session.execute(text("SELECT books FROM receipt")).scalar()
    assert (row["settlement_id"], row["invoice_id"]) == ("stl_1", "inv_1")
    assert (row["block_number"], row["block_hash"]) == (10, block_hash(10))
    assert (row["tx_hash"], row["value_date"]) == (tx_hash(1), "2026-11-23")
    assert {tuple(line) for line in lines} == {
        (f"wallet:{SELLER_WALLET}:TUSD", 12_000_000, "posted"),
        (f"par:{SELLER}:TUSD", -12_000_000, "posted"),
        (f"par:{SELLER}:USD", 1200, "posted"),
        (f"receivable:{SELLER}:USD", -1200, "posted"),
        (f"payable:{BUYER}:USD", 1200, "posted"),
        (f"par:{BUYER}:USD", -1200, "posted"),
        (f"par:{BUYER}:TUSD", 12_000_000, "posted"),
        (f"wallet:{BUYER_WALLET}:TUSD", -12_000_000, "posted"),
        (f"wallet:{BUYER_WALLET}:TUSD", 12_000_000, "pending"),
        (f"wallet:{SELLER_WALLET}:TUSD", -12_000_000, "pending"),
    }
    assert _states(engine) == {"stl_1": "BOOKED"}
    assert [tuple(event) for event in events] == [("booked", "BOOKED", "chain")]
    assert receipt == "posted"


def test_a_second_run_is_a_no_op(engine: Engine) -> None:
    with transaction(engine) as session:
        seed_world(session)
        add_settlement(session, 1)
        facts = Facts(session)
        facts.payment(10, 1, 1)
        facts.store()
    first, before = _book(engine), _entries(engine)

    second = _book(engine)

    assert (first.entries, second.receipts, second.entries) == (1, 0, 0)
    assert _entries(engine) == before


def test_a_receipt_waits_for_its_own_depth(engine: Engine) -> None:
    with transaction(engine) as session:
        seed_world(session)
        facts = Facts(session)
        facts.receipt(10, 1, depth=3)
        facts.transfer(10, 1, debtor=ZERO, creditor=BUYER_WALLET, minor=7)
        facts.receipt(11, 2, depth=1)
        facts.transfer(11, 2, debtor=ZERO, creditor=SELLER_WALLET, minor=5)
        facts.store()

    at_head_11 = _book(engine)
    with transaction(engine) as session:
        Facts(session).block(12).store()
    at_head_12 = _book(engine)

    assert (at_head_11.receipts, at_head_12.receipts) == (1, 1)
    assert _balance(engine, f"wallet:{BUYER_WALLET}:TUSD") == 7


def test_what_stands_on_an_orphaned_block_is_never_booked(engine: Engine) -> None:
    with transaction(engine) as session:
        seed_world(session)
        facts = Facts(session)
        facts.transfer(10, 1, debtor=ZERO, creditor=BUYER_WALLET, minor=7)
        facts.store()
        Facts(session, branch=1).block(20).store()
        session.execute(text("UPDATE block SET canonical = false WHERE number = 10"))

    booked = _book(engine)

    assert (booked.receipts, booked.entries) == (0, 0)


def test_entries_follow_the_chains_own_order_with_gas_last(engine: Engine) -> None:
    with transaction(engine) as session:
        seed_world(session)
        for number in (1, 2):
            add_settlement(session, number)
        facts = Facts(session)
        facts.receipt(10, 1, sender=OPERATOR)
        facts.payment(10, 1, 2)
        facts.payment(10, 1, 1)
        facts.receipt(10, 2, sender=STRANGER)
        facts.transfer(10, 2, debtor=ZERO, creditor=STRANGER, minor=5)
        facts.receipt(9, 3, sender=OPERATOR, status=0)
        facts.store()

    _book(engine)

    assert _entries(engine) == [
        ("gas", f"gas:{block_hash(9)}:{tx_hash(3)}"),
        ("payment", f"log:{block_hash(10)}:0"),
        ("payment", f"log:{block_hash(10)}:2"),
        ("gas", f"gas:{block_hash(10)}:{tx_hash(1)}"),
        ("mint", f"log:{block_hash(10)}:4"),
    ]
    assert _balance(engine, f"coin:{OPERATOR}:WEI") == -2 * 150_000
    assert _balance(engine, f"gas:{OPERATOR}:WEI") == 2 * 150_000


def test_tokens_that_nobody_instructed_go_to_suspense(engine: Engine) -> None:
    with transaction(engine) as session:
        seed_world(session)
        facts = Facts(session)
        facts.transfer(10, 1, debtor=ZERO, creditor=BUYER_WALLET, minor=100)
        facts.transfer(10, 2, debtor=ZERO, creditor=STRANGER, minor=1000)
        facts.transfer(11, 3, debtor=STRANGER, creditor=SELLER_WALLET, minor=10)
        facts.transfer(11, 4, debtor=BUYER_WALLET, creditor=STRANGER, minor=1)
        facts.transfer(11, 5, debtor=BUYER_WALLET, creditor=SELLER_WALLET, minor=4)
        facts.transfer(11, 6, debtor=STRANGER, creditor=ZERO, minor=500)
        facts.transfer(11, 7, debtor=STRANGER, creditor=RAIL, minor=50)
        facts.transfer(11, 8, debtor=BUYER_WALLET, creditor=BUYER_WALLET, minor=9)
        facts.transfer(11, 9, debtor=STRANGER, creditor=BUYER_WALLET, minor=0)
        facts.store()

    _book(engine)

    held = {
        code: _balance(engine, code)
        for code in (
            f"wallet:{BUYER_WALLET}:TUSD",
            f"wallet:{SELLER_WALLET}:TUSD",
            "outside:TUSD",
            f"liability:{TOKEN}:TUSD",
            f"suspense:{BUYER}:TUSD",
            f"suspense:{SELLER}:TUSD",
            "suspense:outside:TUSD",
        )
    }
    assert list(held.values()) == [95, 14, 1000 - 10 + 1 - 500, -600, 5, -14, 10 - 1]
    assert [kind for kind, _key in _entries(engine)] == [
        *["mint"] * 2,
        *["transfer"] * 3,
        "burn",
        *["transfer"] * 2,
    ]


def test_an_amount_beyond_63_bits_stops_the_booking(engine: Engine) -> None:
    with transaction(engine) as session:
        seed_world(session)
        facts = Facts(session)
        facts.transfer(9, 1, debtor=ZERO, creditor=BUYER_WALLET, minor=7)
        facts.transfer(10, 2, debtor=ZERO, creditor=STRANGER, minor=None, detail='{"amount": "2"}')
        facts.store()

    with pytest.raises(booking.AmountOutOfBounds, match=r"log 0 of block 0x0.*2\^63 or more"):
        _book(engine)

    assert _entries(engine) == []
    with reading(engine) as session:
        assert session.execute(text("SELECT DISTINCT books FROM receipt")).scalar() == "due"


def test_an_amount_beyond_63_bits_between_strangers_is_none_of_ours(engine: Engine) -> None:
    with transaction(engine) as session:
        seed_world(session)
        facts = Facts(session)
        facts.transfer(10, 1, debtor=STRANGER, creditor=RAIL, minor=None)
        facts.store()

    booked = _book(engine)

    assert (booked.receipts, booked.entries) == (1, 0)


def test_a_call_is_bounded_and_splits_no_chain_transaction(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(booking, "RECEIPTS_PER_CALL", 2)
    bounded = Settings(settlements_per_tick_max=1, batch_payments_max=1)
    with transaction(engine) as session:
        seed_world(session)
        facts = Facts(session)
        for tx in (1, 2, 3):
            for _log in range(3):
                facts.transfer(10, tx, debtor=ZERO, creditor=BUYER_WALLET, minor=tx)
        facts.store()

    runs = []
    for _run in range(3):
        with transaction(engine) as session:
            booked = booking.book(session, bounded, NOW)
        runs.append((booked.receipts, booked.entries, booked.more))

    assert runs == [(2, 6, True), (1, 3, False), (0, 0, False)]
