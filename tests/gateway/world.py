"""A rail with one of everything that a route can name: sold by one company, bought by another.

`own` is asked by seller and buyer, `others` by a third company, `missing` is an id of nothing. A
new kind of thing gets a line in `_made`, and what makes it.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from starlette.testclient import TestClient

from gateway.api import policy_routes
from gateway.app import create_app
from gateway.auth import Role
from settlement.chain.rail_abi import address_word, selector, word
from settlement.compliance import policies, screening
from settlement.store import transaction
from settlement.supervision import reports
from tests.approvals.builders import an_approval
from tests.bank.builders import Movement, a_camt
from tests.builders.limits import a_limit
from tests.builders.rail import Rail, a_rail
from tests.builders.three_companies import COMPANIES
from tests.gateway.builders import Door, the_keys
from tests.gateway.people import a_person

PREFIXES = {
    "invoice": "inv", "settlement": "stl", "participant": "par", "monitor": "mon", "break": "brk",
    "bank_account": "bka", "any_id": "inv", "session": "ses", "person": "per",
}  # fmt: skip
STATEMENT = a_camt(
    Movement("97.50", end_to_end="X-1", remittance="RE-1"), Movement("-40.00", reference="BK-2")
)
SHAPES = {
    "account": "wallet:0x" + "0" * 40 + ":TUSD", "period": "1999-01", "match": "999999",
    "record": "999999", "list": "nolist", "expected": "exp_999999", "key": "stk_000000000000",
    "policy": "999999", "register": "noregister",
}  # fmt: skip
OF_THE_BUYER_ALONE = ("inquiry", "limit")
"""Kinds that the seller has no part in."""
OF_THE_STAFF_ALONE = ("approval", "report")
"""Kinds of which no company has any here."""
OF_SELLER = ("exporter", "seller-importer")
OF_BUYER = ("importer",)
OF_A_STRANGER = ("stranger", "stranger-importer")
STAFF = ("treasury", "approver", "compliance", "overseer", "admin")


@dataclass
class World:
    """A gateway on such a rail, and the ids of what is there by kind."""

    door: Door
    rail: Rail
    things: dict[str, str] = field(default_factory=dict)

    def is_own(self, kind: str, who: str) -> bool:
        """Whether the thing of this kind is the caller's to see."""
        if who in OF_A_STRANGER or (kind in OF_THE_STAFF_ALONE and who not in STAFF):
            return False
        return not (kind in OF_THE_BUYER_ALONE and who in OF_SELLER)

    def own(self, kind: str, who: str) -> str | None:
        """The id of a thing of this kind that is the caller's own; None: nobody has made one."""
        if kind == "participant" and who in OF_BUYER:
            return self.door.companies.buyer
        if kind == "account" and who in OF_BUYER:
            return f"wallet:{self.rail.buyer_wallet}:TUSD"
        return self.things.get(kind)

    def missing(self, kind: str) -> str:
        """An id of the right shape, of nothing."""
        if kind in SHAPES:
            return SHAPES[kind]
        own = self.things.get(kind, "")
        prefix = PREFIXES.get(kind) or (own.partition("_")[0] if "_" in own else kind[:3])
        return f"{prefix}_{'0' * 32}"


@contextmanager
def a_world(engine: Engine, folder: Path) -> Iterator[World]:
    """Open the world on an empty, migrated database."""
    with a_rail(engine, folder) as rail:
        home = rail.settings.home
        keys = the_keys(engine, home, rail.companies, rail.now)
        log = io.BytesIO()
        app = create_app(
            engine,
            rail.settings.model_copy(update={"failed_keys_per_minute": 10**6,
                                             "open_per_minute": 10**6}),
            chain=rail.chain,
            clock=lambda: rail.now,
            ids=rail.ids,
            log_stream=log,
        )  # fmt: skip
        with TestClient(app, raise_server_exceptions=False) as client:
            door = Door(client, app, engine, rail.companies, keys, log)
            world = World(door, rail)
            for kind, make in _made().items():
                world.things[kind] = make(world)
            yield world


def path_of(route: str, thing: str | None) -> str:
    """The path of a route (method, space, path), its parameter replaced."""
    return re.sub(r"\{[^}]*\}", thing or "", route.partition(" ")[2])


