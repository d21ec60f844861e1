"""Whole journeys on a real node: paid, rejected and paid on retry, reversed and booked again."""

from collections.abc import Callable
from pathlib import Path

from settlement.chain import admin_abi
from settlement.settlements import control
from tests.builders.rail import OPERATOR, Rail
from tests.builders.soundness import assert_sound, cold_replay
from tests.invoices.builders import a_party

Judge = Callable[[Rail], None]


def test_one_invoice_is_paid_booked_final_and_reconciled(anvil_rail: Rail, judged: Judge) -> None:
    rail, worker = anvil_rail, anvil_rail.worker()
    invoice_id = rail.accepted(119_000)
    before = rail.balance(rail.seller_wallet)

    (key,) = rail.instruct(invoice_id)
    rail.settle_all(worker)

    assert rail.balance(rail.seller_wallet) - before == 1_190_000_000
    assert rail.told(key) == ["settlement.instructed", "settlement.settled"]
    assert rail.told(invoice_id)[-1] == "invoice.paid"
    assert rail.invoice(invoice_id).settled_minor == 119_000
    rail.round(worker)
    assert rail.one("SELECT COUNT(*) FROM settlement_match WHERE live") == 1
    assert_sound(rail)
    judged(rail)


def test_a_frozen_payee_is_rejected_inside_its_batch_and_paid_on_retry(
    anvil_rail: Rail, judged: Judge
) -> None:
    rail, worker = anvil_rail, anvil_rail.worker()
    rail.tick(worker)
    freeze = admin_abi.freeze_calldata(rail.seller_wallet)
    rail.on_chain(rail.sandbox.admin, rail.token(), freeze)
    good = rail.instructed(3, seller=a_party(rail.companies, "stranger"))
    (bad,) = rail.instructed()

    rail.run_until(worker, lambda: rail.state(bad) == "REJECTED")
    paid_beside = [rail.state(key) for key in good]
    unfreeze = admin_abi.unfreeze_calldata(rail.seller_wallet)
    rail.on_chain(rail.sandbox.admin, rail.token(), unfreeze)
    rail.act(control.retry, bad)
    rail.settle_all(worker)

    assert paid_beside == ["SETTLED"] * 3
    rows = rail.rows("SELECT member_count, state FROM chain_tx ORDER BY nonce")
    assert [tuple(row) for row in rows] == [(4, "FINAL"), (1, "FINAL")]
    assert sorted(sequence for sequence, _ in rail.paid_logs()) == [1, 2, 3, 4]
    rail.round(worker)
    assert_sound(rail)
    judged(rail)


def test_a_reorg_of_two_blocks_with_a_booked_payment_is_healed(
    anvil_rail: Rail, tmp_path: Path, judged: Judge
) -> None:
    rail, worker = anvil_rail, anvil_rail.worker()
    (key,) = rail.instructed()
    rail.run_until(worker, lambda: rail.state(key) == "BOOKED")
    rail.tick(worker)
    deep = 1 + rail.chain.head().number - rail.one("SELECT block_number FROM settlement")
    stored = rail.rows("SELECT raw FROM attempt")

    rail.controls.reorg(deep)  # anvil forgets what it held.
    assert rail.chain.nonce(OPERATOR.address) == 0
    rail.settle_all(worker)

    assert deep == 2
    assert rail.moves(key).count("orphaned") == 1
    assert rail.one("SELECT COUNT(*) FROM journal_entry WHERE kind = 'payment'") == 2
    assert rail.rows("SELECT raw FROM attempt") == stored, "the same bytes again"
    rail.round(worker)
    assert_sound(rail)
    wallets = (rail.seller_wallet, rail.buyer_wallet)
    assert cold_replay(rail, tmp_path) == {wallet: rail.booked(wallet) for wallet in wallets}
    judged(rail)
