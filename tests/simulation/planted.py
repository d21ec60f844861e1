"""Deliberate bugs in the protocol, each with the invariant that it breaks: the machine can fail.

A bug is planted from outside (`planting`), and the simulator runs schedules until one is violated.
They are listed by theme beside this; `planted_all` has all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.simulation.planting import Patch
from tests.simulation.running import Outcome, Simulator
from tests.simulation.schedule import Action, Schedule, schedule_of

WITHIN = 40
"""Schedules in which each bug has to be caught, counted from the seed 0."""


@dataclass(frozen=True, slots=True)
class Bug:
    """A mutation of the protocol."""

    what: str
    breaks: tuple[str, ...]
    """The invariants of which one has to be named."""
    patch: Patch
    seed: int = 0
    """A schedule that has caught it: tried first, so that the suite is quick."""
    says: str = ""
    """Words that the sentence against it has to have."""
    scene: tuple[Action, ...] = ()
    """Actions that lead to a rare place: put in front of each schedule."""
    beside: Patch | None = None
    """A circumstance that the bug needs and that does no such harm alone."""


@dataclass(frozen=True, slots=True)
class Caught:
    """How a bug came to light; `after` 0: not at all."""

    after: int
    name: str = ""
    sentence: str = ""
    seed: int = 0


def catch(simulator: Simulator, bug: Bug, within: int = WITHIN) -> Caught:
    """Run schedules with the bug until one shows it: the known one first, then from seed 0 on."""
    patches = [bug.patch] + ([bug.beside] if bug.beside else [])
    seeds = [bug.seed, *(seed for seed in range(within) if seed != bug.seed)]
    for count, seed in enumerate(seeds[:within], start=1):
        found = shown(bug, simulator.run(schedule_for(bug, seed), patches))
        if found:
            return Caught(count, found.partition(":")[0], found, seed)
    return Caught(0)


def shown(bug: Bug, outcome: Outcome) -> str:
    """Return the first sentence of an outcome that shows the bug, or nothing."""
    for sentence in [*outcome.violations, *outcome.unfinished]:
        if sentence.partition(":")[0] in bug.breaks and bug.says in sentence:
            return sentence
    return ""


def schedule_for(bug: Bug, seed: int) -> Schedule:
    """Return the schedule of a seed, with the bug's scene in front."""
    plain = schedule_of(seed)
    return Schedule(plain.seed, plain.setup, (*bug.scene, *plain.actions))


def sound(simulator: Simulator, bugs: Sequence[Bug]) -> list[str]:
    """Run the schedules that show the bugs without any of them; return what is wrong even so."""
    wrong: list[str] = []
    seen: set[tuple[int, tuple[Action, ...]]] = set()
    for bug in bugs:
        key = (bug.seed, tuple(tuple(action) for action in bug.scene))  # type: ignore[misc]
        if bug.beside is None and key in seen:
            continue
        seen.add(key)
        outcome = simulator.run(schedule_for(bug, bug.seed), [bug.beside] if bug.beside else [])
        found = shown(bug, outcome) if bug.beside else [*outcome.violations, *outcome.unfinished]
        if found:
            wrong.append(f"{bug.what} (seed {bug.seed}): {found}")
    return wrong
