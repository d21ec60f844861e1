"""Runs go on after a kill at any commit, one at a time; people match, undo and split."""

from collections.abc import Callable

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from settlement.errors import Invalid, NotFound
from settlement.reconciliation import engine as matching
from settlement.store import reading, transaction
from settlement.store.bulk import rows
from tests.reconciliation.engine.world import (
    NOW,
    change,
    count,
    live,
    paid,
    run,
    seed,
    states,
    told,
)

PAYMENTS = 6


class Killed(Exception):
    """Stands for the end of the process: whatever was not committed is gone."""


def a_world(engine: Engine) -> None:
    with transaction(engine) as session:
        seed(session)
        for number in range(1, PAYMENTS + 1):
            paid(session, number, 1000 + number)
            told(session, number, 1000 + number, end_to_end_id=f"E2E{number}")
        told(session, 99, 1002)


def killed_at(step: int) -> Callable[[Session], None]:
    """A guard that lets `step` database transactions pass, and kills the next before it writes."""
    left = [step]

    def guard(_session: Session) -> None:
        if left[0] == 0:
            raise Killed
        left[0] -= 1

    return guard


def everything(engine: Engine) -> tuple[object, ...]:
    return (
        live(engine),
        states(engine),
        count(engine, "SELECT COUNT(*) FROM recon_record WHERE fresh"),
    )


def test_a_run_killed_at_any_commit_comes_to_the_same_end(engine: Engine) -> None:
    a_world(engine)
    kills = 0
    for step in range(100):
        try:
            matching.run(engine, NOW, chunk=2, guard=killed_at(step))
            break
        except Killed:
            kills += 1
    ends = everything(engine)

    assert kills >= 5
    assert ends[0] == {
        ("payment-end-to-end", frozenset({f"stl_{n}", f"fp{n}"})) for n in range(1, PAYMENTS + 1)
    }
    assert (ends[1]["fp99"], ends[2]) == ("open", 0)  # type: ignore[index]
    assert count(engine, "SELECT COUNT(*) FROM recon_match") == PAYMENTS
    assert count(engine, "SELECT COUNT(*) FROM recon_run WHERE state = 'running'") == 0


def test_of_two_runs_the_earlier_one_stops(engine: Engine) -> None:
    a_world(engine)
    began: list[bool] = []

    def second(_session: Session) -> None:
        began.append(True)
        if len(began) == 1:
            # What another process does between two commits of this one.
            change_run(_session)

    def change_run(session: Session) -> None:
        session.connection().exec_driver_sql("UPDATE recon_run SET state = 'superseded'")

    with pytest.raises(matching.RunSuperseded):
        matching.run(engine, NOW, guard=second)

    assert live(engine) == set()
    assert run(engine).matched == PAYMENTS


def test_a_whole_run_in_one_transaction_is_the_same(engine: Engine) -> None:
    a_world(engine)
    with transaction(engine) as session:
        ran = matching.run_within(session, NOW)

    assert (ran.matched, ran.added) == (PAYMENTS, 2 * PAYMENTS + 1)
    assert run(engine).looked_at == 0


@pytest.fixture
def left_over(engine: Engine) -> Engine:
    """A payment of 12.00, an entry of 11.80 and one of 12.00 in another currency; none matched."""
    with transaction(engine) as session:
        seed(session)
        paid(session, 1, 1200)
        told(session, 1, 1180, remittance="LESS FEE")
        told(session, 2, 1200, currency="EUR")
    run(engine)
    return engine


def ids(engine: Engine) -> dict[str, int]:
    with reading(engine) as session:
        return dict(rows(session, "SELECT origin, id FROM recon_record"))


def by_hand(engine: Engine, *origins: str, reason: str | None = None) -> int:
    chosen = [ids(engine)[origin] for origin in origins]
    with transaction(engine) as session:
        return matching.match_by_hand(session, chosen, actor="anna", reason=reason, now=NOW)


def test_sums_that_differ_are_matched_only_with_a_reason(left_over: Engine) -> None:
    with pytest.raises(Invalid, match=r"differ by 0\.200000 USD"):
        by_hand(left_over, "match_1", "bank:1")

    match_id = by_hand(left_over, "match_1", "bank:1", reason="the bank kept 0.20")
    again = run(left_over)

    assert live(left_over) == {("manual", frozenset({"stl_1", "fp1"}))}
    assert (again.matched, again.undone) == (0, 0)
    with transaction(left_over) as session:
        assert matching.unmatch(session, match_id, actor="bert", reason="wrong", now=NOW) == 2
    assert states(left_over)["stl_1"] == "open"
    with transaction(left_over) as session, pytest.raises(matching.MatchNotLive):
        matching.unmatch(session, match_id, actor="bert", reason="wrong", now=NOW)


