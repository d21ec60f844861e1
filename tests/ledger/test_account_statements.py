"""The statement of an account: opening and movements are the closing balance, on a named basis."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import Engine, text

from settlement import ledger
from settlement.errors import Invalid, NotFound
from settlement.ledger import Basis, Claim, account_statement, entries
from settlement.ledger.account_statement import StatementBroken
from settlement.store import reading, transaction
from tests.builders.ledger import (
    BUYER,
    CURRENCY,
    NOW,
    OPERATOR,
    SELLER,
    SELLER_WALLET,
    a_payment,
    a_source,
    seed_parties,
)

OWED, HELD = f"receivable:{SELLER}:USD", f"wallet:{SELLER_WALLET}:TUSD"
TODAY = NOW.date()


@pytest.fixture
def booked(engine: Engine) -> Engine:
    """Claims of three value dates, the oldest posted last, and two payments at blocks."""
    with transaction(engine) as session:
        seed_parties(session)
        for number, (day, later) in enumerate(
            [("2026-10-05", 0), ("2026-11-01", 1), ("2026-09-30", 2)], start=1
        ):
            claim = Claim(f"inv_{number}", SELLER, BUYER, CURRENCY, 1000 * number, day)
            ledger.post(session, [entries.accept(claim)], NOW + timedelta(days=later))
        for number, block in ((1, 10), (2, 12)):
            paid = a_payment(number, 5_000_000 * number, source=a_source(block))
            ledger.post(session, [paid], NOW + timedelta(days=2 + number))
    return engine


def statement_of(
    engine: Engine, code: str, first: date | int, last: date | int, basis: Basis
) -> tuple[int, list[tuple[int, int, int]], int]:
    """Return opening balance, (seq, movement, balance after it), closing balance."""
    with reading(engine) as session:
        found = account_statement(session, code, first=first, last=last, basis=basis)
        lines = [(line.seq, line.minor, line.balance_minor) for line in found.lines]
        assert found.line_count == len(lines)
        return found.opening_minor, lines, found.closing_minor


def test_by_value_date_a_late_entry_stands_at_its_own_day(booked: Engine) -> None:
    october = (date(2026, 10, 1), date(2026, 10, 31))

    assert statement_of(booked, OWED, *october, Basis.VALUE) == (3000, [(1, 1000, 4000)], 4000)


def test_by_booking_date_it_stands_at_the_day_it_was_posted(booked: Engine) -> None:
    second_and_third = (TODAY + timedelta(days=1), TODAY + timedelta(days=2))

    assert statement_of(booked, OWED, *second_and_third, Basis.BOOKING) == (
        1000, [(2, 2000, 3000), (3, 3000, 6000)], 6000,
    )  # fmt: skip


def test_a_statement_may_end_on_the_last_day_there_is(booked: Engine) -> None:
    from_then_on = (TODAY + timedelta(days=1), date.max)

    opening, lines, closing = statement_of(booked, OWED, *from_then_on, Basis.BOOKING)

    assert (opening, closing) == (1000, statement_of(booked, OWED, *from_then_on, Basis.VALUE)[2])
    assert closing == lines[-1][2]


def test_by_block_only_what_the_chain_did_counts(booked: Engine) -> None:
    assert statement_of(booked, HELD, 11, 20, Basis.BLOCK) == (
        5_000_000, [(5, 10_000_000, 15_000_000)], 15_000_000,
    )  # fmt: skip
    assert statement_of(booked, OWED, 0, 11, Basis.BLOCK) == (0, [(4, -500, -500)], -500)


def test_statements_that_follow_each_other_join(booked: Engine) -> None:
    for basis in (Basis.VALUE, Basis.BOOKING):
        days = [date(2026, 9, 1) + timedelta(days=10 * number) for number in range(12)]
        found = [
            statement_of(booked, OWED, first, after - timedelta(days=1), basis)
            for first, after in pairwise(days)
        ]
        assert found[0][0] == 0
        for before, after in pairwise(found):
            assert before[2] == after[0]
        assert sum(len(lines) for _opening, lines, _closing in found) == 5


def test_balances_by_value_date_are_those_of_the_statement(booked: Engine) -> None:
    with reading(booked) as session:
        for day in (date(2026, 9, 29), date(2026, 9, 30), date(2026, 10, 31), TODAY):
            found = account_statement(session, OWED, first=day, last=day, basis=Basis.VALUE)
            assert ledger.balances(session, [OWED], on=day)[OWED] == found.closing_minor
        assert ledger.balances(session, [OWED], on=TODAY) == ledger.balances(session, [OWED])


def test_a_reversed_entry_and_its_reversal_name_each_other(booked: Engine) -> None:
    with transaction(booked) as session:
        ledger.reverse(session, [5], NOW, "its block was orphaned")

    with reading(booked) as session:
        found = account_statement(session, HELD, first=1, last=20, basis=Basis.BLOCK)
        pairs = [(line.seq, line.reverses_seq, line.reversed_by_seq) for line in found.lines]
    assert pairs == [(4, None, None), (5, None, 6), (6, 5, None)]


def test_reservations_are_on_no_statement(booked: Engine) -> None:
    before = statement_of(booked, HELD, TODAY, TODAY + timedelta(days=9), Basis.VALUE)
    with transaction(booked) as session:
        line = ledger.Line(HELD, 7, ledger.PENDING)
        other = ledger.Line("outside:TUSD", -7, ledger.PENDING)
        ledger.post(session, [entries.Entry("reserve", "reserve:x", (line, other))], NOW)

    assert statement_of(booked, HELD, TODAY, TODAY + timedelta(days=9), Basis.VALUE) == before


def test_sums_of_wei_beyond_63_bits_are_exact(engine: Engine) -> None:
    with transaction(engine) as session:
        made = [entries.funding(OPERATOR, 10**19 + 1, a_source(block), "") for block in (3, 4)]
        ledger.post(session, made, NOW)

    opening, lines, closing = statement_of(engine, f"coin:{OPERATOR}:WEI", 4, 4, Basis.BLOCK)
    assert (opening, closing) == (10**19 + 1, 2 * 10**19 + 2)
    assert lines[-1][2] == closing


def test_an_account_that_nobody_posted_to_has_no_statement(booked: Engine) -> None:
    with pytest.raises(NotFound):
        statement_of(booked, "receivable:par_x:USD", TODAY, TODAY, Basis.VALUE)


def test_bounds_of_another_basis_or_the_wrong_way_round_are_refused(booked: Engine) -> None:
    yesterday = TODAY - timedelta(days=1)
    for first, last, basis in (
        (1, 2, Basis.VALUE),
        (TODAY, TODAY, Basis.BLOCK),
        (2, 1, Basis.BLOCK),
        (TODAY, yesterday, Basis.VALUE),
        (TODAY, yesterday, Basis.BOOKING),
    ):
        with pytest.raises(Invalid):
            statement_of(booked, OWED, first, last, basis)


def test_a_statement_whose_lines_change_before_they_are_read_says_so(booked: Engine) -> None:
    with pytest.raises(StatementBroken, match="does not add up"), transaction(booked) as session:
        found = account_statement(session, OWED, first=TODAY, last=TODAY, basis=Basis.VALUE)
        session.execute(
            text(
                "INSERT INTO posting (entry_seq, line, account_id, phase, amount_minor)"
                " SELECT 4, 99, id, 'posted', 1 FROM account WHERE code = :code"
            ),
            {"code": OWED},
        )
        list(found.lines)


def test_what_is_posted_while_a_statement_is_read_is_not_on_it(booked: Engine) -> None:
    today = (TODAY, TODAY + timedelta(days=30))

    with reading(booked) as session:
        found = account_statement(session, OWED, first=today[0], last=today[1], basis=Basis.BOOKING)
        with transaction(booked) as other:
            late = Claim("inv_late", SELLER, BUYER, CURRENCY, 77, TODAY.isoformat())
            ledger.post(other, [entries.accept(late)], NOW + timedelta(days=1))
        moved = [line.minor for line in found.lines]

    assert 77 not in moved and len(moved) == found.line_count
    assert found.opening_minor + sum(moved) == found.closing_minor
