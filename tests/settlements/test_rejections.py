"""What the rail does not pay: each rejection, batches that revert, and what was paid before."""

from collections.abc import Callable
from typing import Any

import pytest

from settlement.chain import admin_abi, mandate_abi
from settlement.chain.rail_abi import PaymentTerms, Rejection, settle_calldata, word
from settlement.chain.signing import sign_eip1559
from settlement.errors import ChainContradicts
from settlement.settlements import control
from tests.builders.rail import OPERATOR, Rail
from tests.builders.soundness import assert_sound
from tests.invoices.builders import a_party

EXPIRY = 2**39


def _admin(call: bytes, on: str = "token") -> Callable[[Rail], None]:
    def do(rail: Rail) -> None:
        to = rail.token() if on == "token" else rail.sandbox.deployment.rail
        rail.on_chain(rail.sandbox.admin, to, call)

    return do


def _debtor(build: Callable[[Rail], bytes]) -> Callable[[Rail], None]:
    return lambda rail: rail.on_chain(
        rail.sandbox.wallets[1], rail.sandbox.deployment.rail, build(rail)
    )


def _mandate(per_payment: int = 4 * 10**11, per_day: int = 4 * 10**13) -> Callable[[Rail], bytes]:
    return lambda rail: mandate_abi.set_mandate_calldata(
        token=rail.token(), cap_per_payment=per_payment, cap_per_day=per_day, expiry=EXPIRY
    )


def _list(selector: str, wallet: str) -> Callable[[Rail], None]:
    def do(rail: Rail) -> None:
        build = getattr(admin_abi, f"{selector}_calldata")
        rail.on_chain(
            rail.sandbox.admin, rail.sandbox.deployment.rail, build([getattr(rail, wallet)])
        )

    return do


def _freeze(rail: Rail) -> None:
    rail.on_chain(rail.sandbox.admin, rail.token(), admin_abi.freeze_calldata(rail.seller_wallet))


def _unfreeze(rail: Rail) -> None:
    call = admin_abi.unfreeze_calldata(rail.seller_wallet)
    rail.on_chain(rail.sandbox.admin, rail.token(), call)


PAUSE, UNPAUSE = (bytes.fromhex(each[2:]) for each in (admin_abi.PAUSE, admin_abi.UNPAUSE))
REASONS: dict[str, tuple[Rejection, str, Any, Any]] = {
    "creditor frozen": (Rejection.TOKEN_REFUSED, "token refused", _freeze, _unfreeze),
    "token paused": (Rejection.TOKEN_REFUSED, "token refused", _admin(PAUSE), _admin(UNPAUSE)),
    "mandate revoked": (
        Rejection.MANDATE_MISSING,
        "no mandate",
        _debtor(lambda rail: mandate_abi.revoke_mandate_calldata(rail.token())),
        _debtor(_mandate()),
    ),
    "cap lowered": (
        Rejection.OVER_PAYMENT_CAP,
        "cap per payment",
        _debtor(_mandate(per_payment=10**6)),
        _debtor(_mandate()),
    ),
    "day cap lowered": (
        Rejection.OVER_DAY_CAP,
        "cap of the day",
        _debtor(_mandate(per_day=10**6)),
        _debtor(_mandate()),
    ),
    "creditor unlisted": (
        Rejection.CREDITOR_NOT_LISTED,
        "creditor's wallet is not listed",
        _list("unlist_participants", "seller_wallet"),
        _list("list_participants", "seller_wallet"),
    ),
    "debtor unlisted": (
        Rejection.DEBTOR_NOT_LISTED,
        "debtor's wallet is not listed",
        _list("unlist_participants", "buyer_wallet"),
        _list("list_participants", "buyer_wallet"),
    ),
}


def _sent(rail: Rail, worker: Any, count: int = 1) -> list[str]:
    """Settlements that are sent, and not mined."""
    keys = rail.instructed(count)
    rail.tick(worker)
    assert set(rail.states().values()) == {"SUBMITTED"}
    return keys


def _mined_after(rail: Rail, worker: Any, change: Callable[[Rail], None]) -> None:
    """Let the chain change before the batch is mined: the pool forgets it, and gets it again."""
    rail.controls.drop_all()
    change(rail)
    rail.run_until(
        worker, lambda: rail.one("SELECT COUNT(*) FROM settlement WHERE outcome IS NOT NULL") > 0
    )


