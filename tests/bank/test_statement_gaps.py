"""What is missing between two statements is found, and nothing else is called missing."""

from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from settlement import bank
from settlement.store import reading
from tests.bank.builders import Movement, a_camt, imported, with_account


def a_span(day: int, opening: int, closing: int, **changes: Any) -> bank.StatementSpan:
    span = bank.StatementSpan(
        f"bst_{day:02d}", "bka_1", f"S{day}", day, opening, closing,
        f"2026-11-{day:02d}", f"2026-11-{day:02d}", "EUR",
    )  # fmt: skip
    return span._replace(**changes)


def test_statements_that_follow_each_other_have_no_gap() -> None:
    assert bank.gaps([a_span(3, 5, 9), a_span(1, 0, 2), a_span(2, 2, 5)]) == []


def test_a_missing_statement_shows_in_number_and_balance() -> None:
    (gap,) = bank.gaps([a_span(1, 0, 200), a_span(3, 500, 900)])

    assert (gap.after, gap.before) == ("bst_01", "bst_03")
    assert (gap.missing_minor, gap.missing_sequences) == (300, (2, 2))
    assert gap.subject == "statement:bst_03"
    assert "3.00 EUR" in gap.reason


def test_a_balance_that_does_not_follow_is_a_gap_without_numbers() -> None:
    (gap,) = bank.gaps([a_span(1, 0, 2, sequence=None), a_span(2, 3, 3, sequence=None)])

    assert (gap.missing_minor, gap.missing_sequences) == (1, None)


def test_a_new_year_starts_to_count_again() -> None:
    assert bank.gaps([a_span(1, 0, 2, sequence=365), a_span(2, 2, 3, sequence=1)]) == []


def test_accounts_and_overlapping_periods_are_kept_apart() -> None:
    other = a_span(2, 70, 80, account_id="bka_2")
    week = a_span(4, 2, 9, opening_date="2026-11-02", sequence=None)

    assert bank.gaps([a_span(1, 0, 2), other, a_span(2, 2, 5), a_span(3, 5, 9), week]) == []


@given(
    movements=st.lists(st.integers(-10_000, 10_000), min_size=3, max_size=28),
    lost=st.data(),
)
def test_exactly_the_lost_statement_is_missing(movements: list[int], lost: Any) -> None:
    spans, balance = [], 0
    for day, movement in enumerate(movements, start=1):
        spans.append(a_span(day, balance, balance + movement))
        balance += movement
    assert bank.gaps(spans) == []
    place = lost.draw(st.integers(1, len(spans) - 2))

    (gap,) = bank.gaps(spans[:place] + spans[place + 1 :])

    assert gap.missing_sequences == (place + 1, place + 1)
    assert gap.before == spans[place + 1].id


def test_a_gap_is_found_in_what_is_stored_and_heals(engine: Engine, tmp_path: Path) -> None:
    with_account(engine)
    days = {
        day: a_camt(
            Movement("1.00", reference=f"BK-{day}", day=f"2026-11-{day}"),
            statement_id=f"S-{day}", sequence=day, opening=f"{day}.00",
            opened_on=f"2026-11-{day - 1}", closed_on=f"2026-11-{day}",
        )
        for day in (17, 18, 19)
    }  # fmt: skip
    for day in (17, 19):
        imported(engine, tmp_path, days[day])

    with reading(engine) as session:
        (gap,) = bank.statement_gaps(session)
    assert (gap.missing_minor, gap.missing_sequences) == (100, (18, 18))

    imported(engine, tmp_path, days[18])
    with reading(engine) as session:
        assert bank.statement_gaps(session) == []
