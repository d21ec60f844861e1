"""Breaks of deadlines: of answers too, and right when more is due than one look reads."""

from datetime import timedelta
from typing import Any

import pytest

from settlement.clock import to_micros
from settlement.compliance.inquiries import asking
from settlement.settlements import inquiring
from settlement.store import reading, transaction
from settlement.store.bulk import insert_rows
from settlement.supervision import deadlines, reports
from tests.builders.rail import Rail

_COLUMNS = (
    "id", "kind", "subject", "title", "period_first", "period_last", "jurisdiction", "state",
    "due_date", "warn_date", "row_count", "sha256", "content", "written_at",
)  # fmt: skip


def _due(rail: Rail, numbers: range, due: str, state: str = "due") -> None:
    """Reports about a block of that day, to be filed by `due`."""
    with transaction(rail.engine) as session:
        insert_rows(
            session,
            "supervisor_report",
            _COLUMNS,
            [
                (
                    f"rep_{number:032d}", "blocked_property", f"clr_{number}", "Blocked property",
                    "2026-10-01", "2026-10-01", "us", state, due, "2026-10-12", 0, "0" * 64, b"x",
                    to_micros(rail.now),
                )
                for number in numbers
            ],
        )  # fmt: skip


def _watch(rail: Rail) -> tuple[int, int]:
    with transaction(rail.engine) as session:
        return deadlines.watch(session, rail.now)


def _open(rail: Rail) -> int:
    return len(rail.rows("SELECT 1 FROM settlement_break WHERE kind = 'report_due'"
                         " AND closed_at IS NULL"))  # fmt: skip


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadlines, "PIECE", 10)


def test_a_break_stays_open_while_its_report_is_not_filed_however_many_are_due_before_it(
    rail: Rail,
) -> None:
    _due(rail, range(1), "2026-12-20")
    assert _watch(rail) == (1, 0)
    _due(rail, range(1, 11), "2026-12-01")

    assert _watch(rail) == (10, 0)
    assert (_watch(rail), _open(rail)) == ((0, 0), 11)


def test_every_report_that_is_due_gets_its_break_in_one_look(rail: Rail) -> None:
    _due(rail, range(25), "2026-12-01")
    _due(rail, range(25, 30), "2026-10-30", "overdue")

    assert (_watch(rail), _open(rail)) == ((30, 0), 30)


def test_what_is_filed_closes_and_nothing_else(rail: Rail) -> None:
    _due(rail, range(25), "2026-12-01")
    _watch(rail)
    with transaction(rail.engine) as session:
        reports.file(
            session, f"rep_{24:032d}", reference="BLK-1", actor="compliance:per_1", now=rail.now
        )

    assert (_watch(rail), _open(rail)) == ((0, 1), 24)
    with reading(rail.engine) as session:
        assert reports.find(session, f"rep_{24:032d}").state == "filed"
    rail.now += timedelta(hours=1)
    assert _watch(rail) == (0, 0)


def test_an_answer_that_is_late_opens_a_break_of_its_party_and_closes_it_when_it_comes(
    rail: Rail,
) -> None:
    (key,) = rail.instructed()
    due, party = rail.now.date(), rail.companies.seller
    with transaction(rail.engine) as session:
        asked = inquiring.ask(
            session, key, asked_of=party, question="Which contract?", due=due,
            actor="compliance:per_1", ids=rail.ids, now=rail.now,
        )  # fmt: skip

    def watched(days: int) -> list[tuple[Any, ...]]:
        later = rail.now + timedelta(days=days)
        with transaction(rail.engine) as session:
            asking.let_fall_due(session, later)
            deadlines.watch(session, later)
        found = rail.rows("SELECT subject, party, closed_at FROM settlement_break"
                          " WHERE kind = 'inquiry_overdue'")  # fmt: skip
        return [(row.subject, row.party, row.closed_at is None) for row in found]

    assert watched(0) == [], "its last day is in time"
    assert watched(1) == watched(2) == [(asked.id, party, True)]
    with transaction(rail.engine) as session:
        asking.answer(
            session, asked.id, words="Contract 118.", attachments=(), party=party,
            actor="exporter:per_2", ids=rail.ids, now=rail.now,
        )  # fmt: skip
    assert watched(3) == [(asked.id, party, False)]