@pytest.mark.parametrize("reason", REASONS)
def test_a_rejection_is_final_only_at_finality_and_a_retry_pays_with_the_same_sequence(
    sqlite_rail: Rail, reason: str
) -> None:
    _rejected_and_paid_on_retry(sqlite_rail, reason)


def test_a_rejection_ends_and_is_retried_alike_on_both_databases(rail: Rail) -> None:
    _rejected_and_paid_on_retry(rail, "creditor frozen")


def _rejected_and_paid_on_retry(rail: Rail, reason: str) -> None:
    code, words, break_it, mend_it = REASONS[reason]
    worker = rail.worker()
    (key,) = _sent(rail, worker)

    _mined_after(rail, worker, break_it)
    row = rail.one("SELECT * FROM settlement")
    assert (row.state, row.outcome, row.outcome_code) == ("CONFIRMING", "rejected", code)
    assert rail.told(key) == ["settlement.instructed"], "provisional: nobody is told"
    assert rail.invoice_of(key).in_flight_minor == 100_000
    assert rail.reserved(rail.buyer_wallet) == 1_000_000_000
    rail.run_until(worker, lambda: rail.state(key) == "REJECTED")

    assert words in rail.one("SELECT reason FROM settlement")
    assert rail.told(key)[-1] == "settlement.rejected"
    assert rail.invoice_of(key).in_flight_minor == 0
    assert rail.reserved(rail.buyer_wallet) == 0
    assert rail.rows("SELECT * FROM batch_member WHERE live") == []
    assert_sound(rail)

    mend_it(rail)
    for _ in range(2):
        rail.round(worker)  # The mandate of now is known.
    rail.act(control.retry, key)
    rail.settle_all(worker)
    assert rail.paid_logs() == [(1, 1_000_000_000)]
    assert rail.one("SELECT COUNT(*) FROM chain_tx") == 2
    assert_sound(rail)


def test_one_frozen_payee_does_not_stop_its_batch(rail: Rail) -> None:
    worker = rail.worker()
    rail.tick(worker)
    _freeze(rail)
    good = rail.instructed(2, seller=a_party(rail.companies, "stranger"))
    (bad,) = rail.instructed(1)
    rail.run_until(worker, lambda: rail.state(bad) == "REJECTED")

    assert [rail.state(key) for key in good] == ["SETTLED", "SETTLED"]
    assert rail.one("SELECT COUNT(*) FROM chain_tx") == 1
    assert_sound(rail)


def test_a_rail_that_is_paused_reverts_the_batch_and_all_is_paid_later(rail: Rail) -> None:
    worker = rail.worker()
    keys = _sent(rail, worker, 2)
    _mined_after(rail, worker, _admin(PAUSE, on="rail"))
    first = rail.rows("SELECT DISTINCT state, outcome FROM settlement")
    _admin(UNPAUSE, on="rail")(rail)

    rail.settle_all(worker, rounds=60)

    assert [tuple(row) for row in first] == [("CONFIRMING", "reverted")]
    txs = rail.rows("SELECT state FROM chain_tx ORDER BY nonce")
    assert [row.state for row in txs] == ["REVERTED", "FINAL"]
    for key in keys:
        assert rail.moves(key)[4:7] == ["seen", "unclaim", "clear"]
        assert rail.told(key) == ["settlement.instructed", "settlement.settled"]
    assert_sound(rail)


def test_batches_that_revert_again_and_again_are_held_for_a_person(rail: Rail) -> None:
    rail.settings = rail.settings.model_copy(update={"reverts_max": 2})
    worker = rail.worker()
    rail.tick(worker)
    _admin(PAUSE, on="rail")(rail)
    (key,) = rail.instructed()

    rail.run_until(worker, lambda: rail.state(key) == "HELD", rounds=60)

    assert rail.one("SELECT reverted_count FROM settlement") == 2
    reason = rail.one("SELECT reason FROM settlement")
    assert "its batch was reverted" in reason and "settle doctor" in reason
    assert rail.told(key)[-1] == "settlement.held"
    assert rail.invoice_of(key).in_flight_minor == 100_000
    assert rail.reserved(rail.buyer_wallet) == 0
    _admin(UNPAUSE, on="rail")(rail)
    rail.act(control.release, key)
    rail.settle_all(worker)
    assert rail.one("SELECT sequence FROM settlement") == 1
    assert_sound(rail)


