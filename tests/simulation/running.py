"""One schedule from its beginning to the checker's verdict: faults on, faults off, judged.

The product is patched only by its failpoints, and by the bugs that a caller plants.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from settlement.verify import judging
from settlement.verify.rpc import NotJudged
from tests.builders.memory_node import MemoryNode
from tests.simulation.driver import Driver
from tests.simulation.failpoints import armed
from tests.simulation.schedule import Schedule, schedule_of
from tests.simulation.template import found_template
from tests.simulation.world import Files, World

ROUNDS_MAX = 60
"""Rounds after the faults have ceased: a tick, then blocks; a cancel and a new batch fit twice."""
STEPS_PER_TICK_MAX = 12
BLOCKS_PER_ROUND = 2

Patch = Callable[[], AbstractContextManager[object]]
"""Makes a context in which a function of the product is replaced."""

_OPEN = (
    "SELECT (SELECT COUNT(*) FROM settlement WHERE state NOT IN"
    " ('SETTLED', 'REJECTED', 'CANCELLED', 'HELD', 'NEEDS_REVIEW'))"
    " + (SELECT COUNT(*) FROM chain_tx WHERE state NOT IN ('FINAL', 'REVERTED', 'REPLACED'))"
    " AS open"
)
_BATCHES = "SELECT COUNT(*) AS batches FROM chain_tx WHERE kind = 'pay'"
_STATES = "SELECT id, state, reason FROM settlement ORDER BY id"
_LAST_ENTRY = "SELECT seq, hash FROM journal_entry ORDER BY seq DESC LIMIT 1"


@dataclass(slots=True)
class Outcome:
    """What one schedule came to. Equal seeds and code give equal outcomes, to the byte."""

    schedule: Schedule
    violations: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    steps: int = 0
    settlements: int = 0
    batches: int = 0
    blocks_to_end: int = 0
    """Blocks after the faults had ceased until nothing was open."""
    faults: Counter[str] = field(default_factory=Counter)
    passed: Counter[str] = field(default_factory=Counter)
    crashed: Counter[str] = field(default_factory=Counter)
    """Failpoints at which a worker or a gateway died."""
    states: Counter[str] = field(default_factory=Counter)

    @property
    def failed(self) -> bool:
        """Whether anything is wrong."""
        return bool(self.violations or self.unfinished)

    @property
    def first_broken(self) -> str:
        """The name of the first thing that is wrong: before the first colon."""
        return [*self.violations, *self.unfinished, "nothing"][0].partition(":")[0]

    @property
    def digest(self) -> str:
        """A hash of the whole event log."""
        return hashlib.sha256("\n".join(self.log).encode()).hexdigest()

    @property
    def crashes(self) -> int:
        """Processes that died."""
        return self.faults["crash.worker"] + self.faults["crash.gateway"] + self.faults["kill"]


class Simulator:
    """Runs schedules one after the other in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._files = Files(found_template(folder), folder)
        self._driver: Driver | None = None

    def passes(self, name: str) -> None:
        """Hear of a failpoint, on behalf of whoever runs."""
        if self._driver is None:
            return
        world, door = self._driver.world, self._driver.door
        if world.running is not None:
            world.passed[name] += 1
            world.running.passes(name)
        elif door.is_open:
            world.passed[name] += 1
            door.passes(name)

    def run(self, schedule: Schedule, patches: Sequence[Patch] = ()) -> Outcome:
        """Run one schedule on a fresh copy of the world."""
        world = World(self._files, schedule.seed, schedule.setup)
        self._driver = driver = Driver(world)
        outcome = Outcome(schedule)
        try:
            with ExitStack() as planted:
                for patch in patches:
                    planted.enter_context(patch())
                for action in schedule.actions:
                    driver.perform(action)
                driver.recover()
                _finish(driver, outcome)
            _judge(driver, outcome)
        finally:
            world.end()
            self._driver = None
        return outcome


@contextmanager
def a_simulator() -> Iterator[Simulator]:
    """A simulator whose files are gone afterwards; in memory where the system has such a place.

    The files are real and every commit is synchronous, as shipped; only the disk is not waited for.
    """
    memory = Path("/dev/shm")
    parent = memory if memory.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="simulated-", dir=parent) as folder:
        simulator = Simulator(Path(folder))
        with armed(simulator.passes):
            yield simulator


