"""A small world with every trouble planted once: each is found as what it is, and nothing else."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from scripts.benches._trouble import MICRO_PER_CENT, NOW, World
from scripts.benches._trouble_balances import BalanceChain
from scripts.benches._trouble_judge import NOTHING, Found, Score, found, score
from scripts.benches._trouble_store import store
from scripts.benches._trouble_world import build, colliding_share, counts
from settlement import bank, reconciliation
from settlement.reconciliation import by_time
from settlement.reconciliation import engine as matching_engine
from settlement.store import migrate, open_engine, transaction
from settlement.store.bulk import rows

ROWS = 240
SEEDS = (1, 2, 3)
KINDS_AT_LEAST = 15
STUCK_AFTER = timedelta(days=7)


def reconciled(engine: Engine, world: World) -> Found:
    """Store a world and reconcile it as the worker does."""
    store(engine, world)
    bank.post_all(engine, NOW)
    reconcile_again(engine, world)
    return found(engine)


def reconcile_again(engine: Engine, world: World) -> None:
    with transaction(engine) as session:
        reconciliation.match(session, NOW)
    matching_engine.run(engine, NOW)
    with transaction(engine) as session:
        by_time.stuck(session, NOW, STUCK_AFTER)
        by_time.late_invoices(session, NOW)
        by_time.late_payments(session, NOW)
    reconciliation.tie_out(engine, BalanceChain(world), NOW)  # type: ignore[arg-type]
    with transaction(engine) as session:
        reconciliation.tie_out_banks(session, NOW)


def judged(engine: Engine, world: World) -> Score:
    return score(world.labels, reconciled(engine, world))


@pytest.mark.parametrize("seed", SEEDS)
def test_every_trouble_is_found_as_what_it_is_and_nothing_else(engine: Engine, seed: int) -> None:
    print(f"seed {seed}", file=sys.stderr)

    what = judged(engine, build(ROWS, seed))

    assert what.faults == []
    assert (what.wrong, what.missed) == ([], [])
    assert (what.precision, what.recall) == (1.0, 1.0)
    assert all(list(found_as) == [kind] for kind, found_as in what.confusion.items())
    assert len(what.confusion) >= KINDS_AT_LEAST


def test_the_same_world_in_another_order_of_rows_gives_the_same_answers(
    engine: Engine, bare_sqlite_url: str
) -> None:
    world = build(ROWS, 4)
    other = open_engine(bare_sqlite_url)
    migrate(other)

    first = reconciled(engine, world.shuffled(1))
    second = reconciled(other, world.shuffled(2))

    assert first.digest == second.digest
    other.dispose()


def test_a_second_run_finds_the_same_and_opens_nothing_twice(engine: Engine) -> None:
    world = build(ROWS, 5)
    before = reconciled(engine, world)

    reconcile_again(engine, world)

    assert found(engine).digest == before.digest
    with transaction(engine) as session:
        assert rows(
            session, "SELECT COUNT(*) FROM settlement_break WHERE closed_at IS NOT NULL"
        ) == [(0,)]


def test_no_label_reaches_the_database(engine: Engine) -> None:
    world = build(ROWS, 6)
    store(engine, world)
    variants = {planted.variant for planted in world.labels.breaks} - {"currency", "late", "fee"}

    with transaction(engine) as session:
        told = [
            text
            for table, column in (
                ("bank_entry", "remittance"), ("bank_entry", "counterparty_name"),
                ("expected_payment", "counterparty"), ("settlement", "reason"),
                ("invoice", "reason"),
            )
            for (text,) in rows(session, f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL")
        ]  # fmt: skip

    assert told
    assert not [(text, word) for text in told for word in variants if word in text.lower()]


@pytest.mark.parametrize("size", (ROWS, 5_000))
def test_a_world_has_as_many_rows_in_each_source_and_enough_twins(size: int) -> None:
    world = build(size, 7)

    assert min(counts(world).values()) >= size
    assert colliding_share(world) >= 0.1
    assert len({planted.kind for planted in world.labels.breaks}) >= KINDS_AT_LEAST


def test_a_break_of_another_kind_than_planted_is_no_right_answer(engine: Engine) -> None:
    """The judge itself: a wrong kind, a wrong match and a missing one are each told."""
    world = build(ROWS, 8)
    what = reconciled(engine, world)
    stolen = what.breaks[0]
    what.breaks[0] = replace(stolen, kind="unmatched")
    keys = next(iter(what.matches))
    rule = what.matches.pop(keys)
    what.matches[frozenset({*keys, "bank:nobody"})] = rule

    told = score(world.labels, what)

    assert "unmatched" in told.confusion[stolen.kind]
    assert len(told.wrong) == 1
    assert len(told.missed) == 1
    assert not told.is_right


def test_a_trouble_that_was_not_found_is_told(engine: Engine) -> None:
    world = build(ROWS, 9)
    what = reconciled(engine, world)
    hidden = next(each for each in what.breaks if each.kind == "short")
    what.breaks.remove(hidden)

    told = score(world.labels, what)

    assert told.confusion["short"] == {NOTHING: 1}
    assert not told.is_right


def test_what_was_planted_in_balances_is_in_cents(engine: Engine) -> None:
    world = build(ROWS, 10)
    store(engine, world)

    with transaction(engine) as session:
        ((odd,),) = rows(
            session,
            "SELECT COUNT(*) FROM chain_log WHERE amount_minor - amount_minor / ? * ? <> 0",
            (MICRO_PER_CENT, MICRO_PER_CENT),
        )

    assert odd == 0
