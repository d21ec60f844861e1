"""The overseer's views: of which time a row is, page by page, from what is final."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from settlement.clock import to_micros
from settlement.store import reading, transaction
from settlement.supervision import reports
from settlement.supervision.periods import Span
from settlement.supervision.views import VIEWS
from settlement.supervision.views.payments import words_of
from settlement.supervision.views.reading import View
from tests.builders.rail import Rail
from tests.supervision.decisions import decided

MONDAY = datetime(2026, 11, 30, 9, 30, tzinfo=UTC)
MIDNIGHT = datetime(2026, 12, 1, tzinfo=UTC)
MICRO = timedelta(microseconds=1)


def test_holdings_are_those_of_a_final_block_and_what_the_chain_says(rail: Rail) -> None:
    rail.instructed()
    worker = rail.worker()
    rail.settle_all(worker)
    rail.run_until(worker, lambda: rail.rounds > 20)
    today = Span(date(2026, 11, 1), rail.now.date())

    with reading(rail.engine) as session:
        view = VIEWS["holdings"]
        rows = [dict(zip(view.names, row, strict=True)) for row in view.rows(session, today, 100)]

    held = {(row["wallet"], row["asset"]): row for row in rows}
    seller = held[rail.seller_wallet, "TUSD"]
    assert seller["participant_id"] == rail.companies.seller
    on_chain = rail.balance(rail.seller_wallet)
    assert seller["balance"] == f"{on_chain // 10**6}.{on_chain % 10**6:06d}"
    final = rail.one("SELECT number FROM cursor WHERE name = 'final'")
    assert {row["block_number"] for row in rows} == {final}


def test_every_view_is_read_a_page_at_a_time_in_the_order_of_its_keys(rail: Rail) -> None:
    for _ in range(3):
        decided(rail, "BLOCK", MONDAY)
    with transaction(rail.engine) as session:
        reports.write_due(session, MONDAY)
        reports.write_due(session, MONDAY + timedelta(days=8))
    span = Span(date(2026, 1, 1), date(2027, 1, 1))

    with reading(rail.engine) as session:
        for view in VIEWS.values():
            whole = list(view.rows(session, span, 1_000))
            paged: list[Any] = []
            while page := view.read(session, span, str(paged[-1][0]) if paged else "", 2):
                paged += page
            assert paged == whole, view.name
            assert len(view.names) == len(whole[0]) if whole else True


def test_what_is_flagged_days_after_it_was_instructed_is_told_on_the_day_of_the_flag(
    rail: Rail,
) -> None:
    (key,), flagged = rail.instructed(), rail.now + timedelta(days=2)
    rail.write(
        "INSERT INTO policy_flag (rule_id, subject, day, settlement_id, clearance_id, found,"
        " created_at) VALUES ('EU-09', :id, '', :id, 'clr_1', 'over a threshold', :at)",
        id=key, at=to_micros(flagged),
    )  # fmt: skip

    def told(day: date) -> list[str]:
        with reading(rail.engine) as session:
            return [row[0] for row in VIEWS["transactions"].rows(session, Span(day, day), 10)]

    assert told(rail.now.date()) == []
    assert told(flagged.date()) == [key]


@pytest.mark.parametrize(
    ("at", "day"),
    [
        (MIDNIGHT, date(2026, 12, 1)), (MIDNIGHT - MICRO, date(2026, 11, 30)),
        (MIDNIGHT + timedelta(days=1) - MICRO, date(2026, 12, 1)),
    ],
)  # fmt: skip
def test_a_row_is_of_one_day_alone_to_the_microsecond(rail: Rail, at: datetime, day: date) -> None:
    clearance = decided(rail, "BLOCK", at)
    (key,) = rail.instructed()
    rail.write(
        "INSERT INTO policy_flag (rule_id, subject, day, settlement_id, clearance_id, found,"
        " created_at) VALUES ('EU-09', :id, '', :id, 'clr_1', 'over a threshold', :at)",
        id=key, at=to_micros(at),
    )  # fmt: skip

    days = [day + timedelta(days=each) for each in (-1, 0, 1)]
    with reading(rail.engine) as session:
        for name, row in (("blocked", clearance), ("transactions", key)):
            told = [
                [each[0] for each in VIEWS[name].rows(session, Span(each, each), 10)]
                for each in days
            ]
            assert told == [[], [row], []], name


def test_a_decision_is_told_by_what_was_against_it_alone() -> None:
    verdicts = (
        '[{"rule":"A","outcome":"ALLOW_WITH_DATA","found":"data"},'
        '{"rule":"B","outcome":"FLAG","found":"a sum"},'
        '{"rule":"C","outcome":"BLOCK","found":"listed"},'
        '{"rule":"D","outcome":"HOLD","found":""}]'
    )

    assert words_of(verdicts) == "A: data; C: listed"


@pytest.mark.parametrize(("most", "shown"), [(10_000, 2_500), (2_500, 2_500), (1_500, 1_500)])
def test_a_view_is_read_to_its_end_and_never_further_than_asked(most: int, shown: int) -> None:
    keys = [f"{number:05d}" for number in range(2_500)]

    def read(_session: Any, _span: Span, after: str, limit: int) -> list[tuple[str]]:
        return [(key,) for key in keys if key > after][:limit]

    span = Span(MONDAY.date(), MONDAY.date())
    session: Any = None

    found = list(View("v", "a view", ("key",), read).rows(session, span, most))

    assert found == [(key,) for key in keys[:shown]]


def test_holdings_of_a_day_are_those_of_its_last_final_block_that_is_in_the_books(
    rail: Rail,
) -> None:
    rail.instructed()
    worker = rail.worker()
    rail.settle_all(worker)
    rail.run_until(worker, lambda: rail.rounds > 20)
    midnight = int(datetime.combine(rail.now.date(), time(), UTC).timestamp()) + 86_400
    final = rail.one("SELECT number FROM cursor WHERE name = 'final'")
    paid_in = rail.one("SELECT MAX(block_number) FROM receipt")

    def told() -> set[Any]:
        span = Span(rail.now.date(), rail.now.date())
        with reading(rail.engine) as session:
            return {row[6] for row in VIEWS["holdings"].rows(session, span, 100)}

    assert told() == {final}
    rail.write("UPDATE block SET timestamp = :at WHERE number >= :final", at=midnight, final=final)
    assert told() == {final - 1}, "midnight is of the next day"
    rail.write("UPDATE cursor SET number = :at WHERE name = 'final'", at=paid_in)
    assert told() == {paid_in}
    rail.write("UPDATE receipt SET books = 'due' WHERE block_number = :at", at=paid_in)
    assert told() == {paid_in - 1}, "what is not booked yet is not in the books"
