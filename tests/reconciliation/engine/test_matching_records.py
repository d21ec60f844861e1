"""Records of all sources are matched by the shipped rules, once each, whatever order they came."""

import random
import shutil
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from settlement.store import open_engine, transaction
from tests.reconciliation.engine.world import (
    OTHER_BANK,
    change,
    count,
    expected,
    live,
    matched_on_rail,
    paid,
    run,
    seed,
    states,
    told,
)

Step = Callable[[Session], None]


@pytest.fixture
def rail(engine: Engine) -> Engine:
    with transaction(engine) as session:
        seed(session)
    return engine


def put(engine: Engine, *steps: Step) -> None:
    with transaction(engine) as session:
        for step in steps:
            step(session)


def a_payment(number: int, cents: int = 1200, day: int = 0) -> Step:
    return lambda session: paid(session, number, cents, day=day)


def an_entry(number: int, cents: int = 1200, **changes: Any) -> Step:
    return lambda session: told(session, number, cents, **changes)


def an_expectation(low: int, high: int, **changes: Any) -> Step:
    return lambda session: expected(session, low, high, **changes)


BY_RULE: dict[str, tuple[list[Step], tuple[str, set[str]]]] = {
    "end-to-end id": (
        [a_payment(1), an_entry(1, end_to_end_id="E2E1")],
        ("payment-end-to-end", {"stl_1", "fp1"}),
    ),
    "two parts": (
        [a_payment(1), an_entry(1, 700, end_to_end_id="E2E1"),
         an_entry(2, 500, end_to_end_id="E2E1")],
        ("payment-end-to-end-parts", {"stl_1", "fp1", "fp2"}),
    ),
    "structured reference": (
        [a_payment(17), an_entry(1, creditor_reference="17")],
        ("payment-reference", {"stl_17", "fp1"}),
    ),
    "reference in the text": (
        [a_payment(20260017), an_entry(1, remittance="Your invoice no. 20260017, thank you")],
        ("payment-reference", {"stl_20260017", "fp1"}),
    ),
    "amount and party": (
        [a_payment(1), an_entry(1, remittance="GOODS")],
        ("payment-amount-party", {"stl_1", "fp1"}),
    ),
    "one sum for several": (
        [a_payment(1, 1100), a_payment(2, 2300), an_entry(1, 3400)],
        ("payment-collective", {"stl_1", "stl_2", "fp1"}),
    ),
    "two by three": (
        [a_payment(1, 1100), a_payment(2, 2300), an_entry(1, 50), an_entry(2, 3000),
         an_entry(3, 350)],
        ("payment-collective", {"stl_1", "stl_2", "fp1", "fp2", "fp3"}),
    ),
    "expected within bounds": (
        [an_expectation(900, 1100, reference="PO-1"), an_entry(1, 1000, creditor_reference="po-1")],
        ("expected-reference", {"exp_1", "fp1"}),
    ),
    "expected by party": (
        [an_expectation(900, 1100, counterparty="Customer 7 SA"),
         an_entry(1, 901, counterparty_name="CUSTOMER 7 SA")],
        ("expected-counterparty", {"exp_1", "fp1"}),
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", BY_RULE)
def test_each_rule_matches_its_own(rail: Engine, kind: str) -> None:
    steps, (rule, names) = BY_RULE[kind]
    put(rail, *steps)

    ran = run(rail)
    again = run(rail)

    assert live(rail) == {(rule, frozenset(names))}
    assert (ran.matched, again.matched, again.undone, again.looked_at) == (1, 0, 0, 0)
    assert set(states(rail).values()) == {"matched"}


LEFT_OPEN: dict[str, list[Step]] = {
    "another amount": [a_payment(1), an_entry(1, 1201, end_to_end_id="E2E1")],
    "another sign": [a_payment(1), an_entry(1, -1200, end_to_end_id="E2E1")],
    "another currency": [a_payment(1), an_entry(1, currency="EUR", end_to_end_id="E2E1")],
    "another owner": [a_payment(1), an_entry(1, account=OTHER_BANK, end_to_end_id="E2E1")],
    "another payment's id": [a_payment(1), an_entry(1, end_to_end_id="E2E9")],
    "two entries of one id": [
        a_payment(1), an_entry(1, end_to_end_id="E2E1"), an_entry(2, end_to_end_id="E2E1")
    ],
    "two payments that look alike": [a_payment(1), a_payment(2), an_entry(1), an_entry(2)],
    "too late": [a_payment(1), an_entry(1, day=12)],
    "two sums that fit": [
        a_payment(1, 500), an_entry(1, 100), an_entry(2, 400), an_entry(3, 200), an_entry(4, 300)
    ],
    "out of bounds": [an_expectation(900, 1100, reference="PO-1"),
                      an_entry(1, 1101, creditor_reference="PO-1")],
    "after the last day": [an_expectation(900, 1100, reference="PO-1"),
                           an_entry(1, 1000, creditor_reference="PO-1", day=6)],
}  # fmt: skip


@pytest.mark.parametrize("kind", LEFT_OPEN)
def test_what_does_not_agree_or_ties_is_left_open(rail: Engine, kind: str) -> None:
    put(rail, *LEFT_OPEN[kind])

    run(rail)

    assert live(rail) == set()
    assert set(states(rail).values()) == {"open"}


def test_pending_and_duplicate_entries_are_no_records(rail: Engine) -> None:
    put(rail, a_payment(1), an_entry(1, status="PDNG"), an_entry(2), an_entry(3, duplicate_of=2))

    run(rail)

    assert live(rail) == {("payment-amount-party", frozenset({"stl_1", "fp2"}))}
    assert set(states(rail)) == {"stl_1", "fp2"}


def test_without_an_account_a_payment_is_no_record(rail: Engine) -> None:
    change(rail, "UPDATE bank_account SET role = 'nostro' WHERE role = 'payout'")
    put(rail, a_payment(1))

    assert run(rail).added == 0


def a_heap(seed_number: int) -> list[Step]:
    """Payments and entries of few amounts and days, so that much of it collides."""
    draw = random.Random(seed_number)
    steps: list[Step] = []
    for number in range(1, 15):
        cents, day = draw.choice((100, 200, 300, 500, 700)), draw.randint(0, 3)
        steps.append(a_payment(number, cents, day))
        named = draw.choice(("id", "reference", "nothing", "nothing"))
        said: dict[str, str] = {"id": {"end_to_end_id": f"E2E{number}"},
                                   "reference": {"creditor_reference": f"{number}"},
                                   "nothing": {}}[named]  # fmt: skip
        steps.append(an_entry(number, cents, day=day + draw.randint(0, 2), **said))
        if draw.random() < 0.2:
            steps.append(an_entry(100 + number, cents, day=day, **said))
    return steps


@pytest.mark.parametrize("seed_number", range(6))
def test_order_and_portions_say_nothing(
    sqlite_url: str, tmp_path: object, seed_number: int
) -> None:
    heap = a_heap(seed_number)
    found = []
    for shuffle in range(3):
        draw = random.Random(shuffle)
        steps = heap if shuffle == 0 else draw.sample(heap, len(heap))
        portions = [steps] if shuffle == 0 else [steps[i : i + 7] for i in range(0, len(steps), 7)]
        found.append(_outcome(sqlite_url, portions, f"{seed_number}{shuffle}"))

    assert found[1:] == found[:1] * 2
    assert found[0]


def _outcome(url: str, portions: list[list[Step]], name: str) -> set[tuple[str, frozenset[str]]]:
    """Store portion after portion, with a run after each, in a database of its own."""
    file = url.removeprefix("sqlite:///")
    shutil.copyfile(file, f"{file}.{name}")
    engine = open_engine(f"sqlite:///{file}.{name}")
    put(engine, seed)
    for portion in portions:
        put(engine, *portion)
        run(engine)
    outcome = live(engine)
    engine.dispose()
    return outcome


def test_a_twin_that_comes_late_makes_a_tie_of_what_was_matched(rail: Engine) -> None:
    put(rail, a_payment(1), an_entry(1, end_to_end_id="E2E1"))
    first = run(rail)
    put(rail, an_entry(2, end_to_end_id="E2E1"))

    ran = run(rail)

    assert (first.matched, ran.matched, ran.undone) == (1, 0, 1)
    assert live(rail) == set()
    assert (
        count(rail, "SELECT COUNT(*) FROM recon_match WHERE undone_reason LIKE 'looked at%'") == 1
    )


def test_a_reorg_reopens_the_match_and_it_heals_when_the_payment_is_back(rail: Engine) -> None:
    put(rail, a_payment(1), an_entry(1, end_to_end_id="E2E1"))
    run(rail)
    change(rail, "UPDATE settlement_match SET live = false, undone_at = 1")

    gone = run(rail)
    without = (live(rail), states(rail)["fp1"])
    put(rail, lambda session: matched_on_rail(session, 1, branch=1))
    back = run(rail)

    assert (gone.withdrawn, gone.reopened, without) == (1, 1, (set(), "open"))
    assert back.matched == 1
    assert live(rail) == {("payment-end-to-end", frozenset({"stl_1", "fp1"}))}
    assert (
        count(rail, "SELECT COUNT(*) FROM recon_match WHERE undone_reason LIKE '%orphaned%'") == 1
    )
    assert count(rail, "SELECT COUNT(*) FROM recon_record WHERE state = 'withdrawn'") == 1


def test_what_was_expected_and_is_cancelled_leaves(rail: Engine) -> None:
    put(
        rail,
        an_expectation(900, 1100, reference="A-1"),
        an_entry(1, 1000, creditor_reference="A-1"),
    )
    run(rail)
    change(rail, "UPDATE expected_payment SET cancelled_at = 1, cancelled_by = 't'")

    run(rail)

    assert states(rail) == {"exp_1": "withdrawn", "fp1": "open"}


def test_an_open_claim_follows_the_invoice(rail: Engine) -> None:
    put(rail, a_payment(5))
    change(rail, "UPDATE invoice SET state = 'ACCEPTED'")
    run(rail)
    change(rail, "UPDATE invoice SET settled_minor = 200, state = 'PARTLY_PAID'")
    run(rail)
    claims = {key: state for key, state in states(rail).items() if key.startswith("inv")}
    change(rail, "UPDATE invoice SET settled_minor = 0, state = 'ACCEPTED'")
    run(rail)

    assert claims == {"inv_5:1200": "withdrawn", "inv_5:1000": "open"}
    assert states(rail)["inv_5:1200"] == "open"
    assert states(rail)["inv_5:1000"] == "withdrawn"


def test_an_account_registered_later_concerns_earlier_payments_too(rail: Engine) -> None:
    change(rail, "UPDATE bank_account SET role = 'nostro' WHERE role = 'payout'")
    put(rail, a_payment(1))
    run(rail)
    change(
        rail,
        "INSERT INTO bank_account (id, owner_id, name, iban, servicer_bic, currency, role,"
        " payout_days, created_at) SELECT 'bka_new', owner_id, 'n', 'DE9', 'B', 'USD', 'payout', 2,"
        " 0"
        " FROM bank_account WHERE id = 'bka_seller'",
    )

    assert run(rail).added == 1


def test_the_database_refuses_a_record_in_two_live_matches(rail: Engine) -> None:
    put(rail, a_payment(1), an_entry(1, end_to_end_id="E2E1"))
    run(rail)

    with pytest.raises(IntegrityError):
        change(
            rail,
            "INSERT INTO recon_match (id, rule_id, score, reasons, kind, lead_id, size, live,"
            " created_at, created_by) VALUES (99, 'm', 1, '{}', 'manual', 2, 1, true, 0, 't');",
        )
        change(rail, "INSERT INTO recon_member (match_id, record_id, live) VALUES (99, 1, true)")
    assert count(rail, "SELECT COUNT(*) FROM recon_member WHERE live") == 2
