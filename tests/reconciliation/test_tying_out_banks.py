"""Bank accounts tie out in whatever order their files came, and none is called off that is not."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from settlement import bank, reconciliation
from settlement.reconciliation import engine as matching
from settlement.store import open_engine, reading, transaction
from settlement.store.bulk import rows
from tests.bank.builders import Movement, a_camt, imported, with_account
from tests.builders.ledger import NOW


def moved(amount: str, day: int, name: str) -> Movement:
    return Movement(amount, reference=name, end_to_end=name, day=f"2026-11-{day}")


def a_statement(name: str, opening: str, amount: str, day: int, **changes: Any) -> bytes:
    """A statement of one movement, of one day, without a running number."""
    fields: dict[str, Any] = {"opened_on": f"2026-11-{day}", "closed_on": f"2026-11-{day}"}
    entry = moved(amount, day, f"BK-{name}")
    return a_camt(entry, statement_id=name, sequence=None, opening=opening, **{**fields, **changes})


def told_before(amount: str, day: int, name: str) -> bytes:
    """A notification of one movement."""
    return a_camt(moved(amount, day, name), message="camt.054", statement_id=name, sequence=None)


def off(engine: Engine, tmp_path: Path, *files: bytes) -> list[tuple[str, int]]:
    """Import, post and tie out; return what is called off, and by how much."""
    for content in files:
        imported(engine, tmp_path, content)
    bank.post_all(engine, NOW)
    with transaction(engine) as session:
        reconciliation.tie_out_banks(session, NOW)
    with reading(engine) as session:
        broken = "SELECT kind, amount_minor FROM settlement_break WHERE closed_at IS NULL"
        return [("gap", each.missing_minor) for each in bank.statement_gaps(session)] + [
            (kind, minor) for kind, minor in rows(session, broken)
        ]


def test_what_a_notification_told_before_the_first_statement_is_in_its_opening_balance(
    engine: Engine, tmp_path: Path
) -> None:
    with_account(engine)

    found = off(
        engine, tmp_path, told_before("5.00", 10, "N-1"), a_statement("S-1", "100.00", "1.00", 12)
    )

    assert found == []


def test_what_the_first_statement_tells_again_counts_once(engine: Engine, tmp_path: Path) -> None:
    with_account(engine)
    late = a_camt(
        moved("5.00", 10, "N-1"), statement_id="S-1", sequence=None, opening="100.00",
        opened_on="2026-11-12", closed_on="2026-11-12",
    )  # fmt: skip

    found = off(engine, tmp_path, told_before("5.00", 10, "N-1"), late)

    assert found == []


def test_what_a_notification_alone_tells_of_a_statement_s_days_is_off(
    engine: Engine, tmp_path: Path
) -> None:
    with_account(engine)

    found = off(
        engine, tmp_path, told_before("5.00", 12, "N-1"), a_statement("S-1", "100.00", "1.00", 12)
    )

    assert found == [("tie_out", -500)]


DAYS = (
    a_statement("P", "90.00", "10.00", 11),
    a_statement("A", "100.00", "50.00", 12),
    a_statement("B", "150.00", "-20.00", 12),
)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_two_statements_of_a_day_without_numbers_follow_each_other_by_their_balances(
    sqlite_url: str, tmp_path: Path, order: tuple[int, ...]
) -> None:
    engine = open_engine(sqlite_url)
    account = with_account(engine)

    found = off(engine, tmp_path, *(DAYS[place] for place in order))

    assert found == []
    with reading(engine) as session:
        assert bank.closing_balances(session, account, "2026-11-30") == (13000, "EUR", "2026-11-12")
    engine.dispose()


def test_on_the_first_day_too(engine: Engine, tmp_path: Path) -> None:
    with_account(engine)

    found = off(engine, tmp_path, DAYS[2], DAYS[1])

    assert found == []


def test_a_gap_that_no_column_holds_stops_no_run(engine: Engine, tmp_path: Path) -> None:
    with_account(engine)
    most = "92233720368547758.00"
    imported(engine, tmp_path, a_statement("A", f"-{most}", "1.00", 12))
    imported(engine, tmp_path, a_statement("B", most, "-1.00", 14))

    matching.run(engine, NOW)

    with reading(engine) as session:
        (found,) = rows(
            session,
            "SELECT amount_minor, reason FROM settlement_break WHERE kind = 'statement_gap'",
        )
    assert found[0] is None
    assert "opens 184467440737095515.00 EUR off" in found[1]
