"""Making a failing schedule small: leave parts out as long as the same thing stays broken.

Delta debugging over the list of actions; it knows nothing of what an action does.
Source: A. Zeller, R. Hildebrandt, "Simplifying and Isolating Failure-Inducing Input" (2002).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tests.simulation.schedule import Action, Schedule

RUNS_MAX = 400

IsBroken = Callable[[Schedule], bool]


def shrink(schedule: Schedule, is_broken: IsBroken, runs_max: int = RUNS_MAX) -> Schedule:
    """Return a part of a failing schedule that fails as well, after at most `runs_max` runs."""
    actions = list(schedule.actions)
    pieces, runs = 2, 0
    while len(actions) > 1 and runs < runs_max:
        size = -(-len(actions) // pieces)
        for start in range(0, len(actions), size):
            runs += 1
            rest = actions[:start] + actions[start + size :]
            if is_broken(_with(schedule, rest)):
                actions, pieces = rest, max(pieces - 1, 2)
                break
            if runs >= runs_max:
                break
        else:
            if size == 1:
                break
            pieces = min(len(actions), 2 * pieces)
    return _with(schedule, actions)


def _with(schedule: Schedule, actions: list[Action]) -> Schedule:
    return replace(schedule, actions=tuple(actions))
