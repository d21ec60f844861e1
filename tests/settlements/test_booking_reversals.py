"""Reversing: what stood on an orphaned block is taken back once, and booked where it returns."""

from sqlalchemy import Engine, text

from settlement import ledger
from settlement.config import Settings
from settlement.settlements import booking, tracking
from settlement.store import reading, transaction
from tests.builders.chain_facts import ZERO, Facts, add_settlement, seed_world
from tests.builders.ledger import (
    BUYER_WALLET,
    NOW,
    OPERATOR,
    SELLER_WALLET,
    TOKEN,
    a_reservation,
    block_hash,
    tx_hash,
)

SETTINGS = Settings()
BUYERS, SELLERS = f"wallet:{BUYER_WALLET}:TUSD", f"wallet:{SELLER_WALLET}:TUSD"


def _a_booked_payment(engine: Engine) -> None:
    """A mint in block 9; a payment with its gas in block 10, booked and BOOKED and matched."""
    with transaction(engine) as session:
        seed_world(session)
        add_settlement(session, 1)
        ledger.reserve(session, [a_reservation(1, 12_000_000)], NOW)
        facts = Facts(session)
        facts.transfer(9, 1, debtor=ZERO, creditor=BUYER_WALLET, minor=50_000_000)
        facts.receipt(10, 2, sender=OPERATOR)
        facts.payment(10, 2, 1)
        facts.store()
        session.execute(
            text(
                "UPDATE settlement SET state = 'CONFIRMING', outcome = 'paid', block_number = 10,"
                " block_hash = :hash, tx_hash = :tx, log_index = 1"
            ),
            {"hash": block_hash(10), "tx": tx_hash(2)},
        )
        booking.book(session, SETTINGS, NOW)
        session.execute(
            text(
                "INSERT INTO settlement_match (settlement_id, block_hash, log_index, block_number,"
                " entry_seq, live, created_at) VALUES ('stl_1', :hash, 1, 10, 3, true, 0)"
            ),
            {"hash": block_hash(10)},
        )


def _orphan(engine: Engine, *numbers: int, branch: int = 0) -> None:
    with transaction(engine) as session:
        for number in numbers:
            session.execute(
                text("UPDATE block SET canonical = false WHERE hash = :hash"),
                {"hash": block_hash(number, branch)},
            )


def _reverse(engine: Engine) -> booking.TakenBack:
    with transaction(engine) as session:
        tracking.unwind(session, NOW)
        return booking.reverse(session, NOW)


def _book(engine: Engine) -> booking.Booked:
    with transaction(engine) as session:
        return booking.book(session, SETTINGS, NOW)


def _balances(engine: Engine) -> tuple[int, int, int]:
    """Of the buyer's and the seller's wallet, and what the buyer has available."""
    with reading(engine) as session:
        assert ledger.verify_chain(session).holds
        assert ledger.trial_balance(session).is_balanced
        found = ledger.balances(session, [BUYERS, SELLERS])
        free = ledger.available(session, {(BUYER_WALLET, TOKEN): "TUSD"})
    return found[BUYERS], found[SELLERS], free[BUYER_WALLET, TOKEN]


def _books(engine: Engine) -> dict[str, str]:
    with reading(engine) as session:
        rows = session.execute(text("SELECT block_hash, books FROM receipt"))
        return {row.block_hash: row.books for row in rows}


def test_an_orphaned_payment_is_reversed_and_its_reservation_restored(engine: Engine) -> None:
    _a_booked_payment(engine)
    assert _balances(engine) == (38_000_000, 12_000_000, 38_000_000)
    _orphan(engine, 10)

    taken = _reverse(engine)

    assert taken == booking.TakenBack(blocks=1, entries=2, settlements=1)
    assert _balances(engine) == (50_000_000, 0, 38_000_000)
    assert _books(engine) == {block_hash(9): "posted", block_hash(10): "reversed"}
    with reading(engine) as session:
        rows = session.execute(
            text(
                "SELECT r.source_key, r.reverses_seq, r.block_number, r.block_hash, r.tx_hash,"
                " r.settlement_id, r.reason, o.kind FROM journal_entry r"
                " JOIN journal_entry o ON o.seq = r.reverses_seq ORDER BY r.seq"
            )
        ).all()
        match = session.execute(text("SELECT live, undone_at FROM settlement_match")).one()
        state = session.execute(text("SELECT state FROM settlement")).scalar()
    why = "its block was orphaned"
    place = (10, block_hash(10), tx_hash(2))
    assert [tuple(row) for row in rows] == [
        ("rev:3", 3, *place, "stl_1", why, "payment"),
        ("rev:4", 4, *place, None, why, "gas"),
    ]
    assert not match.live
    assert match.undone_at is not None
    assert state == "SUBMITTED"


