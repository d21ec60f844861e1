"""The world as every schedule begins it: founded once per process, then copied.

Four companies, two operators, accepted invoices between them, and a worker's books at rest.
"""

from __future__ import annotations

import copy
import itertools
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import text

from gateway.sandbox import Sandbox, found
from gateway.worker import Worker
from settlement import invoices
from settlement.chain.memory import MemoryChain
from settlement.chain.memory.pool import Pool
from settlement.chain.signing import KeyPair
from settlement.clock import counted_ids
from settlement.compliance import policy
from settlement.config import Settings
from settlement.participants import NewParticipant
from settlement.signer import IntentSigner, SlotStore
from settlement.signer.intents import SigningLimits
from settlement.store import migrate, open_engine, reading, transaction
from tests.invoices.builders import Companies, a_submission, an_lei

START = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
OPERATORS = (KeyPair.of(b"\x17" * 32), KeyPair.of(b"\x18" * 32))
DATABASE = "settle.sqlite3"
GAS_MONEY_WEI = 3 * 10**16
"""Enough for a hundred batches, and for none of them while the base fee is high."""
_PLACES = (
    ("north", "Nordlicht Pumpen GmbH", "DE", "Hamburg"),
    ("gulf", "Al Noor Trading LLC", "AE", "Dubai"),
    ("tools", "Zhejiang Tools Co", "CN", "Hangzhou"),
    ("spice", "Malabar Spices Ltd", "IN", "Kochi"),
)
COMPANIES = tuple(
    NewParticipant(lei=an_lei(f"5299{side}"), name=name, country=country, town=town)
    for side, name, country, town in _PLACES
)
# Seller, buyer, currency, cents. From 100,000 units a batch on, money is booked six deep.
_DEALS = (
    (0, 1, "USD", 120_000), (2, 1, "USD", 90_100), (0, 1, "EUR", 45_000), (2, 3, "USD", 70_007),
    (0, 3, "USD", 3_300_000), (1, 3, "EUR", 250_000), (0, 1, "USD", 12_000_000),
    (3, 1, "USD", 18_900), (2, 1, "EUR", 66_600), (0, 3, "USD", 101_010), (1, 3, "USD", 5_050),
    (3, 1, "EUR", 740_000), (2, 1, "USD", 404_040), (0, 3, "EUR", 31_000),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Deal:
    """An accepted invoice that waits to be paid."""

    invoice_id: str
    debtor: int
    """The buyer's place among the companies."""
    payable_minor: int


@dataclass(frozen=True, slots=True)
class Template:
    """What is copied: a database at rest, a chain, and what was founded on it."""

    database: Path
    chain: MemoryChain
    sandbox: Sandbox
    deals: tuple[Deal, ...]
    now: datetime
    next_id: int


def found_template(folder: Path) -> Template:
    """Found a rail on a new database and chain, issue and accept its invoices, book what stands."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"template-{DATABASE}"
    engine = open_engine(f"sqlite:///{file}")
    migrate(engine)
    chain = MemoryChain(genesis_timestamp=int(START.timestamp()) - 60, automine=False)
    # The second operator had a life before the rail: its lane begins elsewhere.
    chain.set_nonce(OPERATORS[1].address, 7)
    numbers = itertools.count(1)
    ids = counted_ids()
    sandbox = found(
        engine, chain, operators=[pair.address for pair in OPERATORS], companies=COMPANIES,
        ids=ids, now=START, between_looks=chain.mine, looks=50,
    )  # fmt: skip
    for pair in OPERATORS:
        chain.set_balance(pair.address, GAS_MONEY_WEI)
    chain.mine(12)
    deals = tuple(_deals(engine, sandbox, ids, numbers))
    now = _at_rest(engine, chain, sandbox, folder)
    with reading(engine) as session:
        assert session.execute(text("SELECT COUNT(*) FROM settlement")).scalar() == 0
    engine.dispose()
    assert not file.with_name(f"{file.name}-wal").exists()
    return Template(file, chain, sandbox, deals, now, 10_000)


def limits(sandbox: Sandbox, settings: Settings) -> SigningLimits:
    """Return what the signers of this world sign for."""
    return SigningLimits(
        chain_id=sandbox.deployment.chain_id,
        rail=sandbox.deployment.rail,
        max_fee_wei=settings.fee_cap_wei,
        gas_limit=16_777_216,
    )


def fork(chain: MemoryChain) -> MemoryChain:
    """Return a chain that goes its own way from here. Blocks and contracts never change."""
    twin = copy.copy(chain)
    twin._state = copy.copy(chain._state)
    twin._state._values = dict(chain._state._values)
    twin._state._changes = []
    twin._blocks = copy.copy(chain._blocks)
    twin._blocks.state = twin._state
    twin._blocks._blocks = list(chain._blocks._blocks)
    twin._blocks._numbers = dict(chain._blocks._numbers)
    newest = chain._blocks.newest
    own = copy.copy(newest.changes)
    twin._blocks._blocks[-1] = type(newest)(
        newest.ref, newest.receipts, own, newest.gas_used, newest.gas_limit
    )
    twin._pool = Pool(chain._pool.rules)
    twin._snapshots = {}
    twin._mined = dict(chain._mined)
    return twin


def copy_database(template: Template, folder: Path) -> None:
    """Put the template's database into a folder, in the place of what was there."""
    for name in (DATABASE, "slots.sqlite3"):
        for ending in ("", "-wal", "-shm"):
            (folder / f"{name}{ending}").unlink(missing_ok=True)
    shutil.copyfile(template.database, folder / DATABASE)


def _deals(engine: Any, sandbox: Sandbox, ids: Any, numbers: Iterator[int]) -> Iterator[Deal]:
    sides = [place[0] for place in _PLACES]
    for seller, buyer, currency, payable_minor in _DEALS:
        companies = Companies(
            seller=sandbox.participant_ids[seller],
            buyer=sandbox.participant_ids[buyer],
            stranger=sandbox.participant_ids[0],
            leis={"seller": an_lei(f"5299{sides[seller]}"), "buyer": an_lei(f"5299{sides[buyer]}")},
        )
        document = a_submission(
            companies, payable_minor=payable_minor, currency=currency, number=f"N-{next(numbers)}"
        )
        with transaction(engine) as session:
            (issued,) = invoices.issue(session, [document], actor="sim", ids=ids, now=START)
            assert isinstance(issued, invoices.InvoiceRecord), issued
            invoices.accept(session, [issued.id], "sim", START)
        yield Deal(issued.id, buyer, payable_minor)


def _at_rest(engine: Any, chain: MemoryChain, sandbox: Sandbox, folder: Path) -> datetime:
    """Let a worker book what the founding left on the chain; return the time then."""
    settings = Settings(home=folder)
    store = SlotStore(folder / "founding-slots.sqlite3")
    signer = IntentSigner(engine, OPERATORS[0], store, limits(sandbox, settings))
    worker = Worker(
        engine=engine, chain=chain, signers=[signer], policy=policy.load(), settings=settings,
        ids=counted_ids(9_000), owner="founder",
    )  # fmt: skip
    now = START
    for _ in range(6):
        now += timedelta(seconds=1)
        worker.tick(now)
    worker.stop()
    store.close()
    return now
