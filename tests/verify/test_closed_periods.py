"""A closed period is what two people agreed on: the checker adds its books up again."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from settlement.ledger import periods
from settlement.store import open_engine, transaction
from tests.verify.conftest import Patient
from tests.verify.planting import Deed, forged, sql

LATER = datetime(2027, 2, 1, tzinfo=UTC)
PERIODS = ("2020-01-01_2026-11-30", "2026-12")


@pytest.fixture
def closed(patient: Patient) -> Patient:
    """A healthy world with two closed periods."""
    engine = open_engine(patient.url)
    for name in PERIODS:
        with transaction(engine) as session:
            asked = periods.ask_to_close(session, name, actor="anna", now=LATER)
        with transaction(engine) as session:
            periods.approve_close(
                session, name, trial_sha256=asked.trial_sha256, actor="ben", now=LATER
            )
    engine.dispose()
    return patient


def test_what_was_closed_by_two_people_is_sound(closed: Patient) -> None:
    _, answer = closed.verify()

    assert all(check["ok"] for check in answer["checks"])
    assert closed.value("SELECT COUNT(*) FROM accounting_period WHERE state = 'closed'") == 2


@pytest.mark.parametrize(
    "deed",
    [
        sql("UPDATE accounting_period SET approved_by = closed_by WHERE id = '2026-12'"),
        sql(f"UPDATE accounting_period SET trial_sha256 = '{'0' * 64}' WHERE id = '2026-12'"),
        sql("UPDATE accounting_period SET first_date = '2026-12-02' WHERE id = '2026-12'"),
        forged("UPDATE journal_entry SET value_date = '2027-01-05' WHERE kind = 'credit'"),
    ],
    ids=["by one person", "another hash", "a gap", "an entry that left it"],
)
def test_what_nobody_agreed_on_is_named(closed: Patient, deed: Deed) -> None:
    deed(closed)

    assert closed.red() == {"I7"}
