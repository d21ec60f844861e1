"""Schedules that nobody has seen before: a sample of them for one test file.

Three hundred in all are shared out between files, so that two cores run them side by side.
"""

from __future__ import annotations

import secrets

from tests.simulation.campaign import SEEDS_PER_TASK, Tally, run_seeds
from tests.simulation.running import Simulator

SCHEDULES = 150


def sampled(simulator: Simulator) -> Tally:
    """Run schedules from a new seed on, and print it."""
    first = secrets.randbelow(10**9)
    print(f"\nfirst seed {first}; once more: scripts/bench faults --seed {first}")
    tally = Tally()
    for start in range(first, first + SCHEDULES, SEEDS_PER_TASK):
        tally.add(run_seeds(simulator, range(start, start + SEEDS_PER_TASK)))
    return tally


def require_sound(sample: Tally) -> None:
    """Fail where anything was broken or left open; the sentences name the seeds."""
    assert sample.schedules == SCHEDULES
    assert sample.failing == []
    assert (sample.violations, sample.unfinished) == (0, 0)
