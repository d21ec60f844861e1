"""Reorgs of every depth, at every stage, with every way in which a payment comes back."""

from pathlib import Path

import pytest

from settlement.chain import admin_abi
from settlement.errors import ReorgTooDeep
from tests.builders.ports import BrokenChain
from tests.builders.rail import OPERATOR, Rail
from tests.builders.soundness import assert_sound, cold_replay

RETURNS = ("forgotten", "elsewhere", "other attempt", "refused")


@pytest.mark.parametrize("depth", (1, 2, 3, 5, 6, 8, 10, 11))
def test_a_payment_comes_back_from_a_reorg_of_any_depth(
    sqlite_rail: Rail, tmp_path: Path, depth: int
) -> None:
    _comes_back_in_every_way(sqlite_rail, tmp_path, depth)


def test_a_payment_comes_back_in_every_way_on_both_databases(rail: Rail, tmp_path: Path) -> None:
    _comes_back_in_every_way(rail, tmp_path, 3)


def _comes_back_in_every_way(rail: Rail, tmp_path: Path, depth: int) -> None:
    for turn, comes_back in enumerate(RETURNS):
        _one_reorg(rail, depth, comes_back, sequence=turn + 1)
    balances = cold_replay(rail, tmp_path)

    assert balances == {w: rail.booked(w) for w in (rail.seller_wallet, rail.buyer_wallet)}


def _one_reorg(rail: Rail, depth: int, comes_back: str, *, sequence: int) -> None:
    rail.let_go()
    worker = rail.worker(chain=BrokenChain(rail.chain, ["transaction underpriced"]))
    (key,) = rail.instructed()
    rail.tick(worker)
    first = rail.rows("SELECT raw FROM attempt ORDER BY created_at DESC")[0]
    rail.tick(worker)  # It bid too little: a second attempt is made.
    second = rail.rows("SELECT raw FROM attempt ORDER BY created_at DESC")[0]
    assert first != second
    rail.controls.mine(depth)
    rail.tick(worker)
    assert rail.state(key) == "BOOKED"
    sequence_of = "SELECT sequence FROM settlement WHERE id = :id"

    token, buyer = rail.token(), rail.buyer_wallet
    freeze = rail.signed(rail.sandbox.admin, token, admin_abi.freeze_calldata(buyer))
    place = depth - 1
    included: list[tuple[bytes, int]] = {
        "forgotten": [],
        "elsewhere": [(bytes(second.raw), place)],
        "other attempt": [(bytes(first.raw), place)],
        "refused": [(freeze, 0), (bytes(second.raw), place)],
    }[comes_back]
    rail.controls.reorg(depth, included)
    rail.tick(worker)

    again = rail.moves(key)[rail.moves(key).index("orphaned") :]
    expected = {"forgotten": [], "refused": ["seen"]}.get(comes_back, ["seen", "booked"])
    assert again[1:] == expected, comes_back
    if comes_back == "refused":
        row = rail.one("SELECT outcome, outcome_code FROM settlement WHERE id = :id", id=key)
        assert tuple(row) == ("rejected", 8)
        rail.run_until(worker, lambda: rail.state(key) == "REJECTED")
        assert rail.invoice_of(key).in_flight_minor == 0
    else:
        rail.run_until(worker, lambda: rail.state(key) == "SETTLED")
    assert rail.one(sequence_of, id=key) == sequence
    assert_sound(rail)


def test_an_outcome_flips_from_rejected_to_paid(rail: Rail) -> None:
    worker = rail.worker()
    rail.tick(worker)
    rail.on_chain(rail.sandbox.admin, rail.token(), admin_abi.freeze_calldata(rail.seller_wallet))
    (key,) = rail.instructed()
    rail.run_until(worker, lambda: rail.state(key) == "CONFIRMING")
    depth = _confirmations(rail) + 1
    first = rail.one("SELECT outcome, outcome_code FROM settlement")

    rail.controls.reorg(depth)  # Also without the freeze.
    rail.settle_all(worker)

    assert tuple(first) == ("rejected", 8)
    assert rail.told(key) == ["settlement.instructed", "settlement.settled"]
    assert_sound(rail)


