"""What campaigns of kills have shown, in a file that adds up over runs; and the figures from it.

Knows no process: it counts.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scripts.benches._report import commit, machine

LONG = 2_000
"""From so many kills on, each failpoint must have been among them."""
_COUNTED = ("kills", "unreached", "faults", "databases")
_SUMMED = (
    "schedules", "restarts_by_exec", "restarts_measured", "restarts_unmeasured", "unfinished",
    "settlements", "seconds",
)  # fmt: skip
_HIGHEST = (
    "recovery_seconds_max", "first_send_seconds_max", "blocks_to_rest_max", "rss_mb",
    "journal_rows_max", "large_recovery_seconds_max", "large_first_send_seconds_max",
)  # fmt: skip


class Record:
    """A JSON file; written anew after each campaign, so that a run may end at any time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.facts: dict[str, Any] = _nothing()
        if path.exists():
            self.facts |= json.loads(path.read_text(encoding="utf-8"))

    def forget(self) -> None:
        """Begin anew; what is on disk stays until something is added."""
        self.facts = _nothing()

    def next_schedule(self, seed: int) -> int:
        """Return the first schedule of a seed that no campaign has had yet."""
        return int(self.facts["next_schedules"].get(str(seed), 0))

    def add(self, seed: int, found: dict[str, Any]) -> None:
        """Add what a campaign has shown, and write the file."""
        facts = self.facts
        for name in _COUNTED:
            facts[name] = dict(sorted((Counter(facts[name]) + Counter(found[name])).items()))
        for name in _SUMMED:
            facts[name] = round(facts[name] + found[name], 3)
        for name in _HIGHEST:
            facts[name] = max(facts[name], found[name])
        facts["violations"] += found["violations"]
        facts["aborted"] += found["aborted"]
        facts["anvil"] = found["anvil"]
        following = max(found["next_schedule"], self.next_schedule(seed))
        facts["next_schedules"][str(seed)] = following
        for name, value in (("seeds", seed), ("commits", commit()), ("machines", machine())):
            if value not in facts[name]:
                facts[name].append(value)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        partial = self.path.with_name(self.path.name + ".partial")
        partial.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
        os.replace(partial, self.path)

    def figures(self) -> dict[str, Any]:
        """Return the keys of the bench's own."""
        facts = self.facts
        return {
            "seeds": facts["seeds"],
            "schedules": facts["schedules"],
            "kills_total": sum(facts["kills"].values()),
            "kills": facts["kills"],
            "unreached": facts["unreached"],
            "restarts_by_exec": facts["restarts_by_exec"],
            "restarts_measured": facts["restarts_measured"],
            "restarts_unmeasured": facts["restarts_unmeasured"],
            "violations": len(facts["violations"]),
            "unfinished": facts["unfinished"],
            "aborted": len(facts["aborted"]),
            "recovery_seconds_max": facts["recovery_seconds_max"],
            "first_send_seconds_max": facts["first_send_seconds_max"],
            "journal_rows_max": facts["journal_rows_max"],
            "large_recovery_seconds_max": facts["large_recovery_seconds_max"],
            "large_first_send_seconds_max": facts["large_first_send_seconds_max"],
            "blocks_to_rest_max": facts["blocks_to_rest_max"],
            "settlements": facts["settlements"],
            "faults": facts["faults"],
            "databases": facts["databases"],
        }

    def problems(self, *, recovery_bar: float, first_send_bar: float) -> list[str]:
        """Return why this is not what it should be."""
        from tests.simulation.failpoints import FAILPOINTS

        facts, found = self.facts, []
        total = sum(facts["kills"].values())
        missing = sorted(set(FAILPOINTS) - set(facts["kills"]))
        if total >= LONG and missing:
            found.append(f"nobody was killed at {', '.join(missing)}")
        if not total:
            found.append("nobody was killed")
        if facts["violations"]:
            found.append(f"{len(facts['violations'])} violations, listed in the record")
        if facts["aborted"]:
            found.append(f"{len(facts['aborted'])} schedules had no end, listed in the record")
        if facts["unfinished"]:
            found.append(f"{facts['unfinished']} settlements are unfinished")
        if facts["recovery_seconds_max"] > recovery_bar:
            found.append(f"what was in flight was known after {facts['recovery_seconds_max']} s")
        if facts["first_send_seconds_max"] > first_send_bar:
            found.append(f"the first new send came after {facts['first_send_seconds_max']} s")
        return found


def with_outcomes(
    outcomes: Sequence[Any],
    *,
    aborted: Sequence[str],
    next_schedule: int,
    database: str,
    anvil: str,
    journal_rows: int,
    seconds: float,
) -> dict[str, Any]:
    """Return what a campaign adds to the record."""
    recovery = [each for outcome in outcomes for each in outcome.recovery_seconds]
    sends = [each for outcome in outcomes for each in outcome.first_send_seconds]
    return {
        "database": database,
        "anvil": anvil,
        "seconds": seconds,
        "schedules": len(outcomes),
        "kills": _sum(outcome.kills for outcome in outcomes),
        "unreached": _sum(outcome.unreached for outcome in outcomes),
        "faults": _sum(outcome.faults for outcome in outcomes),
        "databases": {database: len(outcomes)},
        "restarts_by_exec": sum(outcome.restarts_by_exec for outcome in outcomes),
        "restarts_measured": len(recovery),
        "restarts_unmeasured": sum(outcome.unmeasured for outcome in outcomes),
        "unfinished": sum(outcome.unfinished for outcome in outcomes),
        "settlements": sum(outcome.settlements for outcome in outcomes),
        "recovery_seconds_max": max(recovery, default=0.0),
        "first_send_seconds_max": max(sends, default=0.0),
        "blocks_to_rest_max": max((outcome.blocks_to_rest for outcome in outcomes), default=0),
        "rss_mb": max((outcome.rss_mb for outcome in outcomes), default=0.0),
        "journal_rows_max": journal_rows,
        "large_recovery_seconds_max": max(recovery, default=0.0) if journal_rows else 0.0,
        "large_first_send_seconds_max": max(sends, default=0.0) if journal_rows else 0.0,
        "aborted": list(aborted),
        "next_schedule": next_schedule,
        "violations": [
            f"seed {outcome.plan.seed}, schedule {outcome.plan.number}: {each}"
            for outcome in outcomes
            for each in dict.fromkeys(outcome.violations)
        ],
    }


def _nothing() -> dict[str, Any]:
    empty: dict[str, Any] = {"anvil": None, "commits": [], "machines": [], "seeds": []}
    empty |= {name: {} for name in _COUNTED}
    empty |= dict.fromkeys(_SUMMED, 0)
    empty |= dict.fromkeys(_HIGHEST, 0)
    return empty | {"next_schedules": {}, "violations": [], "aborted": []}


def _sum(counters: Any) -> dict[str, int]:
    total: Counter[str] = Counter()
    for counter in counters:
        total.update(counter)
    return dict(total)
