"""Our orders go to a bank from a package; what it sends back reconciles to the last entry.

It accepts, rejects, returns, refuses duplicates and loses entries; each is told from the others.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from settlement import bank
from settlement.documents.iso20022.reading_model import StatementContradicts
from settlement.ledger import balances
from settlement.store import open_engine, reading
from tests.bank.builders import imported, stored, with_account
from tests.bank.other_bank import BANK_UNKNOWN, CLOSED, THEIR_IBAN, OtherBank, an_other_bank
from tests.builders.ledger import NOW


@pytest.fixture
def other() -> Iterator[OtherBank]:
    with an_other_bank() as opened:
        yield opened


@pytest.fixture
def engine(sqlite_url: str) -> Iterator[Engine]:
    opened = open_engine(sqlite_url)
    yield opened
    opened.dispose()


def ours(engine: Engine, other: OtherBank) -> str:
    account = other.account
    return with_account(engine, iban=account["iban"], servicer_bic=account["bic"], role="nostro")


def take_all(engine: Engine, tmp_path: Path, other: OtherBank) -> list[bank.Imported]:
    """Import everything that the bank has sent, notifications first."""
    return [
        imported(engine, tmp_path, body)
        for kind in ("camt.054.001.08", "camt.053.001.08")
        for body in other.letters(kind)
    ]


def standing(engine: Engine) -> list[Any]:
    return [row for row in stored(engine) if row.duplicate_of is None and row.status == "BOOK"]


def outcomes(engine: Engine, other: OtherBank, sent: dict[str, int]) -> dict[str, str]:
    """Say of each payment what became of it, by its end-to-end id and nothing else."""
    told = other.statuses()
    booked: dict[str, list[Any]] = {}
    for row in standing(engine):
        if row.end_to_end_id:
            booked.setdefault(row.end_to_end_id, []).append(row)
    found = {}
    for end_to_end, minor in sent.items():
        status, reason = told.get(end_to_end, (None, None))
        amounts = [row.amount_minor for row in booked.get(end_to_end, [])]
        if amounts == [-minor]:
            found[end_to_end] = "paid"
        elif amounts == [-minor, minor]:
            found[end_to_end] = f"returned {booked[end_to_end][1].return_reason}"
        elif not amounts and status == "RJCT":
            found[end_to_end] = f"rejected {reason}"
        else:
            found[end_to_end] = f"open {status} {amounts}"
    return found


def require_tied_out(engine: Engine, other: OtherBank, account: str) -> None:
    """The ledger's nostro has moved by exactly what the bank's own balance has."""
    bank.post_all(engine, NOW)
    with reading(engine) as session:
        first = min(
            (each for each in bank.statements(session) if each.kind == "statement"),
            key=lambda each: each.sequence or 0,
        )
        last = bank.closing_balances(session, account, "9999-12-31")
        moved = balances(session, [f"nostro:{account}:EUR"])[f"nostro:{account}:EUR"]
    assert last is not None and first.opening_minor is not None
    assert last.minor == other.account["balance"]
    assert moved == last.minor - first.opening_minor


def test_what_is_accepted_is_booked_once_and_ties_out(
    engine: Engine, tmp_path: Path, other: OtherBank
) -> None:
    account = ours(engine, other)
    sent = {f"RUN1-{place}": 1_000 + place for place in range(20)}

    assert other.send(other.order("RUN1", list(sent.values())))[0] == 202
    credit = {"account": "ACME", "amount": 118_000, "note": "INV-1001, thank you",
              "debtor": {"name": "Customer Ltd", "iban": "NL14MOCK0000000002"}}  # fmt: skip
    assert other.call("POST", "/_mock/credits", credit)[0] == 201
    other.advance(3)
    results = take_all(engine, tmp_path, other)

    assert set(outcomes(engine, other, sent).values()) == {"paid"}
    assert sum(result.duplicates for result in results) == len(sent) + 1
    (received,) = [row for row in standing(engine) if row.amount_minor > 0]
    assert (received.amount_minor, received.remittance) == (118_000, "INV-1001, thank you")
    assert received.counterparty_name == "Customer Ltd"
    with reading(engine) as session:
        assert bank.statement_gaps(session) == []
    require_tied_out(engine, other, account)


def test_what_is_rejected_has_its_reason_and_is_never_booked(
    engine: Engine, tmp_path: Path, other: OtherBank
) -> None:
    account = ours(engine, other)
    other.behave("insufficient-funds")
    too_much = other.account["balance"]
    amounts = [500, 600, 700, too_much]

    other.send(other.order("RUN2", amounts, creditors=[THEIR_IBAN, BANK_UNKNOWN, CLOSED]))
    other.advance(3)
    take_all(engine, tmp_path, other)

    sent = {f"RUN2-{place}": minor for place, minor in enumerate(amounts)}
    assert outcomes(engine, other, sent) == {
        "RUN2-0": "paid",
        "RUN2-1": "rejected RC01",
        "RUN2-2": "rejected AC04",
        "RUN2-3": "rejected AM04",
    }
    require_tied_out(engine, other, account)


def test_what_comes_back_is_a_return_with_its_reason(
    engine: Engine, tmp_path: Path, other: OtherBank
) -> None:
    account = ours(engine, other)
    other.behave("return-later", days=2, reason="MD07", end_to_end_id="RUN3-1")

    other.send(other.order("RUN3", [500, 600]))
    other.advance(8)
    take_all(engine, tmp_path, other)

    found = outcomes(engine, other, {"RUN3-0": 500, "RUN3-1": 600})
    assert found == {"RUN3-0": "paid", "RUN3-1": "returned MD07"}
    require_tied_out(engine, other, account)


def test_a_file_that_is_sent_twice_pays_once(
    engine: Engine, tmp_path: Path, other: OtherBank
) -> None:
    account = ours(engine, other)
    order = other.order("RUN4", [500])

    first, again = other.send(order), other.send(order)
    other.advance(3)
    take_all(engine, tmp_path, other)

    assert (first[1]["status"], again[1]["status"], again[1]["reason"]) == ("ACCP", "RJCT", "DUPL")
    assert [row.amount_minor for row in standing(engine)] == [-500]
    require_tied_out(engine, other, account)


def test_a_statement_with_a_hole_is_refused_and_the_hole_is_known(
    engine: Engine, tmp_path: Path, other: OtherBank
) -> None:
    ours(engine, other)
    other.behave("statement-gap")
    other.send(other.order("RUN5", [500, 777]))
    other.advance(2)
    for body in other.letters("camt.054.001.08"):
        imported(engine, tmp_path, body)
    refusals = []
    for body in other.letters("camt.053.001.08"):
        try:
            imported(engine, tmp_path, body)
        except StatementContradicts as refusal:
            refusals.append(str(refusal))

    assert len(refusals) == 1
    assert "7.77 EUR" in refusals[0]
    # The notification has told of it: what is missing is the bank's line, not the payment.
    found = outcomes(engine, other, {"RUN5-0": 500, "RUN5-1": 777})
    assert set(found.values()) == {"paid"}


def test_a_statement_that_is_lost_on_its_way_is_missed_and_heals(
    engine: Engine, tmp_path: Path, other: OtherBank
) -> None:
    account = ours(engine, other)
    for place in range(3):
        other.send(other.order(f"DAY{place}", [500 + place]))
        other.advance(1)
    other.advance(2)
    first, lost, *rest = other.letters("camt.053.001.08")

    for body in (first, *rest):
        imported(engine, tmp_path, body)
    with reading(engine) as session:
        (gap,) = bank.statement_gaps(session)
    assert gap.missing_sequences == (2, 2)
    assert "open" in " ".join(
        outcomes(engine, other, {f"DAY{place}-0": 500 + place for place in range(3)}).values()
    )

    imported(engine, tmp_path, lost)
    with reading(engine) as session:
        assert bank.statement_gaps(session) == []
    require_tied_out(engine, other, account)
