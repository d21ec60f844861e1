"""Healing: an old backup meets a newer chain, and a key that somebody else used."""

from datetime import timedelta
from pathlib import Path

import pytest

from settlement.chain import admin_abi
from settlement.chain.port import Hash
from settlement.chain.rail_abi import PaymentTerms, settle_calldata, word
from settlement.errors import ChainContradicts, LeaseLost
from settlement.sender import lanes
from settlement.sender.heal import heal
from settlement.sender.nonces import require_own_nonces
from settlement.settlements import control
from settlement.store import transaction
from tests.builders.healing import a_backup, a_forgetful_backup
from tests.builders.healing import healed as _heal
from tests.builders.ports import BrokenChain, BrokenSigner
from tests.builders.rail import OPERATOR, Rail
from tests.builders.soundness import assert_sound


def _loses(rail: Rail, folder: Path) -> Rail:
    """Pay everything, and lose the records of it."""
    backup = a_backup(rail, folder)
    rail.write("UPDATE lane SET state = 'active'")
    rail.let_go()
    rail.settle_all(rail.worker("lost"))
    backup.now = rail.now
    backup.ids = rail.ids
    return backup


def test_a_restored_backup_refuses_to_start_before_it_is_healed(
    sqlite_rail: Rail, tmp_path: Path
) -> None:
    sqlite_rail.instructed()
    restored = _loses(sqlite_rail, tmp_path)

    with pytest.raises(ChainContradicts, match="lane heal"):
        require_own_nonces(restored.engine, restored.chain, OPERATOR.address)


def test_what_was_paid_in_the_lost_time_ends_settled_and_nobody_is_paid_twice(
    sqlite_rail: Rail, tmp_path: Path
) -> None:
    rail = sqlite_rail
    rail.write("UPDATE lane SET state = 'paused'")
    worker = rail.worker("first")
    rail.tick(worker)
    held, cancelled, *cleared = rail.instructed(4)
    rail.tick(worker)
    worker.stop()
    rail.act(control.hold, held, reason="looking")
    backup = a_backup(rail, tmp_path)
    rail.act(control.release, held)
    rail.write("UPDATE lane SET state = 'active'")
    rail.settle_all(rail.worker("lost"))
    backup.now, backup.ids = rail.now, rail.ids
    with transaction(backup.engine) as session:
        control.cancel(session, [cancelled], reason="in the dark", actor="ana", now=backup.now)

    healed = _heal(backup)
    again = _heal(backup)
    next_sequence = backup.instruct(backup.accepted())
    backup.settle_all(backup.worker("next"))

    assert (healed.mined, set(healed.recovered)) == (1, {held, cancelled, *cleared})
    assert (healed.unknown, healed.unplaced, healed.state) == ((), (), "active")
    assert (again.mined, again.recovered) == (0, ())
    assert len(backup.paid_logs()) == 5
    assert backup.moves(held)[-6:-3] == ["clear", "claim", "submit"]
    row = backup.one("SELECT sequence FROM settlement WHERE id = :id", id=next_sequence[0])
    assert row == 5
    assert_sound(backup)


def test_a_payment_that_nobody_remembers_is_named_and_its_sequence_is_never_used_again(
    sqlite_rail: Rail, tmp_path: Path
) -> None:
    backup = a_forgetful_backup(sqlite_rail, tmp_path)

    healed = _heal(backup)

    assert [each.sequence for each in healed.unknown] == [1, 2]
    assert (healed.unknown[0].amount_minor, healed.state) == (1_000_000_000, "paused")
    assert "no record" in backup.lane().reason
    (key,) = backup.instructed()
    backup.tick(backup.worker("next"))
    assert backup.state(key) == "CLEARED", "nothing is claimed before a person has looked"
    backup.write("UPDATE lane SET state = 'active'")
    backup.let_go()
    backup.settle_all(backup.worker("after"))
    assert backup.one("SELECT sequence FROM settlement") == 3
    assert len(backup.paid_logs()) == 3
    assert backup.booked(backup.buyer_wallet) == backup.balance(backup.buyer_wallet)


