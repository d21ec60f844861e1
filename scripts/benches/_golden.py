"""Golden scenarios: tables of payments with the outcome that the rules' sources give.

Each is put into a database with parties of its own, judged as the worker judges, and its stored
clearance compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import yaml
from sqlalchemy import Engine

from scripts.benches._golden_world import Put, Scenario, build
from settlement.clock import Ids
from settlement.compliance import candidates, clearance, facts, policy
from settlement.compliance.policy import Judge
from settlement.compliance.spent import SpentToday
from settlement.settlements.clearing import booked_of, terms_of, versions
from settlement.store import transaction
from settlement.store.bulk import rows_by_key

TABLES = Path(__file__).resolve().parents[2] / "tests/compliance/golden"
_GIVEN: Mapping[str, Any] = {
    "debtor": {"country": "AE"},
    "creditor": {"country": "BR"},
    "asset": "TAED",
    "amount": "10.00",
}


def scenarios(folder: Path = TABLES) -> list[Scenario]:
    """Read every table of a folder."""
    return [each for path in sorted(folder.glob("*.yaml")) for each in _table(path)]


def failures(engine: Engine, wanted: Sequence[Scenario], ids: Ids) -> list[str]:
    """Put scenarios into a database, judge them, and say which came out otherwise."""
    building = build(engine, wanted, ids)
    found: list[str] = []
    for now in sorted({each.now for each in building.put}):
        _judge(engine, [each for each in building.put if each.now == now], now, ids)
    with transaction(engine) as session:
        stored = {
            row[0]: row[1:]
            for row in rows_by_key(
                session, "SELECT settlement_id, outcome, verdicts FROM clearance"
                " WHERE settlement_id {keys}", [each.settlement_id for each in building.put],
            )
        }  # fmt: skip
        flagged = rows_by_key(
            session, "SELECT settlement_id, rule_id FROM policy_flag WHERE settlement_id {keys}",
            [each.settlement_id for each in building.put],
        )  # fmt: skip
    told: dict[str, set[str]] = {}
    for key, rule_id in flagged:
        told.setdefault(key, set()).add(rule_id)
    for each in building.put:
        outcome, verdicts = stored[each.settlement_id]
        fault = _fault(each.scenario, outcome, verdicts, told.get(each.settlement_id, set()))
        if fault:
            found.append(f"{each.scenario.table}: {each.scenario.name}: {fault}")
    return found


def _fault(scenario: Scenario, outcome: str, verdicts: str, told: set[str]) -> str:
    said = orjson.loads(verdicts)
    against = {each["rule"] for each in said if each["outcome"] != "FLAG"}
    if outcome != scenario.expect:
        return f"{outcome} by {sorted(against)}, expected {scenario.expect}"
    if not scenario.rules <= against:
        return f"found by {sorted(against)}, expected {sorted(scenario.rules)}"
    if told != scenario.flags:
        return f"flagged {sorted(told)}, expected {sorted(scenario.flags)}"
    return ""


def _table(path: Path) -> Iterator[Scenario]:
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    for case in raw["cases"]:
        given: dict[str, Any] = {**_GIVEN, **raw["given"]}
        for key, value in case.items():
            part, _, name = key.partition(".")
            if key in ("name", "expect", "rules", "flags"):
                continue
            given[part] = {**given.get(part, {}), name: value} if name else value
        yield Scenario(
            path.stem, case["name"], given, case["expect"],
            frozenset(case.get("rules", ())), frozenset(case.get("flags", ())),
        )  # fmt: skip


def _judge(engine: Engine, put: Sequence[Put], now: datetime, ids: Ids) -> None:
    """Judge and store as `clearing.clear` does; nothing is moved."""
    said = {each.settlement_id: each.scenario.given for each in put}
    with transaction(engine) as session:
        found = candidates.candidates(session, now=now, limit=100_000)
        waiting = [row for row in found if row.id in said]
        judge = Judge(policy.load(), now)
        purses = candidates.purses(session, waiting, booked_of(session, waiting), SpentToday())
        gathered = facts.gather(session, waiting, judge, now)
        # What has no reader of its own here is said by the scenario.
        gathered.travel_rule_gaps = {k: tuple(v.get("gaps", ())) for k, v in said.items()}
        gathered.sunrise = {k: v.get("sunrise", "") for k, v in said.items()}
        gathered.inquiries = {k: v.get("inquiry", "") for k, v in said.items()}
        judgements = []
        for row in waiting:
            known = gathered.facts(row, judge, purses[row.debtor_wallet, row.token])
            judgements.append(clearance.judge(judge, known, terms_of(row)))
        clearance.decide(
            session, judge.policy, judgements,
            list_versions=versions(session), expires=now, ids=ids, now=now,
        )  # fmt: skip