def test_a_second_run_reverses_nothing(engine: Engine) -> None:
    _a_booked_payment(engine)
    _orphan(engine, 10)
    _reverse(engine)

    again = _reverse(engine)

    assert again == booking.TakenBack(0, 0, 0)
    assert _balances(engine) == (50_000_000, 0, 38_000_000)


def test_without_a_reorg_nothing_is_reversed(engine: Engine) -> None:
    _a_booked_payment(engine)

    assert _reverse(engine) == booking.TakenBack(0, 0, 0)
    assert _balances(engine) == (38_000_000, 12_000_000, 38_000_000)


def test_what_was_not_booked_yet_is_not_due_any_more(engine: Engine) -> None:
    with transaction(engine) as session:
        seed_world(session)
        facts = Facts(session)
        facts.receipt(10, 1, depth=5)
        facts.transfer(10, 1, debtor=ZERO, creditor=BUYER_WALLET, minor=7)
        facts.store()
    _orphan(engine, 10)

    taken = _reverse(engine)
    with transaction(engine) as session:
        Facts(session, branch=1).block(20).store()
    booked = _book(engine)

    assert taken == booking.TakenBack(blocks=1, entries=0, settlements=0)
    assert booked.receipts == 0
    assert _books(engine) == {block_hash(10): "none"}


def test_a_payment_that_returns_in_another_block_is_booked_there(engine: Engine) -> None:
    _a_booked_payment(engine)
    _orphan(engine, 10)
    _reverse(engine)
    with transaction(engine) as session:
        facts = Facts(session, branch=1).block(10)
        facts.receipt(11, 2, sender=OPERATOR)
        facts.payment(11, 2, 1)
        facts.store()

    booked = _book(engine)

    assert (booked.payments, booked.entries) == (1, 2)
    assert _balances(engine) == (38_000_000, 12_000_000, 38_000_000)
    with reading(engine) as session:
        assert ledger.releases(session, ["stl_1"]) == {}


def test_a_block_that_comes_back_is_booked_again_as_often_as_it_does(engine: Engine) -> None:
    _a_booked_payment(engine)

    for _round in range(2):
        _orphan(engine, 10)
        _reverse(engine)
        with transaction(engine) as session:
            # What the watcher does when a block is canonical again.
            session.execute(text("UPDATE block SET canonical = true"))
            session.execute(text("UPDATE receipt SET books = 'due' WHERE books = 'reversed'"))
        _book(engine)
        _book(engine)

    assert _balances(engine) == (38_000_000, 12_000_000, 38_000_000)
    with reading(engine) as session:
        keys = session.execute(
            text("SELECT source_key FROM journal_entry WHERE kind = 'payment' ORDER BY seq")
        ).scalars()
        key = f"log:{block_hash(10)}:0"
        assert list(keys) == [key, f"{key}:2", f"{key}:3"]


def test_only_what_stood_on_the_orphaned_block_is_reversed(engine: Engine) -> None:
    _a_booked_payment(engine)
    with transaction(engine) as session:
        # The other branch's block of the same number is canonical and booked.
        session.execute(text("UPDATE block SET canonical = false WHERE number = 10"))
        facts = Facts(session, branch=1)
        facts.transfer(10, 5, debtor=ZERO, creditor=SELLER_WALLET, minor=3)
        facts.store()
        booking.book(session, SETTINGS, NOW)

    taken = _reverse(engine)

    assert taken.entries == 2
    assert _balances(engine) == (50_000_000, 3, 38_000_000)