def test_an_attempt_that_was_lost_is_found_again(sqlite_rail: Rail, tmp_path: Path) -> None:
    """The bid went up in the lost time, the higher one was mined, and the signer forgot it too."""
    rail = sqlite_rail
    worker = rail.worker("first", chain=BrokenChain(rail.chain, ["transaction underpriced"]))
    (key,) = rail.instructed()
    rail.tick(worker)
    worker.stop()
    rail.controls.set_next_base_fee(5 * 10**9)
    rail.controls.mine()
    restored = _loses(rail, tmp_path)
    assert restored.one("SELECT COUNT(*) FROM attempt") == 1

    with pytest.raises(ChainContradicts, match="never stored"):
        for _ in range(8):
            forgetful = restored.signer(slots="lost.sqlite3")
            restored.round(restored.worker("next", signer=forgetful))
            restored.let_go()
    restored.let_go()
    healed = _heal(restored)
    restored.settle_all(restored.worker("after", signer=restored.signer(slots="lost.sqlite3")))

    assert (healed.mined, healed.state) == (1, "active")
    mined = "SELECT message FROM attempt WHERE hash = (SELECT tx_hash FROM chain_tx)"
    assert restored.one(mined) == "recovered from the chain"
    assert restored.moves(key).count("claim") == 1
    assert_sound(restored)


def test_an_attempt_that_was_lost_comes_again_from_the_memory_of_the_signer(
    sqlite_rail: Rail, tmp_path: Path
) -> None:
    """The bid went up in the lost time: the signer gives it again before it signs any other."""
    rail = sqlite_rail
    worker = rail.worker("first", chain=BrokenChain(rail.chain, ["transaction underpriced"]))
    (key,) = rail.instructed()
    rail.tick(worker)
    worker.stop()
    rail.controls.set_next_base_fee(5 * 10**9)
    rail.controls.mine()
    restored = _loses(rail, tmp_path)
    assert restored.one("SELECT COUNT(*) FROM attempt") == 1

    restored.settle_all(restored.worker("next"))

    assert restored.one("SELECT MAX(created_seq) FROM attempt") == 2
    assert restored.one("SELECT tx_hash FROM chain_tx") == restored.one(
        "SELECT hash FROM attempt WHERE created_seq = 2"
    )
    assert restored.moves(key).count("claim") == 1
    assert_sound(restored)


def test_bytes_that_are_signed_again_just_as_they_were_lost_are_no_alarm(
    sqlite_rail: Rail, tmp_path: Path
) -> None:
    """Signatures are deterministic: what was lost with its records comes out the same."""
    rail = sqlite_rail
    rail.tick(rail.worker("first"))
    (key,) = rail.instructed()
    backup: list[Rail] = []

    def copy() -> None:
        signer.before = lambda: None
        backup.append(a_backup(rail, tmp_path))

    signer = BrokenSigner(rail.signer())
    signer.before = copy
    rail.let_go()
    rail.tick(rail.worker("lost", signer=signer))
    rail.controls.set_next_base_fee(rail.chain.head().base_fee_wei)  # So the bid is the same.
    rail.controls.mine()
    (restored,) = backup
    restored.now, restored.ids = rail.now, rail.ids
    restored.let_go()

    restored.settle_all(restored.worker("next"))

    assert restored.lane().state == "active"
    assert restored.moves(key).count("claim") == 1
    assert_sound(restored)


