"""What people and banks bring into the books is judged: a source for every entry, and the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from settlement.ledger import entries, post
from settlement.store import transaction
from settlement.verify.judging import violations
from tests.builders.memory_node import MemoryNode
from tests.reconciliation.workbench.desks import Desks, desks

USD = 1_000_000


@pytest.fixture
def desk(engine: Engine, tmp_path: Path) -> Iterator[Desks]:
    with desks(engine, tmp_path) as opened:
        yield opened


def unaccounted(desk: Desks) -> list[str]:
    """Return what the checker brings forward against I2, of entries and their sources."""
    url = desk.rail.engine.url.render_as_string(hide_password=False)
    found = violations(url, MemoryNode(desk.rail.chain))
    return [each for finding in found if finding.name == "I2" for each in finding.offenders]


def written_off(desk: Desks) -> str:
    """A deposit that was written off by two people; return the break's id."""
    broken = desk.deposited(200 * USD)
    desk.done(broken, "propose", act="write_off")
    desk.done(broken, "approve", "carl")
    return broken


def change(desk: Desks, statement: str) -> None:
    """Change a row behind everybody's back."""
    with transaction(desk.rail.engine) as session:
        assert session.connection().execute(text(statement)).rowcount


def test_what_two_people_wrote_off_is_accounted_for_and_so_is_its_undoing(desk: Desks) -> None:
    broken = written_off(desk)
    booked = unaccounted(desk)

    effect = desk.read(broken)["effects"][0]["id"]
    desk.done(broken, "propose", act="undo", effect=effect)
    desk.done(broken, "approve", "carl")

    assert desk.read(broken)["effects"][0]["undone_at"] is not None
    assert booked == unaccounted(desk) == []


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE break_effect SET source_key = NULL", "nobody is on record for it"),
        ("UPDATE break_effect SET source_key = 'write_off:other'", "do not agree"),
        (
            "UPDATE break_effect SET live = false, undone_at = 1, undone_by = 'x',"
            " undone_reason = 'y'",
            "do not agree",
        ),
        ("UPDATE break_effect SET act = 'attribute'", "do not agree"),
        (
            "UPDATE break_proposal SET state = 'open', decided_by = NULL, ended_at = NULL",
            "without as many approvals",
        ),
    ],
)
def test_a_write_off_whose_record_was_changed_is_named(
    desk: Desks, statement: str, said: str
) -> None:
    written_off(desk)
    change(desk, statement)

    assert any(said in each for each in unaccounted(desk))


def test_an_entry_that_nobody_decided_or_no_bank_told_of_is_named(desk: Desks) -> None:
    seller = desk.rail.companies.seller
    made = [
        entries.adjustment(
            "act_1", debit=f"fees:{seller}:USD", credit=f"rounding:{seller}:USD", minor=5,
            reason="because",
        ),
        entries.bank_movement(
            77, bank_account_id="bka_1", currency="USD", minor=5, value_date="2026-11-20"
        ),
        entries.Entry("gift", "gift:1", ()),
    ]  # fmt: skip
    with transaction(desk.rail.engine) as session:
        post(session, made, desk.rail.now)

    found = " | ".join(unaccounted(desk))

    assert "adjustment:act_1 is in the books, and nobody is on record for it" in found
    assert "no bank entry names it" in found
    assert "of a kind that nobody knows, gift (1 entries)" in found
