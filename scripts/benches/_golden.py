"""Golden scenarios: tables of payments with the outcome that the rules' sources give.

Each is put into a database with parties of its own, judged as the worker judges, and its stored
clearance compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import yaml
from sqlalchemy import Engine

from scripts.benches._policy_world import World
from settlement.clock import Ids, to_micros
from settlement.compliance import candidates, clearance, facts, lists, policy, registers
from settlement.compliance.policy import Judge
from settlement.compliance.spent import SpentToday
from settlement.settlements.clearing import versions
from settlement.store import transaction
from settlement.store.bulk import insert_rows, rows_by_key

TABLES = Path(__file__).resolve().parents[2] / "tests/compliance/golden"
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
TOKENS = (
    ("TUSD", "USD"), ("TEUR", "EUR"), ("TAED", "AED"), ("TINR", "INR"), ("TCNY", "CNY"),
    ("TSGD", "SGD"), ("THKD", "HKD"), ("TCAD", "CAD"), ("A7A5", "RUB"), ("RUBX", "RUB"),
    ("DRUB", "RUB"), ("TOFF", "AED"),
)  # fmt: skip
_DECIMALS = 6
_SIDES = ("debtor", "creditor")
_GIVEN: Mapping[str, Any] = {
    "debtor": {"country": "AE"},
    "creditor": {"country": "BR"},
    "asset": "TAED",
    "amount": "10.00",
}
_REGISTERS = {
    registers.PERMITTED_PURPOSES: ["GOODS-IMPORT", "GOODS-EXPORT", "SERVICES"],
    registers.PERMITTED_ASSETS: ["TAED", "TEUR"],
    registers.BANNED_REGIONS: ["Dagestan", "Ingushetia"],
    registers.MINING_OPERATORS: ["MO-0001"],
    registers.REGIME_PARTICIPANTS: [],
}


@dataclass(frozen=True, slots=True)
class Scenario:
    """One row of a table."""

    table: str
    name: str
    given: Mapping[str, Any]
    expect: str
    rules: frozenset[str]
    """Rules that must be among those that found something."""
    flags: frozenset[str]
    """Flags that are raised: these, and no others."""


@dataclass(slots=True)
class _Put:
    """A scenario in the database."""

    scenario: Scenario
    settlement_id: str
    now: datetime


@dataclass(slots=True)
class _Building:
    """What is gathered while scenarios are put there."""

    world: World
    tokens: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    """Address, symbol and currency by symbol."""
    registered: dict[str, list[str]] = field(default_factory=dict)
    listed: dict[str, list[str]] = field(default_factory=dict)
    put: list[_Put] = field(default_factory=list)


def scenarios(folder: Path = TABLES) -> list[Scenario]:
    """Read every table of a folder."""
    return [each for path in sorted(folder.glob("*.yaml")) for each in _table(path)]


def failures(engine: Engine, wanted: Sequence[Scenario], ids: Ids) -> list[str]:
    """Put scenarios into a database, judge them, and say which came out otherwise."""
    building = _build(engine, wanted, ids)
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


def _build(engine: Engine, wanted: Sequence[Scenario], ids: Ids) -> _Building:
    building = _Building(World(engine, ids, NOW))
    world = building.world
    for symbol, currency in TOKENS:
        address = world.token(symbol, currency, _DECIMALS, listed=symbol != "TOFF")
        building.tokens[symbol] = (address, symbol, currency)
    for scenario in wanted:
        _put(building, scenario)
    for symbol in ("A7A5", "RUBX"):
        building.registered.setdefault(registers.PERMITTED_ASSETS, []).append(symbol)
    with transaction(engine) as session:
        columns = ("id", "name", "sha256", "entry_count", "created_at")
        insert_rows(session, "list_version", columns, [("lst_0", "hits", "0", 1, 0)])
        insert_rows(
            session, "list_party",
            ("id", "list_name", "entry_key", "kind", "name", "content_hash", "detail",
             "version_id"),
            [("lpy_0", "hits", "1", "person", "Иван Петров", "0", "{}", "lst_0")],
        )  # fmt: skip
    world.store()
    with transaction(engine) as session:
        for name, values in _REGISTERS.items():
            content = "\n".join([*values, *building.registered.get(name, ())]).encode()
            registers.load(session, name=name, content=content, actor="bench", ids=ids, now=NOW)
        for name, values in building.listed.items():
            content = "\n".join(values).encode()
            lists.store_list(session, name=name, content=content, ids=ids, now=NOW)
    return building


def _put(building: _Building, scenario: Scenario) -> None:
    given, world = scenario.given, building.world
    day = given.get("day")
    now = NOW if day is None else datetime.combine(datetime.fromisoformat(day), time(12), UTC)
    token = building.tokens[given["asset"]]
    parties = [_party(building, given[side], side) for side in _SIDES]
    wallets = [_wallet(building, given[side], party) for side, (party, _) in
               zip(_SIDES, parties, strict=True)]  # fmt: skip
    ids = (parties[0][0], parties[1][0])
    _purse(building, given, wallets[0], token)
    invoice = _invoice(building, given, ids, token[2])
    for each in given.get("earlier", ()):
        other = building.tokens[each.get("asset", given["asset"])]
        paid = (ids[0], world.party("BR")) if each.get("to_another") else ids
        world.settlement(
            paid, (wallets[0], wallets[1]), other[0], _minor(each["amount"]), invoice,
            state=each.get("state", "SETTLED"), days_ago=each.get("days_ago", 0),
        )  # fmt: skip
    key = world.settlement(
        ids, (wallets[0], wallets[1]), token[0], _minor(given["amount"]), invoice,
        days_ago=(NOW - now).days,
    )  # fmt: skip
    building.put.append(_Put(scenario, key, now))


def _party(building: _Building, said: Mapping[str, Any], side: str) -> tuple[str, str]:
    """Put a party there; return its id and its name."""
    world = building.world
    form = said.get("form", "legal_entity")
    name = f"Company {len(building.put)} {side}"
    key = world.party(
        said["country"], name=name, legal_form=form, state=said.get("state", "active"),
        known_by="documents" if said.get("papers") else "operator",
    )  # fmt: skip
    for register in said.get("registers", ()):
        building.registered.setdefault(register, []).append(key)
    if "name_on" in said:
        building.listed.setdefault(said["name_on"], []).append(name)
    if said.get("change"):
        world.row(
            "participant_change", id=world.ids("pch"), participant_id=key, kind="bank_account",
            subject="1", terms="{}", state="pending", asked_by="x", asked_at=0,
        )  # fmt: skip
    if "owned" in said:
        world.row(
            "screening_subject", participant_id=key, content_hash="0", lists_hash="0",
            listed_ownership_bp=sum(said["owned"]),
            listed_owners=orjson.dumps([f"listed {n}" for n, _ in enumerate(said["owned"])])
            .decode(), screened_at=0,
        )  # fmt: skip
    if "hit" in said:
        decided = said["hit"] != "open"
        world.row(
            "screening_hit", id=world.ids("hit"), participant_id=key, subject_kind="name",
            subject_key="1", subject_text="Ivan Petrov", list_name=said.get("hit_on", "hits"),
            entry_key="1", party_id="lpy_0", entry_text="Иван Петров", score=97, parts="{}",
            subject_hash="0", entry_hash="0", state=said["hit"],
            decided_by="per_1" if decided else None, decided_at=1 if decided else None,
            reason="looked at" if decided else None, created_at=0, updated_at=0,
        )  # fmt: skip
    return key, name


def _wallet(building: _Building, said: Mapping[str, Any], party: str) -> str:
    world = building.world
    owner = party if said.get("owns_wallet", True) else world.party("BR")
    address = world.wallet(
        owner,
        kind=said.get("wallet", "custodial"),
        proved_by="signature" if said.get("proved", True) else "operator",
        usable_from=0 if said.get("usable", True) else to_micros(NOW) + 1,
    )
    if "address_on" in said:
        building.listed.setdefault(said["address_on"], []).append(address)
    return address


def _purse(
    building: _Building, given: Mapping[str, Any], wallet: str, token: tuple[str, str, str]
) -> None:
    caps: tuple[int, int] | None = (10**16, 10**16)
    if given.get("mandate") == "none":
        caps = None
    elif "mandate" in given:
        caps = (_minor(given["mandate"]["payment"]), _minor(given["mandate"]["day"]))
    held = _minor(given["funds"]) if "funds" in given else 10**16
    building.world.money(wallet, token[:2], held=held, caps=caps)


def _invoice(
    building: _Building, given: Mapping[str, Any], ids: tuple[str, str], currency: str
) -> str:
    world = building.world
    classes = [
        {"classifications": [{"scheme": "HS", "code": code}]}
        for code in given.get("hs_on_invoice", ())
    ]
    record = orjson.dumps({"lines": classes}).decode()
    currency = given.get("invoice_currency", currency)
    invoice = world.invoice(ids[1], ids[0], currency, record)
    trade = {k: v for k, v in given.get("trade", {}).items() if k != "none"}
    if trade:
        papers = [{"kind": kind, "sha256": "0" * 64} for kind in trade.get("documents", ())]
        body = {"hs_codes": [], "address_identifiers": [], **trade, "documents": papers}
        world.row(
            "trade_declaration", invoice_id=invoice, participant_id=ids[0],
            body=orjson.dumps(body).decode(), declared_by="bench", at=0,
        )  # fmt: skip
    return invoice


def _judge(engine: Engine, put: Sequence[_Put], now: datetime, ids: Ids) -> None:
    """Judge and store as `clearing.clear` does; nothing is moved."""
    said = {each.settlement_id: each.scenario.given for each in put}
    with transaction(engine) as session:
        found = candidates.candidates(session, now=now, limit=100_000)
        waiting = [row for row in found if row.id in said]
        judge = Judge(policy.load(), now)
        booked = {
            (row[0], row[1]): row[2]
            for row in rows_by_key(
                session, "SELECT a.owner, t.address, b.posted_minor FROM account a"
                " JOIN balance b ON b.account_id = a.id JOIN token t ON t.symbol = a.unit"
                " WHERE a.owner {keys}", {row.debtor_wallet for row in waiting},
            )
        }  # fmt: skip
        purses = candidates.purses(session, waiting, booked, SpentToday())
        gathered = facts.gather(session, waiting, judge, now)
        # What has no reader of its own here is said by the scenario.
        gathered.travel_rule_gaps = {k: tuple(v.get("gaps", ())) for k, v in said.items()}
        gathered.sunrise = {k: v.get("sunrise", "") for k, v in said.items()}
        gathered.inquiries = {k: v.get("inquiry", "") for k, v in said.items()}
        judgements = []
        for row in waiting:
            known = gathered.facts(row, judge, purses[row.debtor_wallet, row.token])
            terms = clearance.Terms(
                row.debtor_wallet, row.creditor_wallet, row.token, row.amount_minor, row.reference
            )
            judgements.append(clearance.judge(judge, known, terms))
        clearance.decide(
            session, judge.policy, judgements,
            list_versions=versions(session), expires=now, ids=ids, now=now,
        )  # fmt: skip


def _minor(amount: str) -> int:
    return int(Decimal(amount) * 10**_DECIMALS)
