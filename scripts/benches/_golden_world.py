"""Golden scenarios as rows of a database: parties, wallets, registers, lists, trades, payments.

Judges nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any

import orjson
from sqlalchemy import Engine

from scripts.benches._policy_world import World
from settlement.clock import Ids, to_micros
from settlement.compliance import registers, screening
from settlement.store import transaction
from settlement.store.bulk import insert_rows

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
TOKENS = (
    ("TUSD", "USD"), ("TEUR", "EUR"), ("TAED", "AED"), ("TINR", "INR"), ("TCNY", "CNY"),
    ("TSGD", "SGD"), ("THKD", "HKD"), ("TCAD", "CAD"), ("A7A5", "RUB"), ("RUBX", "RUB"),
    ("DRUB", "RUB"), ("TOFF", "AED"),
)  # fmt: skip
_DECIMALS = 6
_SYLLABLES = ("ba", "ke", "di", "fo", "gu", "ha", "le", "mi", "no", "pu")
_SIDES = ("debtor", "creditor")
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
class Put:
    """A scenario in the database."""

    scenario: Scenario
    settlement_id: str
    now: datetime


@dataclass(slots=True)
class Building:
    """What is gathered while scenarios are put there."""

    world: World
    tokens: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    """Address, symbol and currency by symbol."""
    registered: dict[str, list[str]] = field(default_factory=dict)
    listed: dict[str, list[str]] = field(default_factory=dict)
    put: list[Put] = field(default_factory=list)


def build(engine: Engine, wanted: Sequence[Scenario], ids: Ids) -> Building:
    building = Building(World(engine, ids, NOW))
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
            screening.store_list(session, name=name, content=content, ids=ids, now=NOW)
    return building


def _put(building: Building, scenario: Scenario) -> None:
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
    building.put.append(Put(scenario, key, now))


def _person(number: int) -> str:
    """Return a made-up name, another one for each number."""
    word = "".join(_SYLLABLES[int(digit)] for digit in str(number))
    return f"{word} {word[::-1]}".title()


def _party(building: Building, said: Mapping[str, Any], side: str) -> tuple[str, str]:
    """Put a party there; return its id and its name."""
    world = building.world
    form = said.get("form", "legal_entity")
    number = len(building.put)
    # A person has no word of a listed company's name: it is compared by words, not by numbers.
    name = f"Company {number} {side}" if form == "legal_entity" else _person(number)
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
    if "owned" in said or "controlled" in said:
        owned = said.get("owned", ())
        world.row(
            "screening_subject", participant_id=key, content_hash="0", lists_hash="0",
            listed_ownership_bp=sum(owned),
            listed_owners=orjson.dumps([f"listed {n}" for n, _ in enumerate(owned)]).decode(),
            listed_controllers=orjson.dumps(said.get("controlled", [])).decode(), screened_at=0,
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


def _wallet(building: Building, said: Mapping[str, Any], party: str) -> str:
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
    building: Building, given: Mapping[str, Any], wallet: str, token: tuple[str, str, str]
) -> None:
    caps: tuple[int, int] | None = (10**16, 10**16)
    if given.get("mandate") == "none":
        caps = None
    elif "mandate" in given:
        caps = (_minor(given["mandate"]["payment"]), _minor(given["mandate"]["day"]))
    held = _minor(given["funds"]) if "funds" in given else 10**16
    building.world.money(wallet, token[:2], held=held, caps=caps)


def _invoice(
    building: Building, given: Mapping[str, Any], ids: tuple[str, str], currency: str
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


def _minor(amount: str) -> int:
    return int(Decimal(amount) * 10**_DECIMALS)
