"""Schedules that once showed something wrong, in the product or in who judges it."""

from collections.abc import Iterator

import pytest

from tests.simulation.running import Simulator, a_simulator
from tests.simulation.schedule import schedule_of

SEEDS = {
    200737: "a worker claims what another has cleared a moment later, by its own clock",
    200789: "the same, with the clock going on while the first worker stands still",
}


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with a_simulator() as opened:
        yield opened


@pytest.mark.parametrize("seed", SEEDS, ids=str)
def test_a_schedule_that_once_failed_is_sound(simulator: Simulator, seed: int) -> None:
    outcome = simulator.run(schedule_of(seed))

    assert not outcome.failed, outcome.violations + outcome.unfinished
