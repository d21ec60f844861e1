"""What people may do before the claim and after an end: each act from each state."""

from collections.abc import Callable
from typing import Any

import pytest

from settlement.errors import IllegalMove, NotFound
from settlement.invoices.amounts import InvoiceOverpaid
from settlement.settlements import control
from settlement.settlements.instruct import InvoiceNotPayable
from settlement.states import SettlementState
from settlement.store import transaction
from tests.builders.rail import Rail

ACTS: dict[str, Callable[..., None]] = {
    "hold": lambda s, ids, now: control.hold(s, ids, reason="looking", actor="ana", now=now),
    "release": lambda s, ids, now: control.release(s, ids, actor="ana", now=now),
    "cancel": lambda s, ids, now: control.cancel(s, ids, reason="not due", actor="ana", now=now),
    "retry": lambda s, ids, now: control.retry(s, ids, actor="ana", now=now),
}
LEGAL = {
    ("INSTRUCTED", "hold"): "HELD",
    ("CLEARED", "hold"): "HELD",
    ("HELD", "release"): "INSTRUCTED",
    ("INSTRUCTED", "cancel"): "CANCELLED",
    ("CLEARED", "cancel"): "CANCELLED",
    ("HELD", "cancel"): "CANCELLED",
    ("REJECTED", "retry"): "INSTRUCTED",
}


def _act(rail: Rail, act: str, *ids: str) -> None:
    with transaction(rail.engine) as session:
        ACTS[act](session, ids, rail.now)


def _snapshot(rail: Rail) -> list[Any]:
    tables = ("settlement", "settlement_event", "invoice", "outbox", "journal_entry")
    return [rail.rows(f"SELECT * FROM {table}") for table in tables]


@pytest.mark.parametrize("act", ACTS)
def test_an_act_is_refused_from_every_state_but_its_own(rail: Rail, act: str) -> None:
    good, bad = rail.instructed(2)
    first = next(state for state, move in LEGAL if move == act)
    rail.write("UPDATE settlement SET state = :state WHERE id = :id", state=first, id=good)

    for state in SettlementState:
        if (state.value, act) in LEGAL:
            continue
        rail.write("UPDATE settlement SET state = :state WHERE id = :id", state=state, id=bad)
        before = _snapshot(rail)
        with pytest.raises(IllegalMove, match=f"{bad} is {state}"):
            _act(rail, act, good, bad)
        assert _snapshot(rail) == before


@pytest.mark.parametrize("act", ACTS)
def test_an_unknown_settlement_is_not_found(rail: Rail, act: str) -> None:
    with pytest.raises(NotFound):
        _act(rail, act, "stl_nowhere")


def test_a_hold_keeps_an_instructed_settlement_from_being_cleared(rail: Rail) -> None:
    worker = rail.worker()
    (key,) = rail.instructed()

    _act(rail, "hold", key)
    rail.round(worker)
    rail.round(worker)

    row = rail.one("SELECT state, reason, clearance_id FROM settlement")
    assert tuple(row) == ("HELD", "looking", None)
    assert rail.rows("SELECT * FROM clearance") == []
    assert rail.told(key)[-1] == "settlement.held"
    event = rail.rows("SELECT * FROM settlement_event ORDER BY id")[-1]
    assert (event.move, event.state, event.actor, event.reason) == (
        "hold",
        "HELD",
        "ana",
        "looking",
    )


def test_a_hold_of_a_cleared_settlement_gives_its_funds_back(rail: Rail) -> None:
    key = _cleared(rail)
    reserved = rail.reserved(rail.buyer_wallet)

    _act(rail, "hold", key)

    assert (reserved, rail.reserved(rail.buyer_wallet)) == (1_000_000_000, 0)
    assert rail.one("SELECT clearance_id FROM settlement") is None
    assert rail.invoice_of(key).in_flight_minor == 100_000  # Still meant to be paid.