def _made() -> Mapping[str, Callable[[World], str]]:
    return {
        "participant": lambda world: world.door.companies.seller,
        "invoice": _invoice,
        "settlement": _settlement,
        "any_id": lambda world: world.things["invoice"],
        "account": lambda world: f"wallet:{world.rail.seller_wallet}:TUSD",
        "break": _break,
        "bank_account": _bank_account,
        "period": _period,
        "monitor": _monitor,
        "expected": _expected,
        "record": lambda world: _first(world, "/v1/reconciliation/records"),
        "match": lambda world: _first(world, "/v1/reconciliation/matches"),
        "key": lambda world: world.door.keys["second-treasury"][:16],
        "person": lambda world: a_person(world.door, Role.APPROVER),
        "inquiry": _inquiry,
        "approval": lambda world: an_approval(world.door.engine, now=world.rail.now).id,
        "report": _report,
        "list": _list,
        "hit": lambda world: _first(world, "/v1/screening/hits", "compliance"),
        "policy": _policy,
        "register": _register,
        "limit": lambda world: (
            a_limit(world.rail, max_minor=10**12, debtor_id=world.door.companies.buyer).id
        ),
    }


def _settlement(world: World) -> str:
    """Paid, booked and final; with it there are matches and records."""
    worker = world.rail.worker()
    (settlement,) = world.rail.instruct(world.things["invoice"])
    world.rail.settle_all(worker)
    payer = world.rail.sandbox.wallets[1]
    data = selector("transfer(address,uint256)") + address_word(world.rail.seller_wallet)
    call = bytes.fromhex((data + word(5_000_000)).removeprefix("0x"))
    world.rail.on_chain(payer, world.rail.token(), call)
    for _ in range(13):
        world.rail.controls.mine()
    for _ in range(4):
        world.rail.round(worker)
    return settlement


def _invoice(world: World) -> str:
    return world.rail.accepted(100_000)


def _break(world: World) -> str:
    return str(_first(world, "/v1/breaks"))


def _bank_account(world: World) -> str:
    body = {
        "owner_id": world.door.companies.seller, "name": "Receivables", "currency": "EUR",
        "iban": "DE89370400440532013000", "servicer_bic": "COBADEFFXXX", "role": "payout",
    }  # fmt: skip
    made = _posted(world, "/v1/bank/accounts", body)
    _posted(world, "/v1/bank/statements", STATEMENT)
    return str(made["id"])


def _period(world: World) -> str:
    return str(_posted(world, "/v1/periods/close", {"period": "2026-10"})["id"])


def _monitor(world: World) -> str:
    body = {"name": "low", "pattern": world.things["account"], "lower_minor": "1"}
    return str(_posted(world, "/v1/monitors", body)["id"])


def _expected(world: World) -> str:
    body = {
        "owner_id": world.door.companies.seller, "direction": "credit", "currency": "EUR",
        "amount_low": "95.00", "amount_high": "100.00", "first_day": "2026-11-20",
        "reference": "RE-1",
    }  # fmt: skip
    made = _posted(world, "/v1/reconciliation/expected", body)
    _posted(world, "/v1/reconciliation/run", {})
    return str(made["id"])


def _inquiry(world: World) -> str:
    """About a payment that is not made yet, asked of the buyer."""
    (settlement,) = world.rail.instruct(world.rail.accepted(100_000))
    body = {
        "settlement_id": settlement, "asked_of": world.door.companies.buyer,
        "question": "Who is the end user?", "due_date": "2026-12-10",
    }  # fmt: skip
    return str(_posted(world, "/v1/inquiries", body, "compliance")["id"])


def _list(world: World) -> str:
    """With the name of a company that nobody pays here."""
    (name,) = [each.name for each in COMPANIES][2:]
    _posted(world, "/v1/lists/ofac", f"{name}\n".encode(), "compliance")
    stranger = world.rail.sandbox.participant_ids[2]
    with transaction(world.rail.engine) as session:
        screening.ensure(session, [stranger], ids=world.rail.ids, now=world.rail.now)
    return "ofac"


def _policy(world: World) -> str:
    with transaction(world.rail.engine) as session:
        policies.install(session, world.rail.now)
    pack = policy_routes.COMMANDS[0].body.examples["own"]
    return str(_posted(world, "/v1/policies", pack, "compliance")["version"])


def _register(world: World) -> str:
    _posted(world, "/v1/registers/mining_operators", b"MO-0001\n", "compliance")
    return "mining_operators"


def _report(world: World) -> str:
    """Reporting begins now; forty days on, something of it is over."""
    for days in (0, 40):
        with transaction(world.door.engine) as session:
            reports.write_due(session, world.rail.now + timedelta(days=days))
    return _first(world, "/v1/supervision/reports?first=2026-01-01&last=2027-01-31", "overseer")


def _posted(world: World, path: str, body: Any, who: str = "treasury") -> Any:
    answer = world.door.post(path, body, who)
    assert answer.status_code in (200, 201), (path, answer.text)
    return answer.json()


def _first(world: World, path: str, who: str = "treasury") -> str:
    found = world.door.get(path, who).json()["data"]
    assert found, path
    return str(found[0]["id"])
