"""Many schedules, added up: over processes, over runs, in a record that survives being stopped.

Measures nothing but the time that the schedules take.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import orjson

from gateway.processes import collect_garbage_seldom
from tests.simulation.failpoints import FAILPOINTS
from tests.simulation.kinds import FAULT_KINDS
from tests.simulation.running import Outcome, Simulator, a_simulator
from tests.simulation.schedule import schedule_of

SEEDS_PER_TASK = 10
SHOWN_MAX = 20
_MEDIANS = ("steps", "settlements", "batches", "faults", "crashes")


@dataclass(slots=True)
class Tally:
    """What a number of schedules came to; sums and histograms, so that two tallies add up."""

    schedules: int = 0
    steps: int = 0
    seconds: float = 0.0
    """Of all processes together: what one core would have taken."""
    cpu_seconds: float = 0.0
    violations: int = 0
    """Schedules in which something was broken."""
    unfinished: int = 0
    """Schedules that did not come to their end."""
    blocks_to_end_max: int = 0
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    """Per measure how many schedules had how many: medians are read from it."""
    faults: dict[str, int] = field(default_factory=dict)
    passed: dict[str, int] = field(default_factory=dict)
    crashed: dict[str, int] = field(default_factory=dict)
    states: dict[str, int] = field(default_factory=dict)
    failing: list[list[Any]] = field(default_factory=list)
    """Seed and first words of what was wrong."""

    def take(self, outcome: Outcome) -> None:
        """Count one schedule."""
        self.schedules += 1
        self.steps += outcome.steps
        self.violations += bool(outcome.violations)
        self.unfinished += bool(outcome.unfinished)
        self.blocks_to_end_max = max(self.blocks_to_end_max, outcome.blocks_to_end)
        measured = {
            "steps": outcome.steps,
            "settlements": outcome.settlements,
            "batches": outcome.batches,
            "faults": outcome.faults.total(),
            "crashes": outcome.crashes,
        }
        for name, value in measured.items():
            _add(self.counts.setdefault(name, {}), {str(value): 1})
        _add(self.faults, outcome.faults)
        _add(self.passed, outcome.passed)
        _add(self.crashed, outcome.crashed)
        _add(self.states, outcome.states)
        if outcome.failed and len(self.failing) < SHOWN_MAX:
            words = [*outcome.violations, *outcome.unfinished][0]
            self.failing.append([outcome.schedule.seed, words[:300]])

    def add(self, other: Tally) -> None:
        """Add what other schedules came to."""
        for name in ("schedules", "steps", "seconds", "cpu_seconds", "violations", "unfinished"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.blocks_to_end_max = max(self.blocks_to_end_max, other.blocks_to_end_max)
        for name, histogram in other.counts.items():
            _add(self.counts.setdefault(name, {}), histogram)
        for name in ("faults", "passed", "crashed", "states"):
            _add(getattr(self, name), getattr(other, name))
        self.failing = (self.failing + other.failing)[:SHOWN_MAX]

    def median(self, name: str) -> int:
        """Return the median of a measure: the lower of the two in the middle."""
        histogram = self.counts.get(name, {})
        left = (sum(histogram.values()) + 1) // 2
        for value in sorted(map(int, histogram)):
            left -= histogram[str(value)]
            if left <= 0:
                return value
        return 0

    def figures(self) -> dict[str, Any]:
        """Return what the bench prints."""
        medians = {f"{name}_median": self.median(name) for name in _MEDIANS}
        return {
            "schedules": self.schedules,
            "steps": self.steps,
            "steps_per_second": round(self.steps / self.seconds) if self.seconds else 0,
            "steps_per_cpu_second": round(self.steps / self.cpu_seconds) if self.seconds else 0,
            **medians,
            "faults_injected": dict(sorted(self.faults.items())),
            "faults_never_injected": sorted(FAULT_KINDS - set(self.faults)),
            "failpoints_never_passed": sorted(set(FAILPOINTS) - set(self.passed)),
            "crashed_at": dict(sorted(self.crashed.items())),
            "states": dict(sorted(self.states.items())),
            "blocks_to_end_max": self.blocks_to_end_max,
            "violations": self.violations,
            "unfinished": self.unfinished,
            "failing": self.failing,
        }


@dataclass(slots=True)
class Record:
    """What has been run so far, by which runs."""

    next_seed: int
    tally: Tally = field(default_factory=Tally)
    runs: list[dict[str, Any]] = field(default_factory=list)

    def write(self, path: Path) -> None:
        """Write it down as a whole, or not at all."""
        draft = path.with_name(f"{path.name}.{os.getpid()}.new")
        with draft.open("wb") as stream:
            stream.write(orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2))
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(path)


def read_record(path: Path | None, first_seed: int) -> Record:
    """Return the record of earlier runs, or one that begins."""
    if path is None or not path.exists():
        return Record(first_seed)
    plain = orjson.loads(path.read_bytes())
    return Record(plain["next_seed"], Tally(**plain["tally"]), plain["runs"])


def run_seeds(simulator: Simulator, seeds: Sequence[int]) -> Tally:
    """Run the schedules of some seeds, one after the other."""
    tally = Tally()
    began, worked = time.perf_counter(), time.process_time()
    for seed in seeds:
        tally.take(simulator.run(schedule_of(seed)))
    tally.seconds = time.perf_counter() - began
    tally.cpu_seconds = time.process_time() - worked
    return tally


def campaign(first: int, count: int, jobs: int) -> Iterator[Tally]:
    """Yield tallies of pieces, in the order of their seeds, until `count` schedules have run."""
    pieces = [
        range(start, min(start + SEEDS_PER_TASK, first + count))
        for start in range(first, first + count, SEEDS_PER_TASK)
    ]
    if jobs == 1:
        collect_garbage_seldom()
        with a_simulator() as simulator:
            for piece in pieces:
                yield run_seeds(simulator, piece)
        return
    with ProcessPoolExecutor(jobs, get_context("spawn"), initializer=_open) as pool:
        yield from pool.map(_run, pieces)


_opened: list[Simulator] = []


def _open() -> None:
    """Make a simulator that lives as long as this process."""
    collect_garbage_seldom()
    stack = ExitStack()
    _opened.append(stack.enter_context(a_simulator()))
    # The folder lies in memory: it has to go when the process does.
    import multiprocessing.util

    multiprocessing.util.Finalize(None, stack.close, exitpriority=10)


def _run(seeds: Sequence[int]) -> Tally:
    return run_seeds(_opened[0], seeds)


def _add(sums: dict[str, int], more: Counter[str] | dict[str, int]) -> None:
    for name, count in more.items():
        sums[name] = sums.get(name, 0) + count
