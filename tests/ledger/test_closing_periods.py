"""Periods: closed by two people, for good; what comes late is booked in the first open one."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from settlement import ledger
from settlement.errors import Invalid, NotFound
from settlement.ledger import Claim, entries, periods
from settlement.ledger.periods import PeriodMoved, PeriodNotNext, SecondPersonMissing
from settlement.store import reading, transaction
from tests.builders.ledger import BUYER, CURRENCY, NOW, SELLER

MAKER, CHECKER = "treasury:stk_maker", "treasury:stk_checker"
OWED = f"receivable:{SELLER}:USD"


def a_claim(invoice_id: str, day: str, minor: int = 100) -> entries.Entry:
    return entries.accept(Claim(invoice_id, SELLER, BUYER, CURRENCY, minor, day))


def closed(engine: Engine, name: str) -> periods.Period:
    """Ask for the close and approve it."""
    with transaction(engine) as session:
        asked = periods.ask_to_close(session, name, actor=MAKER, now=NOW)
    with transaction(engine) as session:
        return periods.approve_close(
            session, name, trial_sha256=asked.trial_sha256, actor=CHECKER, now=NOW
        )


@pytest.fixture
def booked(engine: Engine) -> Engine:
    """A claim in each of two months."""
    with transaction(engine) as session:
        made = [a_claim("inv_1", "2026-09-30"), a_claim("inv_2", "2026-10-31", 250)]
        ledger.post(session, made, NOW)
    return engine


def values(engine: Engine) -> list[tuple[int, str, str | None]]:
    with reading(engine) as session:
        found = session.execute(
            text("SELECT seq, value_date, reason FROM journal_entry ORDER BY seq")
        )
        return [tuple(row) for row in found]


def test_closing_posts_nothing_and_keeps_the_hash_of_the_trial_balance(booked: Engine) -> None:
    september = closed(booked, "2026-09")

    with reading(booked) as session:
        assert ledger.head(session).seq == 2
        trial = periods.trial_at(session, "2026-09-30")
        kept = periods.listed(session)
        events = list(session.execute(text("SELECT kind, aggregate_id FROM outbox ORDER BY seq")))
    assert dict(trial)[OWED] == 100
    assert september.trial_sha256 == periods.trial_hash(trial)
    assert kept == [september]
    assert (september.state, september.closed_by, september.approved_by) == (
        "closed", MAKER, CHECKER,
    )  # fmt: skip
    assert [tuple(row) for row in events] == [
        ("period.close_asked", "2026-09"),
        ("period.closed", "2026-09"),
    ]


def test_a_late_entry_is_booked_on_the_first_open_day_and_says_so(booked: Engine) -> None:
    closed(booked, "2026-09")

    with transaction(booked) as session:
        ledger.post(session, [a_claim("inv_3", "2026-09-01"), a_claim("inv_4", "2026-10-01")], NOW)

    assert values(booked)[2:] == [
        (3, "2026-10-01", "value date 2026-09-01 lies in a closed period"),
        (4, "2026-10-01", None),
    ]
    with reading(booked) as session:
        assert ledger.verify_chain(session).holds


def test_a_correction_of_a_closed_period_is_a_reversal_in_the_open_one(booked: Engine) -> None:
    september = closed(booked, "2026-09")

    with transaction(booked) as session:
        ledger.reverse(session, [1], NOW, "accepted by mistake")

    assert values(booked)[2] == (
        3, "2026-10-01", "accepted by mistake; value date 2026-09-30 lies in a closed period",
    )  # fmt: skip
    with reading(booked) as session:
        assert periods.trial_hash(periods.trial_at(session, "2026-09-30")) == september.trial_sha256
        assert dict(periods.trial_at(session, "2026-10-31"))[OWED] == 250


def test_an_entry_without_value_date_in_a_closed_period_goes_on_too(booked: Engine) -> None:
    closed(booked, "2026-09")
    clock_is_wrong = datetime(2026, 9, 12, tzinfo=UTC)

    with transaction(booked) as session:
        late = a_claim("inv_3", "")._replace(value_date=None)
        ledger.post(session, [late], clock_is_wrong)

    assert values(booked)[2][1] == "2026-10-01"


def test_the_first_entry_of_all_finds_the_closed_period_too(engine: Engine) -> None:
    closed(engine, "2026-09")

    with transaction(engine) as session:
        ledger.post(session, [a_claim("inv_1", "2026-09-30")], NOW)

    assert values(engine)[0][1] == "2026-10-01"


@pytest.mark.parametrize("day", ["2026-09-30", "2026-08-01"])
def test_the_database_itself_refuses_an_entry_in_a_closed_period(booked: Engine, day: str) -> None:
    closed(booked, "2026-09")

    with (
        pytest.raises(DBAPIError, match="a closed accounting period takes no entry"),
        transaction(booked) as session,
    ):
        session.execute(
            text(
                "INSERT INTO journal_entry (seq, kind, source_key, value_date, booked_at,"
                " prev_hash, hash) VALUES (3, 'accept', 'by hand', :day, 0, '', '')"
            ),
            {"day": day},
        )


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE accounting_period SET state = 'open', approved_by = NULL, approved_at = NULL",
        "UPDATE accounting_period SET last_date = '2026-09-01'",
        "DELETE FROM accounting_period",
    ],
)
def test_what_is_closed_is_never_opened_again(booked: Engine, statement: str) -> None:
    closed(booked, "2026-09")

    with (
        pytest.raises(DBAPIError, match="a closed accounting period stays as it is"),
        transaction(booked) as session,
    ):
        session.execute(text(statement))


def test_nobody_approves_the_close_that_they_have_asked_for(booked: Engine) -> None:
    with transaction(booked) as session:
        asked = periods.ask_to_close(session, "2026-09", actor=MAKER, now=NOW)

    with pytest.raises(SecondPersonMissing), transaction(booked) as session:
        periods.approve_close(
            session, "2026-09", trial_sha256=asked.trial_sha256, actor=MAKER, now=NOW
        )

    with pytest.raises(DBAPIError), transaction(booked) as session:
        session.execute(
            text(
                "UPDATE accounting_period SET state='closed', approved_by=closed_by, approved_at=1"
            )
        )


def test_an_approval_is_bound_to_the_books_that_were_seen(booked: Engine) -> None:
    with transaction(booked) as session:
        asked = periods.ask_to_close(session, "2026-09", actor=MAKER, now=NOW)

    with pytest.raises(PeriodMoved, match="hash"), transaction(booked) as session:
        periods.approve_close(session, "2026-09", trial_sha256="0" * 64, actor=CHECKER, now=NOW)
    with transaction(booked) as session:
        ledger.post(session, [a_claim("inv_3", "2026-10-01"), a_claim("inv_4", "2026-09-30")], NOW)
    with pytest.raises(PeriodMoved, match="entry 4"), transaction(booked) as session:
        periods.approve_close(
            session, "2026-09", trial_sha256=asked.trial_sha256, actor=CHECKER, now=NOW
        )

    again = closed(booked, "2026-09")
    assert again.trial_sha256 != asked.trial_sha256


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("2026-11", "2026-11-30 is not over"),
        ("2026-10", "entries lie before 2026-10-01"),
        ("2026-09-30_2026-11-23", "2026-11-23 is not over"),
    ],
)
def test_the_first_period_takes_all_that_was_before_and_is_over(
    booked: Engine, name: str, said: str
) -> None:
    with pytest.raises(PeriodNotNext, match=said), transaction(booked) as session:
        periods.ask_to_close(session, name, actor=MAKER, now=NOW)


def test_periods_follow_each_other_without_a_gap(booked: Engine) -> None:
    closed(booked, "2026-09")

    for name in ("2026-09", "2026-10-02_2026-10-31", "2026-08"):
        with pytest.raises(PeriodNotNext, match="2026-09-30"), transaction(booked) as session:
            periods.ask_to_close(session, name, actor=MAKER, now=NOW)
    closed(booked, "2026-10-01_2026-10-15")
    closed(booked, "2026-10-16_2026-10-31")

    with reading(booked) as session:
        assert periods.open_since(session) == "2026-11-01"
        assert [each.id for each in periods.listed(session)] == [
            "2026-10-16_2026-10-31",
            "2026-10-01_2026-10-15",
            "2026-09",
        ]


def test_a_closed_period_is_not_approved_again(booked: Engine) -> None:
    september = closed(booked, "2026-09")

    with pytest.raises(PeriodNotNext, match="is closed"), transaction(booked) as session:
        periods.approve_close(
            session, "2026-09", trial_sha256=september.trial_sha256, actor="x", now=NOW
        )
    with pytest.raises(NotFound), transaction(booked) as session:
        periods.approve_close(session, "2026-10", trial_sha256="", actor="x", now=NOW)


@pytest.mark.parametrize(
    "name", ["", "2026", "2026-13", "2026-10-02_2026-10-01", "2026-10-1_2026-10-05", "20261001_x"]
)
def test_what_names_no_period_is_refused(name: str) -> None:
    with pytest.raises(Invalid, match="names no period"):
        periods.dates_of(name)


def test_a_month_and_a_range_name_their_days() -> None:
    assert periods.dates_of("2024-02") == ("2024-02-01", "2024-02-29")
    assert periods.dates_of("2026-10-16_2026-10-31") == ("2026-10-16", "2026-10-31")