REFUSED: dict[str, tuple[tuple[str, ...], type[Exception]]] = {
    "two currencies": (("match_1", "bank:2"), Invalid),
    "one alone": (("match_1",), Invalid),
    "one twice": (("match_1", "match_1"), Invalid),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_match_is_refused(left_over: Engine, kind: str) -> None:
    origins, error = REFUSED[kind]

    with pytest.raises(error):
        by_hand(left_over, *origins, reason="because")

    assert live(left_over) == set()


def test_what_is_matched_is_not_matched_again(left_over: Engine) -> None:
    by_hand(left_over, "match_1", "bank:1", reason="fee")

    with pytest.raises(matching.RecordNotOpen, match="matched"):
        by_hand(left_over, "match_1", "bank:1", reason="fee")
    with transaction(left_over) as session, pytest.raises(NotFound):
        matching.match_by_hand(session, [1, 999], actor="a", reason="r", now=NOW)


def test_a_part_of_a_split_record_is_matched_by_the_rules(left_over: Engine) -> None:
    whole = ids(left_over)["match_1"]
    with transaction(left_over) as session:
        parts = matching.split(session, whole, [11_800_000, 200_000], now=NOW)
    ran = run(left_over)
    with reading(left_over) as session:
        found = rows(session, "SELECT id, state FROM recon_record WHERE parent_id = ?", (whole,))

    assert ran.matched == 1
    assert dict(found) == {parts[0]: "matched", parts[1]: "open"}
    with transaction(left_over) as session, pytest.raises(matching.CannotBeSplit, match="matched"):
        matching.join(session, whole)


def test_a_split_is_taken_back_and_made_otherwise(left_over: Engine) -> None:
    whole = ids(left_over)["match_1"]
    with transaction(left_over) as session:
        matching.split(session, whole, [7_000_000, 5_000_000], now=NOW)
    with transaction(left_over) as session:
        matching.join(session, whole)
        made = matching.split(session, whole, [6_000_000, 6_000_000], now=NOW)

    assert len(made) == 2
    assert count(left_over, "SELECT COUNT(*) FROM recon_record WHERE state = 'split'") == 1


@pytest.mark.parametrize("parts", [[12_000_000], [13_000_000, -1_000_000], [1, 2], [12_000_000, 0]])
def test_what_is_no_split_is_refused(left_over: Engine, parts: list[int]) -> None:
    with transaction(left_over) as session, pytest.raises(matching.CannotBeSplit):
        matching.split(session, ids(left_over)["match_1"], parts, now=NOW)


def test_a_reorg_takes_the_parts_of_a_payment_with_it(left_over: Engine) -> None:
    with transaction(left_over) as session:
        matching.split(session, ids(left_over)["match_1"], [11_800_000, 200_000], now=NOW)
    run(left_over)
    change(left_over, "UPDATE settlement_match SET live = false, undone_at = 1")

    run(left_over)

    assert live(left_over) == set()
    assert count(left_over, "SELECT COUNT(*) FROM recon_record WHERE state = 'withdrawn'") == 3


def test_what_a_person_took_in_the_middle_of_a_run_leaves_its_partner_open(engine: Engine) -> None:
    with transaction(engine) as session:
        seed(session)
        paid(session, 1, 1001)
        told(session, 1, 1001, end_to_end_id="E2E1")
    steps: list[int] = []

    def guard(session: Session) -> None:
        steps.append(1)
        if len(steps) == 2:
            session.connection().exec_driver_sql(
                "UPDATE recon_record SET state = 'explained' WHERE source = 'bank'"
            )

    first = run(engine, guard=guard)
    between = states(engine)
    change(engine, "UPDATE recon_record SET state = 'open' WHERE source = 'bank'")
    run(engine)

    assert first.matched == 0
    assert between == {"stl_1": "open", "fp1": "explained"}
    assert states(engine) == {"stl_1": "matched", "fp1": "matched"}


def test_what_a_person_has_undone_no_run_matches_again(engine: Engine) -> None:
    with transaction(engine) as session:
        seed(session)
        paid(session, 1, 1001)
        told(session, 1, 1001, end_to_end_id="E2E1")
    run(engine)
    with transaction(engine) as session:
        ((match_id,),) = rows(session, "SELECT id FROM recon_match WHERE live")
        matching.unmatch(session, match_id, actor="bert", reason="another payment", now=NOW)

    again = run(engine)
    with transaction(engine) as session:
        told(session, 2, 1003)
    later = run(engine)

    assert (again.matched, later.matched, live(engine)) == (0, 0, set())
    assert states(engine)["stl_1"] == "open"
