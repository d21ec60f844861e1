"""The ways out of a review: what a person may decide, and what the chain does not allow."""

from typing import Any

import pytest

from settlement.chain.rail_abi import word
from settlement.errors import Conflict, IllegalMove, Invalid, NotFound
from settlement.settlements import review
from settlement.settlements.review import Decision
from settlement.store import reading, transaction
from tests.builders.rail import Rail
from tests.builders.soundness import assert_sound


def _resolve(rail: Rail, key: str, decision: Decision, reason: str = "asked the bank") -> None:
    with transaction(rail.engine) as session:
        review.resolve(session, [key], decision, reason=reason, actor="ana", now=rail.now)


def _reviewed(rail: Rail, worker: Any, *, paid: bool) -> str:
    """A settlement under review, with a payment of its reference on the chain or without."""
    (key,) = rail.instructed(payable_minor=20_000_000)  # Booked at six blocks.
    rail.tick(worker)
    if not paid:
        other = "0x" + word(9)
        rail.write("UPDATE settlement SET reference = :ref WHERE id = :id", ref=other, id=key)
    rail.run_until(worker, lambda: rail.state(key) == "CONFIRMING")
    if paid:
        rail.write("UPDATE settlement SET outcome = 'missing' WHERE id = :id", id=key)
    rail.run_until(worker, lambda: rail.state(key) == "NEEDS_REVIEW")
    return key


def test_what_waits_is_listed_with_its_reason(rail: Rail) -> None:
    key = _reviewed(rail, rail.worker(), paid=False)

    with reading(rail.engine) as session:
        (found,) = review.waiting(session)

    assert (found.id, found.claim_minor, found.currency) == (key, 20_000_000, "USD")
    assert "without a word" in (found.reason or "")
    assert found.since is not None and found.tx_hash is not None


def test_a_payment_that_stands_on_the_chain_is_followed_to_its_end(rail: Rail) -> None:
    worker = rail.worker()
    key = _reviewed(rail, worker, paid=True)

    _resolve(rail, key, Decision.PAID)
    rail.settle_all(worker)

    event = rail.rows("SELECT * FROM settlement_event WHERE move = 'found'")[0]
    assert (event.actor, event.reason) == ("ana", "asked the bank")
    assert rail.moves(key)[-4:] == ["review", "found", "booked", "finalized"]
    assert rail.invoice_of(key).state == "PAID"


def test_what_the_chain_shows_paid_can_be_neither_retried_nor_closed(rail: Rail) -> None:
    key = _reviewed(rail, rail.worker(), paid=True)

    for decision in (Decision.RETRY, Decision.CLOSE):
        with pytest.raises(Conflict, match="is paid"):
            _resolve(rail, key, decision)

    assert rail.state(key) == "NEEDS_REVIEW"
    assert rail.invoice_of(key).in_flight_minor == 20_000_000


def test_what_the_chain_does_not_show_cannot_be_called_paid(rail: Rail) -> None:
    key = _reviewed(rail, rail.worker(), paid=False)

    with pytest.raises(Conflict, match="no block holds a payment"):
        _resolve(rail, key, Decision.PAID)

    assert rail.state(key) == "NEEDS_REVIEW"


def test_a_retry_clears_anew_with_the_same_sequence(rail: Rail) -> None:
    worker = rail.worker()
    key = _reviewed(rail, worker, paid=False)

    _resolve(rail, key, Decision.RETRY)

    row = rail.one("SELECT state, sequence, chain_tx_id, clearance_id, outcome FROM settlement")
    assert tuple(row) == ("INSTRUCTED", 1, None, None, None)
    assert rail.reserved(rail.buyer_wallet) == 0
    assert rail.rows("SELECT * FROM batch_member WHERE live") == []
    assert rail.invoice_of(key).in_flight_minor == 20_000_000


def test_a_close_frees_the_invoice_and_tells_the_outside(rail: Rail) -> None:
    worker = rail.worker()
    key = _reviewed(rail, worker, paid=False)

    _resolve(rail, key, Decision.CLOSE)

    assert rail.state(key) == "REJECTED"
    assert rail.one("SELECT reason FROM settlement") == "asked the bank"
    assert rail.told(key)[-1] == "settlement.rejected"
    assert rail.invoice_of(key).in_flight_minor == 0
    assert rail.reserved(rail.buyer_wallet) == 0


def test_a_decision_needs_a_reason_and_a_review(rail: Rail) -> None:
    worker = rail.worker()
    key = _reviewed(rail, worker, paid=False)
    (other,) = rail.instructed()

    with pytest.raises(Invalid, match="reason"):
        _resolve(rail, key, Decision.CLOSE, " ")
    with pytest.raises(IllegalMove):
        _resolve(rail, other, Decision.CLOSE)
    with pytest.raises(NotFound):
        _resolve(rail, "stl_nowhere", Decision.RETRY)
    rail.run_until(worker, lambda: rail.state(other) == "SETTLED")


def test_what_may_still_be_mined_cannot_be_closed(rail: Rail) -> None:
    worker = rail.worker()
    (key,) = rail.instructed()
    rail.tick(worker)
    rail.write("UPDATE settlement SET state = 'NEEDS_REVIEW'")

    for decision in (Decision.RETRY, Decision.CLOSE):
        with pytest.raises(Conflict, match="has not ended"):
            _resolve(rail, key, decision)

    rail.write("UPDATE settlement SET state = 'SUBMITTED'")
    rail.settle_all(worker)
    assert_sound(rail)
