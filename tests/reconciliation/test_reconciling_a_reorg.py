"""A reorg takes booked payments back and brings them again: books, matches and chain follow."""

from pathlib import Path

from sqlalchemy import Engine

from settlement import ledger
from settlement.config import BookingTier
from settlement.reconciliation import tie_out
from settlement.store import reading
from tests.builders.rail import a_rail
from tests.builders.reconciled import live_matches, open_breaks, verify


def test_a_booked_payment_lost_to_a_reorg_is_paid_and_matched_again(
    engine: Engine, tmp_path: Path
) -> None:
    with a_rail(engine, tmp_path) as rail:
        worker = rail.worker()
        settlements = rail.instructed(4)
        rail.run_until(worker, lambda: set(rail.states().values()) == {"BOOKED"})
        first = live_matches(engine)
        held_before = rail.booked(rail.seller_wallet)

        rail.controls.reorg(2)
        rail.tick(worker)
        lost, lost_matches = open_breaks(engine), live_matches(engine)
        held_meanwhile = rail.booked(rail.seller_wallet)
        with reading(engine) as session:
            set_aside = ledger.releases(session, settlements)
        rail.settle_all(worker)
        rail.tick(worker)

        assert len(first) == len(settlements)
        assert lost == {("reorged", each) for each in settlements}
        assert lost_matches == []
        assert held_before - held_meanwhile == sum(100_000 + n for n in range(4)) * 10**4
        assert set_aside.keys() == set(settlements)
        again = live_matches(engine)
        assert [found[0] for found in again] == sorted(settlements)
        assert {found[1] for found in again}.isdisjoint({found[1] for found in first})
        assert open_breaks(engine) == set()
        assert rail.booked(rail.seller_wallet) == rail.balance(rail.seller_wallet) == held_before
        assert len(rail.rows("SELECT 1 FROM journal_entry WHERE kind = 'payment'")) == 8
        assert tie_out(engine, rail.chain, rail.now).ties
        verify(engine)
        with reading(engine) as session:
            assert ledger.releases(session, settlements) == {}


def test_a_small_payment_is_booked_and_matched_before_a_larger_older_one(
    engine: Engine, tmp_path: Path
) -> None:
    tiers = (
        BookingTier(from_units=0, confirmations=1),
        BookingTier(from_units=2_000, confirmations=6),
    )
    with a_rail(engine, tmp_path, booking_tiers=tiers) as rail:
        worker = rail.worker()
        (large,) = rail.instructed(1, payable_minor=300_000)
        rail.round(worker)
        (small,) = rail.instructed(1, payable_minor=100_000)
        rail.run_until(worker, lambda: rail.state(small) == "BOOKED")
        first, waiting = live_matches(engine), rail.state(large)
        rail.settle_all(worker)
        rail.tick(worker)

        assert [found[0] for found in first] == [small]
        assert waiting == "CONFIRMING"
        assert [found[0] for found in live_matches(engine)] == sorted([small, large])
        assert open_breaks(engine) == set()
        assert tie_out(engine, rail.chain, rail.now).ties
        verify(engine)