def _paid_elsewhere(rail: Rail, key: str, **changes: Any) -> None:
    """Somebody with the operator's rights pays a settlement's sequence before our batch does."""
    row = rail.one("SELECT * FROM settlement WHERE id = :id", id=key)
    terms = {
        "sequence": row.sequence,
        "creditor": row.creditor_wallet,
        "amount_minor": row.amount_minor,
        "reference": row.reference,
        **changes,
    }
    call = settle_calldata(
        token=row.token, debtor=row.debtor_wallet, deadline=EXPIRY, payments=[PaymentTerms(**terms)]
    )
    second = rail.sandbox.wallets[2]
    allowed = admin_abi.set_operator_calldata(second.address, True)
    rail.on_chain(rail.sandbox.admin, rail.sandbox.deployment.rail, allowed)
    raw, _ = sign_eip1559(
        second.key, chain_id=31337, nonce=rail.chain.nonce(second.address),
        to=rail.sandbox.deployment.rail, data=call, gas_limit=1_000_000,
        max_fee_wei=10**11, max_priority_fee_wei=10**10,
    )  # fmt: skip
    rail.chain.send([raw])
    rail.controls.mine()


def test_already_settled_under_the_same_reference_counts_as_paid(rail: Rail) -> None:
    worker = rail.worker()
    (key,) = _sent(rail, worker)
    _mined_after(rail, worker, lambda rail: _paid_elsewhere(rail, key))

    rail.settle_all(worker)

    assert rail.paid_logs() == [(1, 1_000_000_000)]
    assert rail.moves(key)[-2:] == ["booked", "finalized"]
    assert rail.one("SELECT COUNT(*) FROM chain_log WHERE name = 'Rejected'") == 1
    assert rail.reserved(rail.buyer_wallet) == 0
    assert rail.booked(rail.buyer_wallet) == rail.balance(rail.buyer_wallet)
    assert rail.invoice_of(key).settled_minor == 100_000


def test_already_settled_under_another_reference_stops_everything(rail: Rail) -> None:
    worker = rail.worker()
    (key,) = _sent(rail, worker)
    rail.controls.drop_all()
    _paid_elsewhere(rail, key, reference="0x" + word(7), amount_minor=5)

    with pytest.raises(ChainContradicts, match="under reference"):
        for _ in range(8):
            rail.round(worker)

    assert rail.lane().state == "halted"
    assert rail.state(key) == "SUBMITTED"
    assert rail.invoice_of(key).in_flight_minor == 100_000
    rail.later(6)
    with pytest.raises(ChainContradicts):
        rail.tick(rail.worker("next"))
    assert rail.chain.nonce(OPERATOR.address) == 1


def test_what_used_the_sequence_on_a_branch_that_lost_is_no_alarm(rail: Rail) -> None:
    worker = rail.worker()
    (key,) = _sent(rail, worker)
    rail.controls.drop_all()
    _paid_elsewhere(rail, key, reference="0x" + word(7), amount_minor=5)
    rail.tick(worker)
    rail.controls.drop_all()
    rail.controls.reorg(1)
    _paid_elsewhere(rail, key)

    rail.settle_all(worker)

    assert rail.one("SELECT COUNT(*) FROM chain_log WHERE name = 'Rejected'") == 1
    assert rail.one("SELECT COUNT(*) FROM chain_log WHERE name = 'Settled'") == 2
    assert rail.paid_logs() == [(1, 1_000_000_000)]
    assert rail.invoice_of(key).settled_minor == 100_000


def test_what_was_mined_and_never_told_of_is_for_a_person(rail: Rail) -> None:
    """A chain transaction that succeeds without a word about its payment: the rail is not ours."""
    worker = rail.worker()
    (key,) = _sent(rail, worker)
    rail.write("UPDATE settlement SET reference = :other", other="0x" + word(9))

    rail.run_until(worker, lambda: rail.state(key) == "NEEDS_REVIEW")

    assert "without a word" in rail.one("SELECT reason FROM settlement")
    assert rail.told(key)[-1] == "settlement.needs_review"
    assert rail.invoice_of(key).in_flight_minor == 100_000, "unknown: nothing is given free"
