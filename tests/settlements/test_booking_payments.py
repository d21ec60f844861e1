"""Which Transfers are payments of settlements, and which settlements they move to BOOKED."""

import pytest
from sqlalchemy import Engine, text

from settlement.config import Settings
from settlement.settlements import booking
from settlement.store import reading, transaction
from tests.builders.chain_facts import STRANGER, Facts, add_settlement, reference, seed_world
from tests.builders.ledger import NOW
from tests.builders.reconciled import seen


def _book(engine: Engine) -> booking.Booked:
    with transaction(engine) as session:
        return booking.book(session, Settings(), NOW)


def _kinds(engine: Engine) -> list[str]:
    with reading(engine) as session:
        return list(session.execute(text("SELECT kind FROM journal_entry ORDER BY seq")).scalars())


def _states(engine: Engine) -> dict[str, str]:
    with reading(engine) as session:
        rows = session.execute(text("SELECT id, state FROM settlement"))
        return {row.id: row.state for row in rows}


@pytest.mark.parametrize(
    "changes",
    [
        {"amount_minor": 11_999_999},
        {"creditor": STRANGER},
        {"reference": reference(2)},
        {"name": "Rejected"},
        {"address": STRANGER},
    ],
)
def test_a_settled_log_with_other_terms_is_no_payment(
    engine: Engine, changes: dict[str, object]
) -> None:
    with transaction(engine) as session:
        seed_world(session)
        add_settlement(session, 1)
        facts = Facts(session)
        moved, settled = facts.payment(10, 1, 1)
        for name, value in changes.items():
            setattr(settled, name, value)
        for name in changes.keys() & {"amount_minor", "creditor"}:
            setattr(moved, name, changes[name])
        facts.store()
        seen(session, 1, block=10, tx=1, log_index=1)

    booked = _book(engine)

    assert booked.payments == 0
    assert _kinds(engine) == ["transfer"]
    assert _states(engine) == {"stl_1": "CONFIRMING"}


def test_a_payment_is_booked_whatever_state_its_settlement_is_in(engine: Engine) -> None:
    with transaction(engine) as session:
        seed_world(session)
        add_settlement(session, 1, state="CANCELLED")
        facts = Facts(session)
        facts.payment(10, 1, 1)
        facts.store()

    booked = _book(engine)

    assert (booked.payments, booked.settlements) == (1, 0)
    assert _states(engine) == {"stl_1": "CANCELLED"}


def test_a_settlement_seen_after_its_receipt_was_booked_still_moves(engine: Engine) -> None:
    with transaction(engine) as session:
        seed_world(session)
        add_settlement(session, 1)
        facts = Facts(session)
        facts.payment(10, 1, 1)
        facts.store()
    _book(engine)
    with transaction(engine) as session:
        seen(session, 1, block=10, tx=1, log_index=1)

    later = _book(engine)

    assert (later.receipts, later.settlements) == (0, 1)


@pytest.mark.parametrize("outcome", ["rejected", "unpaired", "missing"])
def test_a_settlement_that_the_chain_did_not_pay_is_not_booked(
    engine: Engine, outcome: str
) -> None:
    with transaction(engine) as session:
        seed_world(session)
        add_settlement(session, 1)
        facts = Facts(session)
        facts.payment(10, 1, 1)
        facts.store()
        seen(session, 1, block=10, tx=1, log_index=1)
        session.execute(text("UPDATE settlement SET outcome = :outcome"), {"outcome": outcome})

    booked = _book(engine)

    assert booked.settlements == 0


def test_a_payment_in_another_block_than_was_seen_books_no_settlement(engine: Engine) -> None:
    with transaction(engine) as session:
        seed_world(session)
        add_settlement(session, 1)
        facts = Facts(session).block(11)
        facts.payment(10, 1, 1)
        facts.store()
        seen(session, 1, block=11, tx=1, log_index=1)

    booked = _book(engine)

    assert (booked.payments, booked.settlements) == (1, 0)
