"""The other half of the schedules with new seeds, for the other core."""

from collections.abc import Iterator

import pytest

from tests.simulation.campaign import Tally
from tests.simulation.running import Simulator, a_simulator
from tests.simulation.sampling import require_sound, sampled


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with a_simulator() as opened:
        yield opened


@pytest.fixture(scope="module")
def sample(simulator: Simulator) -> Tally:
    return sampled(simulator)


@pytest.mark.slow
def test_no_further_schedule_breaks_anything(sample: Tally) -> None:
    require_sound(sample)