def run_schedule(seed: int, patches: Sequence[Patch] = ()) -> Outcome:
    """Run the schedule of a seed in a world of its own, with bugs planted by `patches`."""
    with a_simulator() as simulator:
        return simulator.run(schedule_of(seed), patches)


def _finish(driver: Driver, outcome: Outcome) -> None:
    """Without faults: as many workers as the lanes need go on until nothing is open."""
    world = driver.world
    first = world.chain.head().number
    if world.places[1].life is not None:
        _to_idle(driver, 1)
    workers = (0, 1)
    if world.setup.worker_lanes_max >= world.setup.lanes:
        workers = (0,)
        driver.perform(["kill", 1])
        world.later(6_000)
    for _ in range(ROUNDS_MAX):
        if not world.rows(_OPEN)[0].open:
            break
        _round(driver, workers, BLOCKS_PER_ROUND)
    outcome.blocks_to_end = world.chain.head().number - first
    for _ in range(3):  # What is matched and tied out comes after what is final.
        _round(driver, workers, 1)
    for number in workers:
        _to_idle(driver, number)


def _round(driver: Driver, workers: Sequence[int], blocks: int) -> None:
    for number in workers:
        _to_idle(driver, number)
    driver.perform(["mine", blocks, 1000])


def _to_idle(driver: Driver, number: int) -> None:
    """Let a worker end its tick."""
    place = driver.world.places[number]
    for _ in range(STEPS_PER_TICK_MAX):
        driver.perform(["step", number])
        if place.life is None or place.life.at == "idle":
            return


def _judge(driver: Driver, outcome: Outcome) -> None:
    """Ask the checker, look for what is left open, and write down what it all came to."""
    world = driver.world
    for row in world.rows(_STATES):
        outcome.states[row.state] += 1
        world.log.append(f"{row.id} {row.state} {row.reason or ''}")
        if row.state in ("HELD", "NEEDS_REVIEW") and not row.reason:
            outcome.unfinished.append(f"{row.id}: {row.state} without a reason")
    for heard in driver.door.heard:
        wrong = driver.door.again(heard)
        if wrong:
            driver.violations.append(f"I5: {wrong}")
    driver.violations += driver.door.bugs + _effects(driver)
    for tx_hash in world.unstored:
        driver.violations.append(f"I9: {tx_hash} was handed to a node before it was stored")
    outcome.violations += driver.violations
    try:
        found = judging.violations(
            str(world.engine.url),
            MemoryNode(world.chain),
            quiescent=True,
            booking_tiers=tuple(
                (tier.from_units, tier.confirmations) for tier in world.settings.booking_tiers
            ),
        )
    except NotJudged as error:
        outcome.violations.append(f"not judged: {error}")
        found = []
    for finding in found:
        for sentence in finding.offenders or ["not judged"]:
            told = f"{finding.name}: {sentence}"
            (outcome.unfinished if finding.name == "I11" else outcome.violations).append(told)
    entries = world.rows(_LAST_ENTRY)
    world.log += outcome.violations + outcome.unfinished
    world.log.append(f"journal {entries[0].seq} {entries[0].hash}, {world.chain.head().hash}")
    outcome.log, outcome.steps = world.log, driver.steps
    outcome.faults, outcome.passed, outcome.crashed = world.faults, world.passed, world.crashed
    outcome.settlements = sum(outcome.states.values())
    outcome.batches = world.rows(_BATCHES)[0].batches


def _effects(driver: Driver) -> list[str]:
    """Compare what clients were told was instructed with what there is: each once."""
    told = Counter(
        each["id"]
        for heard in driver.door.heard
        if heard.request.command == "settlements" and heard.status < 300
        for each in orjson.loads(heard.body)["data"]
    )
    there = {row.id for row in driver.world.rows(_STATES)}
    wrong = [f"I5: {key} was acknowledged, and is not there" for key in sorted(told.keys() - there)]
    wrong += [f"I6: {key} is there, and no answer names it" for key in sorted(there - told.keys())]
    return wrong + [f"I6: {count} answers name {key}" for key, count in told.items() if count > 1]
