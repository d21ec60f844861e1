"""Schedules: plain lists of actions, made from a seed, written down as JSON, replayed with gaps.

An action is a list: its kind, then numbers and names. Parts may be left out: every action means
something in any world, if only that nothing happens.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from tests.simulation.failpoints import FAILPOINTS
from tests.simulation.node import HALTING_WORDS, LAGS, READ_FAULTS, READS, SEND_FAULTS, WORDS
from tests.simulation.signing import SIGNER_FAULTS
from tests.simulation.world import Setup

Action = list[Any]

API_POINTS = tuple(name for name in FAILPOINTS if name.startswith(("api.", "instruct.")))
WORKER_POINTS = tuple(name for name in FAILPOINTS if name not in API_POINTS)
_LENGTHS = (40, 64)
_RARE = 0.2


@dataclass(frozen=True, slots=True)
class Schedule:
    """What is to happen: the seed of the ids, what never changes, and the actions in order."""

    seed: int
    setup: Setup
    actions: tuple[Action, ...]

    def write(self, path: Path) -> None:
        """Write it down for a replay."""
        path.write_bytes(orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2))


def read_schedule(path: Path) -> Schedule:
    """Return a schedule that was written down."""
    plain = orjson.loads(path.read_bytes())
    return Schedule(plain["seed"], Setup(**plain["setup"]), tuple(plain["actions"]))


def schedule_of(seed: int) -> Schedule:
    """Return the schedule that a seed stands for."""
    chance = random.Random(f"schedule/{seed}")
    setup = Setup(
        lanes=chance.choice((1, 2)),
        worker_lanes_max=chance.choice((1, 2, 2)),
        batch_payments_max=chance.choice((1, 2, 2, 3, 100)),
        lane_in_flight_max=chance.choice((1, 2, 16, 256)),
        clearance_lifetime_seconds=chance.choice((60, 240, 3600, 3600)),
        is_geth=chance.random() < 0.3,
        deaths_are_known=chance.random() < 0.6,
    )
    actions: list[Action] = [["instruct", chance.randrange(14), chance.randrange(3, 7), 0]]
    kinds, weights = zip(*_WEIGHTS.items(), strict=True)
    while len(actions) < chance.randrange(*_LENGTHS):
        (kind,) = chance.choices(kinds, weights)
        actions += _MADE[kind](chance)
    # By draws of its own: whatever is added here, all else of a seed stays as it was.
    rare = random.Random(f"rare beside/{seed}")
    if rare.random() < _RARE:
        place = rare.randrange(1, len(actions))
        actions[place:place] = rare.choice((_raced, _torn))(rare)
    if not any(action[0] in ("crash", "kill") for action in actions):
        actions.insert(chance.randrange(1, len(actions)), ["kill", 0])
    return Schedule(seed, setup, tuple(actions))


def _tick(chance: random.Random) -> list[Action]:
    worker = int(chance.random() < 0.2)
    return [["step", worker] for _ in range(chance.choice((1, 2, 5, 5, 5)))]


def _round(chance: random.Random) -> list[Action]:
    return [["step", 0]] * 5 + [["mine", 1, chance.choice((0, 1000, 1000, 3000))]]


def _mine(chance: random.Random) -> list[Action]:
    return [["mine", chance.choice((1, 1, 1, 2, 3, 6)), chance.choice((0, 1000, 4000))]]


def _instruct(chance: random.Random) -> list[Action]:
    return [["instruct", chance.randrange(14), chance.randrange(1, 4), chance.randrange(3)]]


def _move(chance: random.Random) -> list[Action]:
    move = chance.choice(("hold", "release", "release", "cancel", "retry"))
    return [["move", move, chance.randrange(24)]]


def _crash(chance: random.Random) -> list[Action]:
    point = chance.choice(WORKER_POINTS)
    return [["crash", int(chance.random() < 0.15), point, chance.choice((1, 1, 1, 2, 3))]]


def _crash_gateway(chance: random.Random) -> list[Action]:
    return [["crash_gateway", chance.choice(API_POINTS)], *_instruct(chance)]


def _pause(chance: random.Random) -> list[Action]:
    return [["pause", int(chance.random() < 0.15), chance.choice(WORKER_POINTS), 1]]


def _zombie(chance: random.Random) -> list[Action]:
    """One worker stops somewhere; its lease runs out; the other goes on; the first wakes."""
    steps: list[Action] = [["step", 1]] * chance.randrange(5, 12)
    return [
        ["step", 0], ["pause", 0, chance.choice(WORKER_POINTS), 1], *[["step", 0]] * 5,
        ["wait", 6_000], *steps, ["mine", 1, 1000], *[["step", 0]] * chance.randrange(1, 6),
    ]  # fmt: skip


def _rpc(chance: random.Random) -> list[Action]:
    worker = int(chance.random() < 0.15)
    draw = chance.random()
    if draw < 0.4:
        return [["rpc", worker, "send", chance.choice((*SEND_FAULTS, *SEND_FAULTS, *WORDS)), 1]]
    if draw < 0.6:
        method = chance.choice(LAGS)
        lies = ("stale", "forged") if method != "nonce" else ("stale",)
        return [["rpc", worker, method, chance.choice(lies), chance.randrange(1, 6)]]
    if draw < 0.66:
        fault = chance.choice((("identity", "foreign"), ("send", HALTING_WORDS)))
        return [["rpc", worker, *fault, 1]]
    return [["rpc", worker, chance.choice(READS), chance.choice(READ_FAULTS), 1]]


def _signer(chance: random.Random) -> list[Action]:
    return [["signer", int(chance.random() < 0.15), chance.choice(SIGNER_FAULTS)]]


def _disk(chance: random.Random) -> list[Action]:
    who = chance.choice((0, 0, 0, 0, 1, 2))
    point = chance.choice(("commit.before", "commit.after"))
    return [["disk", who, point, chance.choice((1, 1, 2, 3, 5))]]


def _reorg(chance: random.Random) -> list[Action]:
    depth = chance.choice((1, 1, 2, 2, 3, 4, 6, 8, 11))
    how = chance.choice(("nothing", "same", "shifted", "other", "cancels", "back"))
    return [["reorg", depth, how, chance.randrange(1 << 16)]]


def _raced(chance: random.Random) -> list[Action]:
    """A nonce is refused as used: ours was mined in a block that the watcher has not read yet."""
    return [
        ["instruct", chance.randrange(14), 2, 0], ["rpc", 0, "send", "after", 1],
        *[["step", 0]] * 5, ["wait", 6_000], *[["step", 0]] * chance.randrange(1, 5),
        ["mine", 1, 1000], *[["step", 0]] * chance.randrange(1, 4),
        ["rpc", 0, "headers", "stale", 1], *[["step", 0]] * 8,
    ]  # fmt: skip


def _torn(chance: random.Random) -> list[Action]:
    """Blocks come of two branches: the newest that is known, and what follows on the other one."""
    return [
        *_round(chance), *[["step", 0]] * 5, *_reorg(chance), ["mine", 1, 1000],
        ["rpc", 0, "headers", "torn", 1], *[["step", 0]] * 5,
    ]  # fmt: skip


def _people(chance: random.Random) -> list[Action]:
    company = chance.randrange(4)
    act = chance.choice(
        (
            ["allow", company, chance.choice((0, 300, 10**6)), chance.choice((400, 2 * 10**6))],
            ["revoke", company],
            ["freeze", company, 1],
            ["freeze", company, 0],
            ["list_company", company, 0],
            ["list_company", company, 1],
            ["pause_rail", 1],
            ["pause_rail", 0],
            ["transfer", company, (company + 1) % 4, chance.choice((5, 49_999_000))],
            ["fuel", chance.randrange(2)],
            ["block_party", company],
            ["unblock_party", company],
        )
    )
    return [act]


def _fee(chance: random.Random) -> list[Action]:
    return [["base_fee", chance.choice((0, 5, 40, 120, 700))]]


def _wait(chance: random.Random) -> list[Action]:
    return [[chance.choice(("wait", "jump")), chance.choice((6_000, 50_000, 300_000, 3_700_000))]]


def _one(*action: Any) -> Callable[[random.Random], list[Action]]:
    return lambda _chance: [list(action)]


def _nth(kind: str, bound: int) -> Callable[[random.Random], list[Action]]:
    return lambda chance: [[kind, chance.randrange(bound)]]


_MADE: Mapping[str, Callable[[random.Random], list[Action]]] = {
    "tick": _tick,
    "round": _round,
    "mine": _mine,
    "instruct": _instruct,
    "again": _nth("again", 16),
    "conflict": _nth("conflict", 16),
    "move": _move,
    "crash": _crash,
    "kill": _nth("kill", 2),
    "stop": _nth("stop", 2),
    "crash_gateway": _crash_gateway,
    "pause": _pause,
    "zombie": _zombie,
    "rpc": _rpc,
    "signer": _signer,
    "disk": _disk,
    "reorg": _reorg,
    "drop": _nth("drop", 3),
    "people": _people,
    "base_fee": _fee,
    "wait": _wait,
    "lane": _nth("lane", 2),
}
_WEIGHTS = {
    "tick": 8, "round": 12, "mine": 5, "instruct": 3, "again": 2, "conflict": 1, "move": 4,
    "crash": 10, "kill": 1, "stop": 1, "crash_gateway": 2, "pause": 1, "zombie": 1, "rpc": 12,
    "signer": 1.5, "disk": 3, "reorg": 7, "drop": 3, "people": 4, "base_fee": 3, "wait": 2,
    "lane": 0.5,
}  # fmt: skip