def test_a_payment_that_was_only_seen_goes_back_too(rail: Rail) -> None:
    worker = rail.worker()
    (key,) = rail.instructed(payable_minor=20_000_000)  # Booked at six blocks.
    rail.run_until(worker, lambda: rail.state(key) == "CONFIRMING")

    rail.controls.reorg(_confirmations(rail))
    rail.tick(worker)

    row = rail.one("SELECT * FROM settlement")
    assert (row.state, row.outcome, row.block_hash, row.log_index) == (
        "SUBMITTED",
        None,
        None,
        None,
    )
    assert rail.rows("SELECT * FROM journal_entry WHERE kind IN ('payment', 'reversal')") == []
    assert rail.reserved(rail.buyer_wallet) == 200_000_000_000
    rail.settle_all(worker)
    assert_sound(rail)


def test_a_booked_payment_is_reversed_sent_again_from_stored_bytes_and_booked_again(
    rail: Rail,
) -> None:
    worker = rail.worker()
    (key,) = rail.instructed()
    rail.run_until(worker, lambda: rail.state(key) == "BOOKED")
    raws = rail.rows("SELECT raw FROM attempt")

    rail.controls.reorg(_confirmations(rail))
    rail.tick(worker)
    reversed_ = rail.rows(
        "SELECT kind FROM journal_entry WHERE settlement_id = :id"
        " AND kind IN ('payment', 'reversal') ORDER BY seq",
        id=key,
    )
    booked = rail.booked(rail.seller_wallet)
    pooled = rail.chain.pooled_count()
    rail.settle_all(worker)

    assert [row.kind for row in reversed_] == ["payment", "reversal"]
    assert booked == rail.booked(rail.seller_wallet) - 1_000_000_000
    assert pooled == 1
    assert rail.rows("SELECT raw FROM attempt") == raws
    assert rail.moves(key)[4:] == ["seen", "booked", "orphaned", "seen", "booked", "finalized"]
    assert rail.told(key) == ["settlement.instructed", "settlement.settled"]
    assert rail.told(rail.invoice_of(key).id)[-1] == "invoice.paid"
    assert_sound(rail)


def test_a_branch_and_back_again_leaves_no_trace_on_the_balances(rail: Rail) -> None:
    worker = rail.worker()
    (key,) = rail.instructed()
    rail.run_until(worker, lambda: rail.state(key) == "BOOKED")
    raw = bytes(rail.one("SELECT raw FROM attempt"))

    for _ in range(3):
        rail.controls.reorg(3)
        rail.tick(worker)
        rail.controls.drop_all()
        rail.controls.reorg(3, [(raw, 1)])
        rail.tick(worker)
    rail.settle_all(worker)

    assert rail.moves(key).count("orphaned") >= 3
    assert_sound(rail)


def test_a_reorg_past_finality_halts_the_lanes_and_touches_nothing(rail: Rail) -> None:
    worker = rail.worker()
    (key,) = rail.instructed()
    rail.settle_all(worker)
    entries = rail.rows("SELECT seq, hash FROM journal_entry")

    rail.controls.reorg(_confirmations(rail))
    with pytest.raises(ReorgTooDeep):
        rail.tick(worker)

    assert rail.lane().state == "halted"
    assert "was final" in rail.lane().reason
    assert rail.state(key) == "SETTLED"
    assert rail.rows("SELECT seq, hash FROM journal_entry") == entries


def test_what_is_final_is_not_asked_of_the_chain_again(rail: Rail) -> None:
    worker = rail.worker()
    (key,) = rail.instructed()
    rail.settle_all(worker)

    rail.controls.reorg(rail.settings.finality_confirmations - 1)
    rail.run_until(worker, lambda: rail.rounds > 0, rounds=3)

    assert rail.state(key) == "SETTLED"
    assert rail.chain.nonce(OPERATOR.address) == 1
    assert_sound(rail)


def _confirmations(rail: Rail) -> int:
    return int(1 + rail.chain.head().number - rail.one("SELECT block_number FROM settlement"))
