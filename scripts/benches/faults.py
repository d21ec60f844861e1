"""Schedules of faults over the real code: how many were run, what was injected, what was broken.

A seed decides everything of a schedule. One that fails is shrunken and written down; `--replay`
runs it again, `--seed N --schedules 1 --verbose` prints a schedule's whole event log. A step is one
action that did something: one stage of a tick of a worker that ran, one request to the gateway, one
event on the chain, by a person or the clock, one fault. The record of `--resume` adds up over runs.
"""

import argparse
import secrets
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from scripts.benches._report import commit, common, machine, peak_rss_mb, publish, say
from tests.simulation.campaign import Record, campaign, read_record
from tests.simulation.planted import catch
from tests.simulation.planted_all import BUGS
from tests.simulation.running import Outcome, a_simulator
from tests.simulation.schedule import Schedule, read_schedule, schedule_of
from tests.simulation.shrinking import shrink

WRITTEN_EVERY_SECONDS = 20
SHRUNK_MAX = 3


def main(argv: list[str]) -> int:
    asked = _parser().parse_args(argv)
    if asked.replay is not None:
        return _show(read_schedule(asked.replay))
    if asked.verbose:
        return _show(schedule_of(_seed(asked)))
    began = time.perf_counter()
    record = read_record(asked.resume, _seed(asked))
    first = record.next_seed
    say(f"seeds from {first} on, {asked.schedules} schedules")
    _run(record, asked)
    figures: dict[str, Any] = {
        **common(
            anvil=None,
            database="sqlite",
            seconds=record.tally.seconds,
            total_seconds=time.perf_counter() - began,
            rss_mb=peak_rss_mb(),
        ),
        "seeds": [run["seeds"] for run in record.runs],
        **record.tally.figures(),
    }
    if asked.planted:
        figures |= _planted()
    for seed, words in record.tally.failing[:SHRUNK_MAX]:
        if seed >= first:
            say(f"\nseed {seed}: {words}")
            _shrink(schedule_of(seed), asked.failures)
    publish(figures, asked.json)
    missed = figures.get("planted_bugs", 0) - figures.get("planted_bugs_caught", 0)
    return 1 if record.tally.violations or record.tally.unfinished or missed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/bench faults", description=__doc__)
    parser.add_argument("--schedules", type=int, default=300)
    parser.add_argument("--seed", type=int, help="the first seed; left out: a new one")
    parser.add_argument("--jobs", type=int, default=1, help="processes, each on one core")
    parser.add_argument("--resume", type=Path, help="a record that is gone on with and added to")
    parser.add_argument("--replay", type=Path, help="run a schedule that was written down")
    parser.add_argument("--failures", type=Path, help="where failing schedules are written")
    parser.add_argument("--planted", action="store_true", help="also plant every known bug")
    parser.add_argument("--verbose", action="store_true", help="one schedule, with its event log")
    parser.add_argument("--json", action="store_true")
    return parser


def _seed(asked: argparse.Namespace) -> int:
    return asked.seed if asked.seed is not None else secrets.randbelow(10**9)


def _run(record: Record, asked: argparse.Namespace) -> None:
    run = {"commit": commit(), "machine": machine(), "seeds": [record.next_seed, record.next_seed]}
    record.runs.append(run)
    written = time.monotonic()
    last = record.next_seed + asked.schedules
    for tally in campaign(record.next_seed, asked.schedules, asked.jobs):
        record.tally.add(tally)
        record.next_seed += tally.schedules
        run["seeds"][1] = record.next_seed - 1
        if time.monotonic() - written > WRITTEN_EVERY_SECONDS or record.next_seed == last:
            written = time.monotonic()
            found = record.tally
            say(
                f"{found.schedules} schedules, {found.steps} steps,"
                f" {found.violations} violations, {found.unfinished} unfinished"
            )
            if asked.resume is not None:
                record.write(asked.resume)


def _planted() -> dict[str, int]:
    """Plant each known bug in the protocol, one at a time, and count those that are caught."""
    caught = 0
    with a_simulator() as simulator:
        for bug in BUGS:
            found = catch(simulator, bug)
            caught += bool(found.after)
            say(f"planted: {bug.what}: {found.sentence[:120] or 'NOT CAUGHT'}")
    return {"planted_bugs": len(BUGS), "planted_bugs_caught": caught}


def _show(schedule: Schedule) -> int:
    """Run one schedule and print what happened."""
    with a_simulator() as simulator:
        outcome = simulator.run(schedule)
    print("\n".join(outcome.log))
    print(f"event log sha256 {outcome.digest}, first broken: {outcome.first_broken}")
    return 1 if outcome.failed else 0


def _shrink(schedule: Schedule, folder: Path | None) -> None:
    """Find a small schedule with the same thing broken, and say how to see it again."""
    with a_simulator() as simulator:
        found = simulator.run(schedule)
        if not found.failed:
            say("it did not fail again")
            return

        def is_broken(part: Schedule) -> bool:
            return _kind(simulator.run(part)) == _kind(found)

        small = shrink(schedule, is_broken)
        again = simulator.run(small)
    folder = folder or Path(tempfile.mkdtemp(prefix="schedules-"))
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"seed-{schedule.seed}.json"
    small.write(file)
    say(f"first broken: {again.first_broken}")
    for sentence in [*again.violations, *again.unfinished][:5]:
        say(f"  {sentence}")
    say(f"{len(small.actions)} of {len(schedule.actions)} actions: {small.setup}")
    for action in small.actions:
        say(f"  {' '.join(map(str, action))}")
    say(f"replay: scripts/bench faults --replay {file}")


def _kind(outcome: Outcome) -> str:
    return outcome.first_broken


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
