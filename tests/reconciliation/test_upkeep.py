"""The worker's work beside the payments: banks compared, records matched, failures kept apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from gateway.demo.bank_file import BankMovement, BankStatement, camt053
from settlement import bank
from settlement.reconciliation import engine as matching_engine
from settlement.reconciliation import tie_out
from settlement.store import transaction
from tests.builders.rail import Rail, a_rail
from tests.builders.reconciled import closed_breaks, open_breaks, reason_of

IBAN = "DE92611500200100417826"
RESERVE_IBAN = "AE530331234567890126411"


@pytest.fixture
def rail(engine: Engine, tmp_path: Path) -> Iterator[Rail]:
    with a_rail(engine, tmp_path) as made:
        worker = made.worker()
        for _tick in range(2):
            made.tick(worker)
        worker.stop()
        yield made


def _account(rail: Rail, iban: str = IBAN, *, role: str = "payout") -> str:
    with transaction(rail.engine) as session:
        return bank.register(
            session,
            bank.NewBankAccount(
                rail.companies.seller, "main", iban, "TESTDEFFXXX", "USD", role,
                rail.token() if role == "reserve" else None,
            ),
            ids=rail.ids,
            now=rail.now,
        )  # fmt: skip


def _import(
    rail: Rail, *minors: int, opening: int = 0, number: str = "S-1", days: int = 0,
    iban: str = IBAN,
) -> None:  # fmt: skip
    movements = [
        BankMovement(f"{number}-{place}", minor, "Somebody", remittance=f"{number}/{place}")
        for place, minor in enumerate(minors)
    ]
    day = rail.now.date() + timedelta(days=days)
    statement = BankStatement(number, iban, "USD", "Seller", day, opening, movements)
    path = rail.folder / f"{number}.xml"
    path.write_bytes(camt053(statement))
    bank.import_file(rail.engine, path, actor="ana", ids=rail.ids, now=rail.now)


def _tend(rail: Rail) -> dict[str, str]:
    """Idle ticks until everything beside the payments was done."""
    worker = rail.worker()
    for _tick in range(4):
        progress = rail.tick(worker)
    worker.stop()
    return progress.troubles


def _of(rail: Rail, subject: str) -> tuple[int, int | None, bool]:
    newest = tie_out(rail.engine, rail.chain, rail.now).block_number
    found = tie_out(rail.engine, rail.chain, rail.now, newest)
    (row,) = [row for row in found.rows if row.subject == subject]
    return row.ledger_minor, row.bank_minor, row.ties


def test_a_statement_that_is_posted_ties_out_with_the_bank(rail: Rail) -> None:
    account = _account(rail)
    _import(rail, 1200, -300, opening=5000)

    assert _tend(rail) == {}

    assert _of(rail, f"nostro:{account}:USD") == (5900, 5900, True)
    assert {kind for kind, _subject in open_breaks(rail.engine)} == {
        "unattributed_bank_credit", "unattributed_bank_debit",
    }  # fmt: skip


def test_a_cent_between_bank_and_books_is_a_break_until_it_is_gone(rail: Rail) -> None:
    account = _account(rail)
    _import(rail, 1200)
    subject = f"nostro:{account}:USD"
    with transaction(rail.engine) as session:
        bank.post_entries(session, rail.now)
        session.execute(
            text(
                "UPDATE balance SET posted_minor = posted_minor + 1 WHERE account_id ="
                " (SELECT id FROM account WHERE code = :code)"
            ),
            {"code": subject},
        )
    _tend(rail)
    is_open = ("tie_out", subject) in open_breaks(rail.engine)
    with transaction(rail.engine) as session:
        session.execute(
            text(
                "UPDATE balance SET posted_minor = posted_minor - 1 WHERE account_id ="
                " (SELECT id FROM account WHERE code = :code)"
            ),
            {"code": subject},
        )

    _tend(rail)

    assert is_open
    assert "the bank has 12.00 USD, the ledger 12.01" in reason_of(rail.engine, subject)
    assert ("tie_out", subject) in {found[:2] for found in closed_breaks(rail.engine)}


def test_a_missing_statement_is_one_break_and_not_two(rail: Rail) -> None:
    account = _account(rail)
    _import(rail, 100, days=-3)
    _import(rail, 50, opening=170, number="S-2", days=-1)

    _tend(rail)

    assert _of(rail, f"nostro:{account}:USD") == (150, 220, False)
    kinds = {kind for kind, _subject in open_breaks(rail.engine)}
    assert "statement_gap" in kinds
    assert "tie_out" not in kinds


def test_what_moved_after_the_last_statement_is_not_due_at_the_bank(rail: Rail) -> None:
    account = _account(rail)
    _import(rail, 100, days=-3)
    with transaction(rail.engine) as session:
        bank.post_entries(session, rail.now)
        session.execute(
            text("UPDATE bank_entry SET booking_date = :day"),
            {"day": rail.now.date().isoformat()},
        )
        session.execute(text("UPDATE statement SET closing_minor = 0"))

    assert _of(rail, f"nostro:{account}:USD") == (0, 0, True)


@pytest.mark.parametrize(("held", "ties"), [(0, True), (-1, False), (1, False)])
def test_the_supply_is_what_the_reserve_holds_at_the_end_of_its_day(
    rail: Rail, held: int, ties: bool
) -> None:
    _account(rail, RESERVE_IBAN, role="reserve")
    newest = tie_out(rail.engine, rail.chain, rail.now)
    supply = next(row.ledger_minor for row in newest.rows if row.subject == "supply:TUSD")
    _import(rail, supply // 10**4 + held, iban=RESERVE_IBAN)

    _tend(rail)

    assert _of(rail, "reserve:TUSD") == (supply, supply + held * 10**4, ties)
    assert (("tie_out", "reserve:TUSD") in open_breaks(rail.engine)) == (not ties)


def test_a_reserve_is_compared_with_what_was_minted_by_the_end_of_its_day(rail: Rail) -> None:
    _account(rail, RESERVE_IBAN, role="reserve")
    _import(rail, iban=RESERVE_IBAN, days=-1)

    _tend(rail)

    assert _of(rail, "reserve:TUSD") == (0, 0, True)


def test_payments_go_on_while_the_engine_fails_and_it_is_told(
    rail: Rail, monkeypatch: pytest.MonkeyPatch
) -> None:
    _account(rail)
    rail.instructed(2)

    def fail(*_arguments: object, **_words: object) -> None:
        raise RuntimeError("a bug in the rules")

    monkeypatch.setattr(matching_engine, "run", fail)
    worker = rail.worker()
    rail.settle_all(worker)
    troubled = rail.tick(worker).troubles
    monkeypatch.undo()
    rail.round(worker)

    assert troubled == {"reconcile": "RuntimeError: a bug in the rules"}
    assert rail.tick(worker).troubles == {}


def test_beside_the_payments_the_engine_comes_to_the_same(rail: Rail) -> None:
    _account(rail)
    _import(rail, 100)
    worker = replace(rail.worker(), is_beside=True)

    rail.run_until(
        worker,
        lambda: ("unattributed_bank_credit", "bank:1") in open_breaks(rail.engine),
        rounds=500,
    )
    progress = rail.tick(worker)
    worker.stop()

    assert progress.troubles == {}


def test_a_rail_without_banks_runs_no_engine(rail: Rail) -> None:
    rail.instructed(2)
    worker = rail.worker()
    rail.settle_all(worker)
    for _tick in range(3):
        rail.tick(worker)

    assert rail.one("SELECT COUNT(*) FROM recon_run") == 0


def test_the_engine_runs_when_there_is_something_new_and_not_before(rail: Rail) -> None:
    _account(rail)
    worker = rail.worker()
    for _tick in range(3):
        rail.tick(worker)
    first = rail.one("SELECT COUNT(*) FROM recon_run")
    for _tick in range(3):
        rail.tick(worker)
    nothing_new = rail.one("SELECT COUNT(*) FROM recon_run")
    _import(rail, 100)
    for _tick in range(3):
        rail.tick(worker)

    assert first == nothing_new > 0
    assert rail.one("SELECT COUNT(*) FROM recon_run") > nothing_new
