"""What the simulator itself must be: the same for the same seed, small when it fails, honest."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.simulation.campaign import Record, read_record, run_seeds
from tests.simulation.failpoints import FAILPOINTS, armed, resolved
from tests.simulation.running import Simulator, a_simulator
from tests.simulation.schedule import read_schedule, schedule_of
from tests.simulation.shrinking import shrink

_ROOT = Path(__file__).resolve().parents[2]
_DIGEST = (
    "import sys; from tests.simulation.running import run_schedule;"
    "print(*[run_schedule(int(seed)).digest for seed in sys.argv[1:]])"
)


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with a_simulator() as opened:
        yield opened


def test_a_seed_gives_the_same_event_log_in_every_process() -> None:
    logs = [
        subprocess.run(
            [sys.executable, "-c", _DIGEST, "11", "12", "13"],
            cwd=_ROOT,
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(_ROOT)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    ]

    assert logs[0] == logs[1]
    assert len(set(logs[0].split())) == 3


def test_a_schedule_that_was_written_down_runs_as_it_did(
    simulator: Simulator, tmp_path: Path
) -> None:
    schedule = schedule_of(21)
    schedule.write(tmp_path / "schedule.json")

    read = read_schedule(tmp_path / "schedule.json")

    assert read == schedule
    assert simulator.run(read).digest == simulator.run(schedule).digest


def test_a_schedule_means_something_with_any_part_left_out(simulator: Simulator) -> None:
    schedule = schedule_of(22)
    for part in (slice(0, None, 2), slice(1, None, 2), slice(9, None), slice(0, 0)):
        outcome = simulator.run(replace(schedule, actions=schedule.actions[part]))

        assert not outcome.failed, outcome.violations + outcome.unfinished


def test_shrinking_keeps_what_is_needed_and_no_more() -> None:
    schedule = schedule_of(23)
    needed = [schedule.actions[3], schedule.actions[-2]]

    small = shrink(schedule, lambda part: all(each in part.actions for each in needed))

    assert list(small.actions) == needed


def test_a_record_adds_up_over_runs(simulator: Simulator, tmp_path: Path) -> None:
    file = tmp_path / "record.json"
    record = read_record(file, 31)
    for seed in (31, 32):
        record.tally.add(run_seeds(simulator, [seed]))
        record.next_seed = seed + 1
        record.write(file)
        record = read_record(file, 99)

    assert isinstance(record, Record)
    assert (record.next_seed, record.tally.schedules) == (33, 2)
    both = run_seeds(simulator, [31, 32])
    assert both.figures()["faults_injected"] == record.tally.figures()["faults_injected"]
    assert (both.steps, both.counts) == (record.tally.steps, record.tally.counts)
    assert [file] == list(tmp_path.iterdir())


@pytest.mark.parametrize("point", FAILPOINTS.values(), ids=FAILPOINTS)
def test_a_failpoint_names_what_is_there(point) -> None:  # type: ignore[no-untyped-def]
    for target in (point.target, *point.also):
        assert callable(resolved(target)[2])
    assert point.moment in ("before", "after")


def test_nothing_is_left_of_the_failpoints_afterwards() -> None:
    before = [resolved(point.target)[2] for point in FAILPOINTS.values()]

    with armed(lambda _name: None):
        during = [resolved(point.target)[2] for point in FAILPOINTS.values()]

    after = [resolved(point.target)[2] for point in FAILPOINTS.values()]
    assert before == after
    assert not set(map(id, before)) & set(map(id, during))
