"""A small healthy day on the rail, by its own code over a chain in memory: what the checker likes.

In it: a booked payment that a reorg takes back and brings again, a rejection that is paid on retry
with the same sequence, a batch that a cancel replaces, a part payment, a credit note, a deposit
that nobody instructed. Everything is final at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text

from gateway import sandbox
from gateway.worker import Progress, Worker
from settlement import audit, invoices
from settlement.chain import admin_abi
from settlement.chain.dev_keys import dev_keys
from settlement.chain.memory import MemoryChain
from settlement.chain.port import Address
from settlement.chain.signing import GAS_CAP, KeyPair, sign_eip1559
from settlement.clock import Ids, counted_ids, to_micros
from settlement.compliance import policy
from settlement.config import Settings
from settlement.participants import NewParticipant
from settlement.settlements import control
from settlement.settlements.instruct import Instruction, instruct
from settlement.signer import IntentSigner, SlotStore
from settlement.signer.intents import SigningLimits
from settlement.store import transaction
from tests.builders.approved import approve_all
from tests.invoices.builders import Companies, a_submission, an_lei

GENESIS_TIME = 1_795_000_000
OPERATOR = KeyPair.of(b"\x17" * 32)
ADMIN = dev_keys(1)[0]
NAMES = ("seller", "buyer", "stranger")


@dataclass
class World:
    """The rail's parts, and the hands that move them."""

    engine: Engine
    chain: Any
    worker: Worker
    place: sandbox.Sandbox
    companies: Companies
    ids: Ids
    settlements: dict[str, str] = field(default_factory=dict)
    """Ids of settlements by the word that a story has for them."""
    invoices: dict[str, str] = field(default_factory=dict)

    def now(self) -> datetime:
        """The chain's own time: the only clock of the story."""
        return datetime.fromtimestamp(self.chain.head().timestamp, UTC)

    def tick(self) -> Progress:
        return self.worker.tick(self.now())

    def turns(self, count: int) -> None:
        """Mine and tick, `count` times."""
        for _ in range(count):
            self.chain.mine()
            self.tick()

    def invoice(self, word: str, minor: int, **changes: Any) -> str:
        """Issue an invoice in USD and accept it."""
        changes |= {"number": f"RE-{word}", "payable_minor": minor, "currency": "USD"}
        submission = a_submission(self.companies, **changes)
        with transaction(self.engine) as session:
            (issued,) = invoices.issue(
                session, [submission], actor="seller", ids=self.ids, now=self.now()
            )
            assert isinstance(issued, invoices.InvoiceRecord), issued
            if issued.type_code != "381":
                invoices.accept(session, [issued.id], "buyer", self.now())
        self.invoices[word] = issued.id
        return issued.id

    def pay(self, word: str, minor: int | None = None) -> str:
        """Instruct (a part of) an invoice."""
        with transaction(self.engine) as session:
            (key,) = instruct(
                session,
                [Instruction(self.invoices[word], minor)],
                actor="importer:buyer",
                ids=self.ids,
                now=self.now(),
            )
        self.settlements[word if minor is None else f"{word}-part"] = key
        return key

    def send(self, signer: KeyPair, to: Address, calldata: bytes) -> None:
        """Send a chain transaction that is not the rail's."""
        raw, _ = sign_eip1559(
            signer.key,
            chain_id=self.chain.identity().chain_id,
            nonce=self.chain.nonce(signer.address),
            to=to,
            data=calldata,
            gas_limit=200_000,
            max_fee_wei=10**11,
            max_priority_fee_wei=10**9,
        )
        self.chain.send([raw])

    def write(self, statement: str, **values: Any) -> None:
        """Change the database by hand."""
        with transaction(self.engine) as session:
            session.connection().execute(text(statement), values)

    def close(self) -> None:
        """Let go of the signer's own connection to the database."""
        for signer in self.worker.signers:
            signer.close()  # type: ignore[attr-defined]

    def token(self, symbol: str = "TUSD") -> Address:
        return self.place.deployment.token(symbol).address


