"""Schedules of faults with new seeds in every run: nothing breaks, and they are worth a look."""

import secrets
from collections.abc import Iterator

import pytest

from tests.simulation.campaign import SEEDS_PER_TASK, Tally, run_seeds
from tests.simulation.failpoints import FAILPOINTS
from tests.simulation.kinds import FAULT_KINDS
from tests.simulation.running import Simulator, a_simulator
from tests.simulation.sampling import require_sound, sampled

FURTHER_MAX = 30
"""Further tens of schedules until every kind of fault has been seen: the rarest come seldom."""


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with a_simulator() as opened:
        yield opened


@pytest.fixture(scope="module")
def sample(simulator: Simulator) -> Tally:
    return sampled(simulator)


@pytest.mark.slow
def test_no_schedule_breaks_anything_and_each_comes_to_its_end(sample: Tally) -> None:
    require_sound(sample)


@pytest.mark.slow
def test_a_schedule_is_long_enough_to_mean_something(sample: Tally) -> None:
    assert sample.median("steps") >= 80
    assert sample.median("settlements") >= 4
    assert sample.median("batches") >= 2
    assert sample.median("faults") >= 3
    assert sample.median("crashes") >= 1


@pytest.mark.slow
def test_every_kind_of_fault_is_injected_and_every_failpoint_passed(
    simulator: Simulator, sample: Tally
) -> None:
    faults, passed = set(sample.faults), set(sample.passed)
    for _ in range(FURTHER_MAX):
        if faults == FAULT_KINDS and passed == set(FAILPOINTS):
            break
        first = secrets.randbelow(10**9)
        more = run_seeds(simulator, range(first, first + SEEDS_PER_TASK))
        assert more.failing == []
        faults |= set(more.faults)
        passed |= set(more.passed)

    assert faults == FAULT_KINDS
    assert passed == set(FAILPOINTS)
    assert len(sample.crashed) > len(FAILPOINTS) / 2
