"""How fast and how rightly a world of payments over four sources is reconciled, from scratch.

A seeded world with every kind of trouble is stored, then one process matches it as the worker does:
stage one over all settlements, the engine over all records, breaks stored. The answers stand
outside the database. The yardstick is a plain outer join of the same rows in DuckDB.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Protocol

from scripts.benches._report import common, publish, say
from scripts.benches._trouble_runs import Judged, Reconciled, judge, reconcile, set_up, shuffle_once

SHUFFLES = 20
AT_ONCE = 2
"""Shuffles that run beside each other: they are not what is timed."""
FAULTS_SHOWN = 20
EXAMPLE = "example: scripts/bench reconcile --rows 100000 --seed 1 --json"


def main(argv: list[str]) -> int:
    options = _options(argv)
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, _databases(options.database, folder) as databases:
        url = databases.fresh("base")
        say(f"storing a world of {options.rows:,} payments (seed {options.seed})")
        set_up_seconds = _apart(set_up, url, options.rows, options.seed, None)
        os.sync()  # What set-up wrote is on the disk before anything is timed.
        say(f"stored in {set_up_seconds:.1f} s; reconciling")
        ran: Reconciled = _apart(reconcile, url)
        say(f"reconciled in {ran.seconds:.2f} s, {ran.rss_mb:.0f} MB; judging")
        judged: Judged = _apart(judge, url, options.rows, options.seed)
        floor = _apart(_floor, url)
        shuffled = _shuffle(options, databases, judged.digest)
    figures = _figures(options, ran, judged, floor, shuffled, time.perf_counter() - started)
    publish(figures, options.json)
    for fault in (*judged.wrong, *judged.faults)[:FAULTS_SHOWN]:
        say(f"not right: {fault}")
    return 0 if _is_sound(options, judged, floor, shuffled) else 1


def _floor(url: str) -> tuple[float, int] | None:
    from scripts.benches._trouble_floor import join_seconds

    return join_seconds(url)


def _shuffle(
    options: argparse.Namespace, databases: Databases, digest: str
) -> list[tuple[bool, float]]:
    """Reconcile each shuffled world in a database of its own, and compare with the first order."""
    rows = options.shuffle_rows
    if options.shuffles and rows != options.rows:
        # The first order of a smaller world is a run like every other.
        digest, _seconds = _apart(shuffle_once, databases.fresh("first"), rows, options.seed, 0)
    done = []
    with ProcessPoolExecutor(
        AT_ONCE, mp_context=get_context("spawn"), max_tasks_per_child=1
    ) as pool:
        turns = {}
        for turn in range(1, options.shuffles + 1):
            url = databases.fresh(f"shuffle{turn}")
            turns[pool.submit(shuffle_once, url, rows, options.seed, turn)] = turn
        for ran in as_completed(turns):
            found, seconds = ran.result()
            databases.drop(f"shuffle{turns[ran]}")
            done.append((found == digest, seconds))
            same = "identical" if found == digest else "DIFFERENT"
            say(f"shuffle {turns[ran]}: {same} ({len(done)} of {options.shuffles})")
    return done


def _figures(
    options: argparse.Namespace,
    ran: Reconciled,
    judged: Judged,
    floor: tuple[float, int] | None,
    shuffled: list[tuple[bool, float]],
    total_seconds: float,
) -> dict[str, Any]:
    database = {"sqlite": "sqlite (WAL, synchronous=FULL)"}.get(options.database, options.database)
    return {
        **common(
            anvil=None, database=database, seconds=ran.seconds, total_seconds=total_seconds,
            rss_mb=ran.rss_mb,
        ),
        "rows": options.rows,
        "seed": options.seed,
        "sources": judged.sources,
        "colliding_percent": round(100 * judged.colliding_share, 1),
        **{name: round(value, 3) for name, value in asdict(ran).items() if "seconds" in name},
        "matched": judged.matched,
        "precision": judged.precision,
        "recall": judged.recall,
        "wrong_matches": len(judged.wrong),
        "missed_matches": len(judged.missed),
        "confusion": judged.confusion,
        "variants": judged.variants,
        "breaks_not_right": len(judged.faults),
        "shuffles_identical": sum(is_same for is_same, _seconds in shuffled),
        "shuffles": options.shuffles,
        "shuffle_rows": options.shuffle_rows,
        "shuffle_seconds": round(statistics.median([s for _, s in shuffled] or [0.0]), 3),
        "join_floor_seconds": None if floor is None else round(floor[0], 4),
        "ratio_to_join": None if floor is None else round(ran.seconds / floor[0], 1),
    }  # fmt: skip


def _is_sound(
    options: argparse.Namespace,
    judged: Judged,
    floor: tuple[float, int] | None,
    shuffled: list[tuple[bool, float]],
) -> bool:
    """Whether the figures mean what they say; not whether they are good."""
    faults = []
    if min(judged.sources.values()) < options.rows:
        faults.append(f"a source has fewer than {options.rows} rows: {judged.sources}")
    if judged.colliding_share < 0.1:
        faults.append(f"only {judged.colliding_share:.1%} of the payments have a twin")
    if judged.matched == 0 or len(shuffled) != options.shuffles:
        faults.append("nothing was matched, or a shuffle is missing")
    if floor is None:
        faults.append("not run: no DuckDB to measure the floor with; scripts/setup installs it")
    elif floor[1] == 0:
        faults.append("the yardstick joined nothing")
    for fault in faults:
        say(f"unsound: {fault}")
    return not faults


class Databases(Protocol):
    """Where databases come from that nobody has used."""

    def fresh(self, name: str) -> str:
        """The URL of an empty database."""

    def drop(self, name: str) -> None:
        """Remove a database; a disk does not hold all the shuffles."""


@dataclass(frozen=True)
class _Files:
    folder: Path

    def fresh(self, name: str) -> str:
        return f"sqlite:///{self.folder / name}.sqlite3"

    def drop(self, name: str) -> None:
        for file in self.folder.glob(f"{name}.sqlite3*"):
            file.unlink()


@dataclass(frozen=True)
class _Server:
    server: Any

    def fresh(self, name: str) -> str:
        self.server.create(name)
        return str(self.server.url(name))

    def drop(self, name: str) -> None:
        self.server.drop(name)


@contextmanager
def _databases(kind: str, folder: str) -> Iterator[Databases]:
    if kind == "sqlite":
        yield _Files(Path(folder))
        return
    from tests.postgres import DURABLE, start_postgres

    server = start_postgres(DURABLE)
    try:
        yield _Server(server)
    finally:
        server.stop()


def _apart(function: Any, *arguments: Any) -> Any:
    """Run in a fresh process: its memory and caches are its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def _options(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/bench reconcile", description=__doc__, epilog=EXAMPLE
    )
    parser.add_argument("--rows", type=int, default=100_000, help="payments; at least 200")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--shuffles", type=int, default=SHUFFLES)
    parser.add_argument("--shuffle-rows", type=int, help="payments of a shuffled world; as --rows")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(argv)
    options.shuffle_rows = options.shuffle_rows or options.rows
    return options