def test_what_was_signed_and_never_mined_is_closed_by_no_ops(
    sqlite_rail: Rail, tmp_path: Path
) -> None:
    rail = sqlite_rail
    rail.instructed()
    rail.settle_all(rail.worker("first"))
    backup = a_backup(rail, tmp_path)
    rail.let_go()
    rail.instructed()
    rail.tick(rail.worker("lost"))  # Signed and sent …
    rail.controls.drop_all()  # … and never mined.
    backup.now, backup.ids = rail.now, rail.ids
    signer = backup.signer()

    healed = _heal(backup, signed_through=signer.signed_through())
    (key,) = backup.instructed()
    backup.run_until(backup.worker("next", signer=signer), lambda: backup.state(key) == "SETTLED")

    assert (healed.mined, healed.closed, healed.next_nonce) == (0, 1, 2)
    rows = backup.rows("SELECT nonce, kind, state FROM chain_tx ORDER BY nonce")
    assert [tuple(row) for row in rows][1:] == [(1, "noop", "REPLACED"), (2, "pay", "FINAL")]
    assert_sound(backup)


def test_a_stolen_nonce_is_written_down_and_its_payments_go_out_again(rail: Rail) -> None:
    worker = rail.worker()
    rail.tick(worker)
    rail.on_chain(OPERATOR, OPERATOR.address, b"\x01")
    (key,) = rail.instructed()
    with pytest.raises(ChainContradicts):
        for _ in range(6):
            rail.round(worker)

    healed = _heal(rail)
    rail.settle_all(rail.worker("next"), rounds=60)

    assert (healed.mined, healed.recovered, healed.state) == (1, (), "active")
    rows = rail.rows("SELECT nonce, state FROM chain_tx ORDER BY nonce")
    assert [tuple(row) for row in rows] == [(0, "REPLACED"), (1, "FINAL")]
    kinds = rail.rows("SELECT kind FROM attempt a WHERE a.hash = (SELECT tx_hash FROM chain_tx"
                      " WHERE nonce = 0)")  # fmt: skip
    assert [row.kind for row in kinds] == ["foreign"]
    assert rail.moves(key)[4:7] == ["seen", "unclaim", "clear"]
    assert len(rail.paid_logs()) == 1
    assert_sound(rail)


def test_nonces_used_beyond_what_was_claimed_are_written_down(rail: Rail) -> None:
    worker = rail.worker()
    rail.tick(worker)
    for data in (b"\x01", b"", b"\x02"):
        rail.on_chain(OPERATOR, OPERATOR.address, data)
    worker.stop()

    healed = _heal(rail)
    rail.instructed()
    rail.settle_all(rail.worker("next"))

    assert (healed.mined, healed.next_nonce) == (3, 3)
    rows = rail.rows("SELECT nonce, kind, state FROM chain_tx ORDER BY nonce")
    assert [tuple(row) for row in rows][:3] == [
        (0, "admin", "FINAL"), (1, "noop", "FINAL"), (2, "admin", "FINAL"),
    ]  # fmt: skip
    assert_sound(rail)


def test_who_does_not_hold_the_lane_heals_nothing(rail: Rail) -> None:
    rail.tick(rail.worker())
    rail.on_chain(OPERATOR, OPERATOR.address, b"")
    lost = lanes.Lease(OPERATOR.address, "nobody", 0, timedelta(seconds=5))

    with pytest.raises(LeaseLost):
        heal(rail.engine, rail.chain, lost, rail.settings, ids=rail.ids, now=rail.now)

    assert rail.rows("SELECT * FROM chain_tx") == []
    assert rail.lane().next_nonce == 0


def test_a_sequence_that_another_operator_used_is_passed_over(rail: Rail) -> None:
    rail.tick(rail.worker())
    other, place = rail.sandbox.wallets[2], rail.sandbox.deployment
    allowed = admin_abi.set_operator_calldata(other.address, True)
    rail.on_chain(rail.sandbox.admin, place.rail, allowed)
    paid = PaymentTerms(5, rail.seller_wallet, 700, Hash("0x" + word(1)))
    call = settle_calldata(
        token=rail.token(), debtor=rail.buyer_wallet, deadline=2**39, payments=[paid]
    )
    rail.on_chain(other, place.rail, call)

    healed = _heal(rail)
    rail.instructed()

    assert [(each.sequence, each.amount_minor) for each in healed.unknown] == [(5, 700)]
    assert rail.one("SELECT sequence FROM settlement") == 6
