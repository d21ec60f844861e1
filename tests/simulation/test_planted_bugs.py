"""The machine can fail: bugs are planted in the protocol, and each is caught by what it breaks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.simulation.planted import Bug, catch, sound
from tests.simulation.planted_all import BUGS
from tests.simulation.planting import NothingToPlant, edited, worded
from tests.simulation.running import Simulator, a_simulator


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with a_simulator() as made:
        yield made


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.what)
def test_a_planted_bug_is_caught(simulator: Simulator, bug: Bug) -> None:
    caught = catch(simulator, bug)

    assert caught.after, f"no schedule shows: {bug.what}"


def test_the_schedules_that_show_the_bugs_are_sound_without_them(simulator: Simulator) -> None:
    assert sound(simulator, BUGS) == []


def test_each_invariant_has_bugs_of_its_own() -> None:
    breaking = Counter(name for bug in BUGS for name in bug.breaks)

    assert len(BUGS) >= 60
    assert len({bug.what for bug in BUGS}) == len(BUGS)
    for number in range(1, 12):
        assert breaking[f"I{number}"] >= 2, f"I{number}"


def test_what_is_gone_from_the_product_is_not_planted() -> None:
    for patch in (
        edited("settlement.sender.fees:raised", ("no such words", "")),
        worded("settlement.sender.broadcast:_DUE", ("no such words", "")),
        worded("gateway.idempotency:TWIN_WAIT_SECONDS", ("2", "3")),
    ):
        with pytest.raises((NothingToPlant, TypeError)), patch():
            raise AssertionError("it was planted")
    with pytest.raises((AttributeError, KeyError)), edited("settlement.money:no_such", ("", ""))():
        raise AssertionError("it was planted")
