"""Real processes killed at every failpoint on a real anvil: nobody is paid twice, all is paid.

A campaign is a founded rail on SQLite or PostgreSQL with some schedules of kills, one after the
other; after each the checker judges. What every campaign showed is added to the record at once.
"""

from __future__ import annotations

import argparse
import functools
import multiprocessing
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.benches._kill_record import Record, with_outcomes
from scripts.benches._report import ROOT, common, publish, say

KILLS = 12
"""Kills in a schedule."""
SCHEDULES = 4
"""Schedules in a campaign."""
POSTGRES_EVERY = 3
"""Every third campaign is on PostgreSQL, where its binaries are."""
WEATHERS = (
    *("calm",) * 9, *("reorgs",) * 5, *("rpc",) * 5, *("database",) * 2, "disk", "zombie",
)  # fmt: skip
RECORD = ROOT / "docs/campaigns/kill.json"
"""What `--resume` adds to."""
LAST_RUN = ROOT / "build/kill.json"
RECOVERY_BAR, FIRST_SEND_BAR = 5.0, 10.0


@dataclass(frozen=True, slots=True)
class Campaign:
    """Which schedules, on which database."""

    seed: int
    first: int
    schedules: int
    database: str
    journal_rows: int = 0
    """Rows that the journal has before the first kill; with them the checker is not asked."""


def main(argv: list[str]) -> int:
    arguments = _arguments(argv)
    began = time.perf_counter()
    record = Record(arguments.record or (RECORD if arguments.resume else LAST_RUN))
    if not arguments.resume:
        record.forget()
    seed = secrets.randbelow(10**9) if arguments.seed is None else arguments.seed
    say(f"seed {seed}; replay one with --seed {seed} --first NUMBER --schedules 1")
    problems: list[str] = []
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(arguments.processes, mp_context=context) as pool:
        waiting: set[Future[Any]] = set()
        first = record.next_schedule(seed) if arguments.first is None else arguments.first
        for campaign in _campaigns(seed, first, arguments):
            waiting.add(pool.submit(_run, campaign))
            if len(waiting) > arguments.processes:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                problems += _taken(record, seed, done)
        problems += _taken(record, seed, wait(waiting).done)
    figures = common(
        anvil=record.facts.get("anvil"),
        database="sqlite (WAL, synchronous=FULL) and postgresql (synchronous_commit=on)",
        seconds=record.facts.get("seconds", 0.0),
        total_seconds=time.perf_counter() - began,
        rss_mb=record.facts.get("rss_mb", 0.0),
    )
    figures |= record.figures()
    problems += record.problems(recovery_bar=RECOVERY_BAR, first_send_bar=FIRST_SEND_BAR)
    for problem in problems:
        say(f"unsound or violated: {problem}")
    publish(figures, arguments.json)
    return 1 if problems else 0


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench kill", description=__doc__)
    parser.add_argument("--schedules", type=int, default=10, help=f"{KILLS} kills in each")
    parser.add_argument("--seed", type=int, help="default: a new one, printed")
    parser.add_argument("--first", type=int, help="number of the first schedule")
    parser.add_argument("--processes", type=int, default=1, help="campaigns at a time")
    parser.add_argument("--large", type=int, default=0, help="rows in the journal before it")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), help="default: both")
    parser.add_argument("--resume", action="store_true", help="add to what the record holds")
    parser.add_argument("--record", type=Path, help=f"default with --resume: {RECORD.name}")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(argv)


def _campaigns(seed: int, first: int, arguments: argparse.Namespace) -> Iterator[Campaign]:
    from tests.postgres import binaries_are_present

    every = POSTGRES_EVERY if binaries_are_present() else sys.maxsize
    end = first + arguments.schedules
    for place, start in enumerate(range(first, end, SCHEDULES), first // SCHEDULES):
        database = "postgresql" if place % every == every - 1 else "sqlite"
        count = min(SCHEDULES, end - start)
        yield Campaign(seed, start, count, arguments.database or database, arguments.large)


def _run(campaign: Campaign) -> dict[str, Any]:
    """Run a campaign in this process; a schedule that went wrong ends it."""
    from sqlalchemy.exc import OperationalError

    from settlement.errors import RailError
    from tests.simulation.real_journal import fill_journal
    from tests.simulation.real_lives import StillAlive
    from tests.simulation.real_rail import a_real_rail
    from tests.simulation.real_schedule import Outcome, Schedule, planned

    began = time.perf_counter()
    outcomes: list[Outcome] = []
    aborted: list[str] = []
    weathers = ("calm",) if campaign.journal_rows else WEATHERS
    numbers = range(campaign.first, campaign.first + campaign.schedules)
    with (
        tempfile.TemporaryDirectory(prefix="settle-kill-") as folder,
        a_real_rail(Path(folder), campaign.database) as rail,
    ):
        version = str(rail.chain.rpc.call("web3_clientVersion"))
        if campaign.journal_rows:
            say(f"{fill_journal(rail, _zygote(), campaign.journal_rows)} rows in the journal")
        for number in numbers:
            plan = planned(number, seed=campaign.seed, kills=KILLS, weathers=weathers)
            schedule = Schedule(rail, _zygote(), plan, asks_checker=not campaign.journal_rows)
            try:
                outcomes.append(schedule.run())
            except (RailError, OperationalError, StillAlive) as error:
                # Not the product's verdict but the end of this one: the machine stood still, or
                # a process did. It is told, and the campaign ends here.
                aborted.append(f"seed {plan.seed}, schedule {number}: {error!r:.500}")
                break
            if outcomes[-1].violations or outcomes[-1].unfinished:
                # Its database and what its processes said, for whoever looks for the cause.
                kept = LAST_RUN.with_name(f"kill-{campaign.seed}-{number}")
                shutil.copytree(folder, kept, ignore=_is_no_file, dirs_exist_ok=True)
                break
    return with_outcomes(
        outcomes,
        aborted=aborted,
        next_schedule=campaign.first + campaign.schedules,
        database=campaign.database,
        anvil=version,
        journal_rows=campaign.journal_rows,
        seconds=time.perf_counter() - began,
    )


def _is_no_file(folder: str, names: list[str]) -> set[str]:
    """Name what cannot be copied: sockets."""
    return {name for name in names if (Path(folder) / name).is_socket()}


@functools.cache
def _zygote() -> Any:
    """The preloaded parent of this process's campaigns; it ends with this process."""
    from tests.simulation.real_zygote import Zygote

    return Zygote()


def _taken(record: Record, seed: int, done: set[Future[Any]]) -> list[str]:
    """Add finished campaigns to the record; return what went against them."""
    problems: list[str] = []
    for future in done:
        found = future.result()
        record.add(seed, found)
        problems += found["violations"]
        say(
            f"{record.facts['schedules']} schedules, {sum(record.facts['kills'].values())} kills,"
            f" {len(record.facts['violations'])} violations ({found['database']},"
            f" {found['seconds']:.0f} s for {sum(found['kills'].values())} kills)"
        )
    return problems


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
