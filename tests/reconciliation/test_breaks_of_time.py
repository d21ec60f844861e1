"""Stuck and late: breaks that time alone makes, and that heal when something moves."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from settlement.clock import to_micros
from settlement.reconciliation import by_time
from settlement.store import reading, transaction
from settlement.store.bulk import insert_rows
from settlement.tables import SettlementEvent
from tests.builders.chain_facts import Facts, add_settlement, seed_world
from tests.builders.ledger import NOW
from tests.builders.reconciled import (
    closed_breaks,
    open_breaks,
    reason_of,
    seen,
    set_cursor,
    set_state,
)

AFTER = timedelta(minutes=15)
TODAY = NOW.date()


@pytest.fixture
def world(engine: Engine) -> Engine:
    with transaction(engine) as session:
        seed_world(session)
    return engine


def _moved(engine: Engine, number: int, state: str, at: datetime) -> None:
    """Let a settlement move, as the worker writes it."""
    with transaction(engine) as session:
        session.execute(
            text("UPDATE settlement SET state = :state WHERE id = :id"),
            {"state": state, "id": f"stl_{number}"},
        )
        session.add(
            SettlementEvent(
                settlement_id=f"stl_{number}", move="x", state=state, actor="x", at=to_micros(at)
            )
        )


def _stuck(engine: Engine, now: datetime = NOW) -> tuple[int, int]:
    with transaction(engine) as session:
        return by_time.stuck(session, now, AFTER)


def _late(engine: Engine, now: datetime = NOW) -> tuple[int, int]:
    with transaction(engine) as session:
        return by_time.late_invoices(session, now)


def _invoice(engine: Engine, number: int, **values: object) -> str:
    with transaction(engine) as session:
        for name, value in values.items():
            session.execute(
                text(f"UPDATE invoice SET {name} = :value WHERE id = :id"),
                {"value": value, "id": f"inv_{number}"},
            )
    return f"inv_{number}"


@pytest.mark.parametrize("state", ["CLAIMED", "SUBMITTED", "CONFIRMING"])
def test_what_has_not_moved_while_it_was_sent_is_stuck_until_it_moves(
    world: Engine, state: str
) -> None:
    with transaction(world) as session:
        add_settlement(session, 1)
    _moved(world, 1, state, NOW - AFTER)
    in_time = _stuck(world)
    late = NOW + timedelta(seconds=1)

    first = _stuck(world, late)
    again = _stuck(world, late)
    is_open = open_breaks(world)
    _moved(world, 1, "BOOKED" if state == "CONFIRMING" else "CONFIRMING", late)
    healed = _stuck(world, late)

    assert in_time == (0, 0)
    assert (first, again, healed) == ((1, 0), (0, 0), (0, 1))
    assert is_open == {("stuck", "stl_1")}
    assert reason_of(world, "stl_1").startswith(f"{state} since 2026-11-23T09:15:00Z")
    assert closed_breaks(world) == {("stuck", "stl_1", "it has moved")}


@pytest.mark.parametrize(
    "state", ["INSTRUCTED", "HELD", "CLEARED", "BOOKED", "SETTLED", "REJECTED"]
)
def test_what_waits_for_people_or_is_done_is_not_stuck(world: Engine, state: str) -> None:
    with transaction(world) as session:
        add_settlement(session, 1)
    _moved(world, 1, state, NOW - timedelta(days=3))

    assert _stuck(world) == (0, 0)


def test_an_invoice_past_its_day_with_nothing_on_its_way_is_late_until_something_is(
    world: Engine,
) -> None:
    with transaction(world) as session:
        add_settlement(session, 1)
    due = (TODAY - timedelta(days=1)).isoformat()
    invoice = _invoice(world, 1, due_date=due)

    first = _late(world)
    again = _late(world)
    is_open = open_breaks(world)
    _invoice(world, 1, in_flight_minor=1200)
    healed = _late(world)
    _invoice(world, 1, in_flight_minor=0)
    back = _late(world)

    assert (first, again, healed, back) == ((1, 0), (0, 0), (0, 1), (1, 0))
    assert is_open == open_breaks(world) == {("late", invoice)}
    assert reason_of(world, invoice) == f"invoice 1 was due on {due} and is open; " + (
        "nothing is on its way"
    )


@pytest.mark.parametrize(
    "values",
    [
        {"due_date": TODAY.isoformat()},
        {"due_date": None},
        {"due_date": "2026-11-01", "in_flight_minor": 1},
        {"due_date": "2026-11-01", "settled_minor": 1200},
        {"due_date": "2026-11-01", "credited_minor": 1200},
        {"due_date": "2026-11-01", "state": "ISSUED"},
        {"due_date": "2026-11-01", "state": "PAID"},
        {"due_date": "2026-11-01", "type_code": "381"},
    ],
)
def test_what_is_not_due_or_not_owed_or_under_way_is_not_late(
    world: Engine, values: dict[str, object]
) -> None:
    with transaction(world) as session:
        add_settlement(session, 1)
    _invoice(world, 1, **values)

    assert _late(world) == (0, 0)


def test_a_late_invoice_that_a_person_has_closed_stays_closed(world: Engine) -> None:
    with transaction(world) as session:
        add_settlement(session, 1)
    _invoice(world, 1, due_date="2026-11-01")
    _late(world)
    with transaction(world) as session:
        session.execute(
            text(
                "UPDATE settlement_break SET closed_at = 1, closed_by = 'ana', closed_reason = 'x'"
            )
        )

    assert _late(world) == (0, 0)
    assert open_breaks(world) == set()


@pytest.mark.parametrize(
    ("execution", "due", "is_late"),
    [
        (-1, -1, True),
        (-5, -1, True),
        (0, -1, False),
        (-1, 0, False),
        (-5, 3, False),
        (-1, None, False),
        (-2, None, True),
        (0, None, False),
    ],
)
def test_a_payment_is_late_when_its_block_is_of_a_later_day_than_all_that_was_agreed(
    world: Engine, execution: int, due: int | None, is_late: bool
) -> None:
    """Days from the block's own: the execution date, and the invoice's due date."""
    with transaction(world) as session:
        add_settlement(session, 1)
        Facts(session).block(10).block(11).store()
        seen(session, 1, block=10, tx=1, state="SETTLED")
        session.execute(
            text("UPDATE settlement SET execution_date = :day"),
            {"day": (TODAY + timedelta(days=execution)).isoformat()},
        )
        set_cursor(session, "final", 11)
    if due is not None:
        _invoice(world, 1, due_date=(TODAY + timedelta(days=due)).isoformat())

    with transaction(world) as session:
        found = by_time.late_payments(session, NOW)
        again = by_time.late_payments(session, NOW)

    assert found == ((1, 0) if is_late else (0, 0))
    assert again == (0, 0)
    assert open_breaks(world) == ({("late", "stl_1")} if is_late else set())


def test_what_is_not_final_is_not_judged_until_it_is(world: Engine) -> None:
    with transaction(world) as session:
        add_settlement(session, 1)
        Facts(session).block(10).block(11).store()
        seen(session, 1, block=10, tx=1, state="BOOKED")
        session.execute(text("UPDATE settlement SET execution_date = '2026-11-01'"))
        set_cursor(session, "final", 9)
        before = by_time.late_payments(session, NOW)
    set_state(world, 1, "SETTLED")
    with transaction(world) as session:
        set_cursor(session, "final", 10)
        after = by_time.late_payments(session, NOW)

    assert (before, after) == ((0, 0), (1, 0))


def test_days_are_those_of_the_blocks_own_clock(world: Engine) -> None:
    with transaction(world) as session:
        for number in (1, 2):
            add_settlement(session, number)
        facts = Facts(session).block(9).block(10).block(11)
        midnight = int(datetime(2026, 11, 24, tzinfo=UTC).timestamp())
        facts.blocks[9].timestamp = midnight - 1
        facts.blocks[10].timestamp = midnight
        facts.store()
        seen(session, 1, block=9, tx=1, state="SETTLED")
        seen(session, 2, block=10, tx=2, state="SETTLED")
        session.execute(text("UPDATE settlement SET execution_date = '2026-11-23'"))
        session.execute(text("UPDATE invoice SET due_date = '2026-11-23'"))
        set_cursor(session, "final", 11)
        by_time.late_payments(session, NOW)

    assert open_breaks(world) == {("late", "stl_2")}
    assert "paid on 2026-11-24" in reason_of(world, "stl_2")


def test_a_rejection_that_was_never_told_is_found_however_old(world: Engine) -> None:
    with transaction(world) as session:
        add_settlement(session, 1)
        Facts(session).block(7).store()
        seen(session, 1, block=7, tx=1, state="REJECTED", outcome="rejected")
    with reading(world) as session:
        found = by_time.oldest_untold_rejection(session)
    with transaction(world) as session:
        insert_rows(
            session,
            "settlement_break",
            ("id", "kind", "subject", "reason", "detail", "facts", "severity", "proposed",
             "comment_count", "reopened_count", "version", "opened_at", "due_at"),
            [("brk_1", "rejected", "stl_1", "x", "{}", "", "low", "retry", 0, 0, 1, 0, 0)],
        )  # fmt: skip
        told = by_time.oldest_untold_rejection(session)

    assert (found, told) == (7, None)