def test_a_released_settlement_is_cleared_anew_and_paid_once(rail: Rail) -> None:
    key = _cleared(rail)
    worker = rail.worker()

    _act(rail, "hold", key)
    _act(rail, "release", key)
    rail.settle_all(worker)

    assert rail.moves(key)[:5] == ["instruct", "clear", "hold", "release", "clear"]
    assert rail.paid_logs() == [(1, 1_000_000_000)]
    assert rail.reserved(rail.buyer_wallet) == 0
    assert rail.one("SELECT COUNT(*) FROM clearance") == 2


def test_a_cancel_frees_invoice_and_funds(rail: Rail) -> None:
    key = _cleared(rail)

    _act(rail, "cancel", key)
    rail.round(rail.worker())

    assert rail.state(key) == "CANCELLED"
    assert rail.invoice_of(key).in_flight_minor == 0
    assert rail.reserved(rail.buyer_wallet) == 0
    assert rail.told(key)[-1] == "settlement.cancelled"
    assert rail.rows("SELECT * FROM chain_tx") == []


def test_what_was_cancelled_can_be_instructed_again_with_another_sequence(rail: Rail) -> None:
    invoice_id = rail.accepted()
    (first,) = rail.instruct(invoice_id)
    _act(rail, "cancel", first)

    (second,) = rail.instruct(invoice_id)

    by_id = dict(map(tuple, rail.rows("SELECT id, sequence FROM settlement")))
    assert by_id == {first: 1, second: 2}


def test_an_id_given_twice_counts_once(rail: Rail) -> None:
    key, other = rail.instructed(2)

    _act(rail, "cancel", key, other, key)

    assert rail.states() == {key: "CANCELLED", other: "CANCELLED"}
    assert rail.invoice_of(key).in_flight_minor == 0
    assert rail.moves(key) == ["instruct", "cancel"]


def test_a_retry_is_refused_when_the_invoice_has_been_taken_otherwise(rail: Rail) -> None:
    invoice_id = rail.accepted()
    (first,) = rail.instruct(invoice_id)
    _reject(rail, first)
    (second,) = rail.instruct(invoice_id)

    with pytest.raises(InvoiceOverpaid):
        _act(rail, "retry", first)

    assert rail.states() == {first: "REJECTED", second: "INSTRUCTED"}
    assert rail.invoice(invoice_id).in_flight_minor == 100_000


def test_a_retry_takes_the_invoices_part_again_and_keeps_the_sequence(rail: Rail) -> None:
    invoice_id = rail.accepted()
    (key,) = rail.instruct(invoice_id)
    before = rail.one("SELECT sequence, reference, end_to_end_id FROM settlement")
    _reject(rail, key)

    _act(rail, "retry", key)

    row = rail.one("SELECT * FROM settlement")
    assert (row.sequence, row.reference, row.end_to_end_id) == tuple(before)
    assert (row.state, row.reason, row.clearance_id) == ("INSTRUCTED", None, None)
    assert rail.invoice(invoice_id).in_flight_minor == 100_000
    with pytest.raises(InvoiceNotPayable):
        rail.instruct(invoice_id)


def test_nobody_can_hold_or_cancel_what_is_on_the_chain(rail: Rail) -> None:
    worker = rail.worker()
    (key,) = rail.instructed()
    rail.run_until(worker, lambda: rail.state(key) == "BOOKED")

    for act in ("hold", "cancel", "retry", "release"):
        with pytest.raises(IllegalMove):
            _act(rail, act, key)
    rail.settle_all(worker)


def _cleared(rail: Rail) -> str:
    """A settlement that is cleared and not claimed, because its lane is paused."""
    rail.write("UPDATE lane SET state = 'paused'")
    (key,) = rail.instructed()
    rail.tick(rail.worker("worker-0"))
    assert rail.state(key) == "CLEARED"
    rail.write("UPDATE lane SET state = 'active'")
    rail.let_go()
    return key


def _reject(rail: Rail, key: str) -> None:
    """Let policy refuse it: its creditor is suspended for a while."""
    rail.write(
        "UPDATE participant SET state = 'suspended' WHERE id = :id", id=rail.companies.seller
    )
    rail.tick(rail.worker())
    assert rail.state(key) == "REJECTED"
    rail.write("UPDATE participant SET state = 'active' WHERE id = :id", id=rail.companies.seller)
