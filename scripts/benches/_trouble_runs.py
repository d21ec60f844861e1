"""What the processes of `scripts/bench reconcile` do: store a world, reconcile it, judge it.

Each function is called in a process of its own; what it needs is imported there.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from scripts.benches._report import peak_rss_mb

STUCK_AFTER = timedelta(days=7)
TURNS_MAX = 10_000


@dataclass(frozen=True)
class Reconciled:
    """One run of the product in a process of its own."""

    stage_one_seconds: float
    engine_seconds: float
    by_time_seconds: float
    matched: int
    rss_mb: float

    @property
    def seconds(self) -> float:
        """What is measured: both stages with their breaks."""
        return self.stage_one_seconds + self.engine_seconds


@dataclass(frozen=True)
class Judged:
    """What was found in the base world, against its labels."""

    sources: dict[str, int]
    colliding_share: float
    digest: str
    precision: float
    recall: float
    matched: int
    wrong: list[str]
    missed: list[str]
    confusion: dict[str, dict[str, int]]
    variants: dict[str, list[int]]
    faults: list[str]


def set_up(url: str, rows: int, seed: int, shuffle: int | None) -> float:
    """Store the world, in another order of rows where `shuffle` says so; return the seconds."""
    from scripts.benches._trouble import NOW
    from scripts.benches._trouble_store import store
    from scripts.benches._trouble_world import build
    from settlement import bank
    from settlement.store import migrate, open_engine

    started = time.perf_counter()
    engine = open_engine(url)
    migrate(engine)
    world = build(rows, seed)
    store(engine, world if shuffle is None else world.shuffled(shuffle))
    bank.post_all(engine, NOW)
    engine.dispose()
    return time.perf_counter() - started


def reconcile(url: str) -> Reconciled:
    """The product: stage one, the engine, and the breaks that time alone makes."""
    from gateway.processes import collect_garbage_seldom
    from settlement.store import open_engine
    from settlement.store.checkpoints import checkpoints_beside

    engine = open_engine(url)
    # As the worker's process does when it starts.
    collect_garbage_seldom()
    with checkpoints_beside(engine):
        ran = _reconciled(engine)
    engine.dispose()
    return ran


def _reconciled(engine: Any) -> Reconciled:
    from scripts.benches._trouble import NOW
    from settlement import reconciliation
    from settlement.reconciliation import by_time
    from settlement.reconciliation.engine import run
    from settlement.store import transaction

    started = time.perf_counter()
    with transaction(engine) as session:
        matched = reconciliation.match(session, NOW).matched
    stage_one = time.perf_counter()
    ran = run(engine, NOW)
    both = time.perf_counter()
    with transaction(engine) as session:
        by_time.stuck(session, NOW, STUCK_AFTER)
        by_time.late_invoices(session, NOW)
    for _turn in range(TURNS_MAX):
        with transaction(engine) as session:
            before = _lateness(session)
            by_time.late_payments(session, NOW)
            if _lateness(session) == before:
                break
    ended = time.perf_counter()
    return Reconciled(
        stage_one - started, both - stage_one, ended - both, matched + ran.matched, peak_rss_mb()
    )


def judge(url: str, rows: int, seed: int) -> Judged:
    """Tie the balances out, and compare all that was found with the labels."""
    from scripts.benches._trouble import NOW
    from scripts.benches._trouble_balances import BalanceChain
    from scripts.benches._trouble_judge import found, score
    from scripts.benches._trouble_world import build, colliding_share, counts
    from settlement.reconciliation import tie_out, tie_out_banks
    from settlement.store import open_engine, transaction

    world = build(rows, seed)
    engine = open_engine(url)
    digest = found(engine).digest
    tie_out(engine, BalanceChain(world), NOW)  # type: ignore[arg-type]
    with transaction(engine) as session:
        tie_out_banks(session, NOW)
    judged = score(world.labels, found(engine))
    engine.dispose()
    return Judged(
        counts(world),
        colliding_share(world),
        digest,
        judged.precision,
        judged.recall,
        judged.matched,
        judged.wrong,
        judged.missed,
        judged.confusion,
        judged.variants,
        judged.faults,
    )


def shuffle_once(url: str, rows: int, seed: int, shuffle: int) -> tuple[str, float]:
    """Reconcile the same world in another order of rows; return its digest and the seconds."""
    from scripts.benches._trouble_judge import found
    from settlement.store import open_engine

    set_up(url, rows, seed, shuffle)
    seconds = reconcile(url).seconds
    engine = open_engine(url)
    digest = found(engine).digest
    engine.dispose()
    return digest, seconds


def _lateness(session: Any) -> Any:
    from settlement.store.bulk import rows

    return rows(session, "SELECT number FROM cursor WHERE name = 'lateness'")