def a_world(engine: Engine, folder: Path, chain: Any = None) -> World:
    """Found a rail with three companies, mandates granted; nothing is invoiced yet.

    `chain` is one that mines only when told to; by default one in memory.
    """
    if chain is None:
        chain = MemoryChain(automine=False, genesis_timestamp=GENESIS_TIME, block_seconds=2)
    ids = counted_ids(1)
    leis = {side: an_lei(f"5299{side}") for side in NAMES}
    companies = [
        NewParticipant(lei=leis[side], name=side.title(), country="DE", town="Hamburg")
        for side in NAMES
    ]
    now = datetime.fromtimestamp(GENESIS_TIME, UTC)
    place = sandbox.found(
        engine, chain, operators=[OPERATOR.address], companies=companies,
        ids=ids, now=now, between_looks=chain.mine,
    )  # fmt: skip
    settings = Settings(home=folder)
    limits = SigningLimits(
        chain_id=place.deployment.chain_id, rail=place.deployment.rail,
        max_fee_wei=settings.fee_cap_wei, gas_limit=GAS_CAP,
    )  # fmt: skip
    signer = IntentSigner(engine, OPERATOR, SlotStore(folder / "slots.sqlite3"), limits)
    worker = Worker(
        engine=engine, chain=chain, signers=[signer], policy=policy.load(),
        settings=settings, ids=ids, owner="tests",
    )  # fmt: skip
    return World(engine, chain, worker, place, Companies(*place.participant_ids, leis=leis), ids)


def a_day(world: World) -> None:
    """Let the day of the module's text happen."""
    world.turns(8)  # The starting balances are large: booked only at six confirmations.
    two_alike_in_one_batch(world)
    a_reorg_of_a_booked_payment(world)
    a_rejection_and_its_retry(world)
    a_cancelled_batch(world)
    a_part_a_credit_note_and_a_deposit(world)
    an_acknowledged_answer(world)
    a_payment_that_needs_another_person(world)
    acts_in_the_trail(world)
    world.turns(30)


def a_payment_that_needs_another_person(world: World) -> None:
    world.invoice("large", 30_000_000)
    world.pay("large")
    approve_all(world.engine, world.now())
    world.tick()


def acts_in_the_trail(world: World) -> None:
    for number in range(6):
        with transaction(world.engine) as session:
            act = audit.Act("per_anna", "treasury", f"act {number}", ("a", f"b{number}"))
            audit.record(session, act, world.now())


def an_acknowledged_answer(world: World) -> None:
    body = f'{{"id": "{world.invoices["first"]}"}}'.encode()
    world.write(
        "INSERT INTO idempotency (caller, route, key, body_hash, status, media_type, body,"
        " created_at) VALUES ('demo', 'POST /v1/invoices', 'k1', 'h', 201, 'application/json',"
        " :body, :at)",
        body=body,
        at=to_micros(world.now()),
    )


def two_alike_in_one_batch(world: World) -> None:
    for word in ("first", "twin", "other"):
        world.invoice(word, 50_000 if word != "other" else 7_500)
        world.pay(word)
    world.tick()
    world.turns(2)


def a_reorg_of_a_booked_payment(world: World) -> None:
    world.invoice("orphaned", 12_345)
    world.pay("orphaned")
    world.tick()
    world.turns(2)
    world.chain.reorg(2)
    world.tick()
    world.turns(2)


def a_rejection_and_its_retry(world: World) -> None:
    creditor = world.place.wallets[0].address
    world.send(ADMIN, world.token(), admin_abi.freeze_calldata(creditor))
    world.turns(1)
    world.invoice("rejected", 99_900)
    world.pay("rejected")
    world.tick()
    world.turns(14)
    world.send(ADMIN, world.token(), admin_abi.unfreeze_calldata(creditor))
    world.turns(1)
    with transaction(world.engine) as session:
        control.retry(session, [world.settlements["rejected"]], actor="treasury", now=world.now())
    world.tick()
    world.turns(2)


def a_cancelled_batch(world: World) -> None:
    world.invoice("cancelled", 31_000)
    key = world.pay("cancelled")
    world.tick()
    world.write(
        "UPDATE clearance SET revoked_at = :at WHERE settlement_id = :key",
        at=to_micros(world.now()) + 1,
        key=key,
    )
    world.tick()
    world.turns(16)


def a_part_a_credit_note_and_a_deposit(world: World) -> None:
    world.invoice("parted", 80_000)
    world.pay("parted", 30_000)
    world.invoice(
        "note", 20_000, type_code="381", preceding_number="RE-parted", source_type_code="381"
    )
    sender, receiver = world.place.wallets[2], world.place.wallets[1]
    world.send(sender, world.token(), admin_abi.transfer_calldata(receiver.address, 4_200_000))
    world.turns(1)
    world.send(sender, world.token(), admin_abi.transfer_calldata(OPERATOR.address, 1_000_000))
    world.tick()
    world.turns(1)


def rows(engine: Engine, statement: str) -> Sequence[Any]:
    """Return what a query gives."""
    with engine.connect() as connection:
        return connection.execute(text(statement)).all()
