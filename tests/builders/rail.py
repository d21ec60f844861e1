"""A founded rail for tests: chain in memory or real anvil, parties, money, mandates, a worker.

Time is the test's own: `now` moves by a second with every round, blocks come when they are mined.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text

from gateway.sandbox import Sandbox, found
from gateway.worker import Progress, Worker
from settlement import invoices
from settlement.chain.anvil import Anvil, AnvilOptions
from settlement.chain.anvil_controls import AnvilControls
from settlement.chain.evm import EvmChain
from settlement.chain.memory import MemoryChain
from settlement.chain.port import Address
from settlement.chain.rail_abi import BALANCE_OF, address_word
from settlement.chain.signing import GAS_CAP, KeyPair, sign_eip1559
from settlement.clock import Ids, counted_ids
from settlement.compliance import policy
from settlement.config import Settings
from settlement.participants import NewParticipant
from settlement.settlements.instruct import Instruction, instruct
from settlement.signer import IntentSigner, Signer, SlotStore
from settlement.signer.intents import SigningLimits
from settlement.store import open_engine, reading, transaction
from tests.invoices.builders import Companies, a_submission, an_lei

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
OPERATOR = KeyPair.of(b"\x17" * 32)
NAMES = ("seller", "buyer", "stranger")
_COMPANIES = [
    NewParticipant(lei=an_lei(f"5299{side}"), name=name, country=country, town=town)
    for side, name, country, town in (
        ("seller", "Nordlicht Pumpen GmbH", "DE", "Hamburg"),
        ("buyer", "Al Noor Trading LLC", "AE", "Dubai"),
        ("stranger", "Zhejiang Tools Co", "CN", "Hangzhou"),
    )
]


class NotReached(AssertionError):
    """The bound of rounds was used up before the condition held."""


@dataclass
class Rail:
    """Everything that a test moves, and short ways to look at it."""

    engine: Engine
    chain: Any
    controls: Any
    sandbox: Sandbox
    folder: Path
    settings: Settings
    ids: Ids
    now: datetime = NOW
    rounds: int = 0
    _opened: list[Any] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: iter(range(1, 10**6)))

    @property
    def companies(self) -> Companies:
        return Companies(
            *self.sandbox.participant_ids,
            leis={side: each.lei for side, each in zip(NAMES, _COMPANIES, strict=True)},
        )

    @property
    def seller_wallet(self) -> Address:
        return self.sandbox.wallets[0].address

    @property
    def buyer_wallet(self) -> Address:
        return self.sandbox.wallets[1].address

    def token(self, symbol: str = "TUSD") -> Address:
        return self.sandbox.deployment.token(symbol).address

    # Parts

    def signer(self, *, slots: str = "slots.sqlite3", keys: KeyPair = OPERATOR) -> IntentSigner:
        """A signer with a connection of its own, and the memory of slots that is named."""
        engine = open_engine(self.engine.url.render_as_string(hide_password=False))
        store = SlotStore(self.folder / slots)
        self._opened += [engine.dispose, store.close]
        limits = SigningLimits(
            chain_id=self.sandbox.deployment.chain_id,
            rail=self.sandbox.deployment.rail,
            max_fee_wei=self.settings.fee_cap_wei,
            gas_limit=GAS_CAP,
        )
        return IntentSigner(engine, keys, store, limits)

    def worker(
        self, owner: str = "worker-1", *, signer: Signer | None = None, chain: Any = None
    ) -> Worker:
        """A worker that has seen nothing yet, as after a start."""
        return Worker(
            engine=self.engine,
            chain=chain or self.chain,
            signers=[signer or self.signer()],
            policy=policy.load(),
            settings=self.settings,
            ids=self.ids,
            owner=owner,
        )

    def close(self) -> None:
        for close in self._opened:
            close()

    # Work

    def later(self, seconds: int) -> datetime:
        """Let our clock and the chain's move on together."""
        self.now += timedelta(seconds=seconds)
        self.controls.increase_time(seconds)
        return self.now

    def tick(self, worker: Worker) -> Progress:
        """One tick, a second after the last."""
        self.now += timedelta(seconds=1)
        return worker.tick(self.now)

    def round(self, worker: Worker) -> Progress:
        """A tick, and then a block with what is pooled."""
        progress = self.tick(worker)
        self.controls.mine()
        self.rounds += 1
        return progress

    def run_until(
        self, worker: Worker, reached: Callable[[], bool], *, rounds: int = 40
    ) -> list[Progress]:
        """Rounds until the condition holds; at most so many."""
        done = []
        for _ in range(rounds):
            if reached():
                return done
            done.append(self.round(worker))
        if reached():
            return done
        raise NotReached(
            f"after {rounds} rounds: {self.states()} {self.rows('SELECT * FROM lane')}"
        )

    def settle_all(self, worker: Worker, *, rounds: int = 40) -> None:
        """Rounds until every settlement is SETTLED."""
        self.run_until(worker, lambda: set(self.states().values()) == {"SETTLED"}, rounds=rounds)

    # What people do

    def issued(self, payable_minor: int = 100_000, **changes: Any) -> str:
        """An issued invoice in USD, by number the next."""
        changes = {"currency": "USD", "number": f"N-{next(self._numbers)}", **changes}
        with transaction(self.engine) as session:
            (answer,) = invoices.issue(
                session,
                [a_submission(self.companies, payable_minor=payable_minor, **changes)],
                actor="test",
                ids=self.ids,
                now=self.now,
            )
        assert isinstance(answer, invoices.InvoiceRecord), answer
        return answer.id

    def accepted(self, payable_minor: int = 100_000, **changes: Any) -> str:
        """An invoice that its buyer has accepted."""
        invoice_id = self.issued(payable_minor, **changes)
        with transaction(self.engine) as session:
            invoices.accept(session, [invoice_id], "test", self.now)
        return invoice_id

    def instruct(self, *invoice_ids: str, **terms: Any) -> list[str]:
        """Settlements of invoices, all with the same further terms."""
        with transaction(self.engine) as session:
            return instruct(
                session,
                [Instruction(each, **terms) for each in invoice_ids],
                actor="test",
                ids=self.ids,
                now=self.now,
            )

    def instructed(self, count: int = 1, payable_minor: int = 100_000, **changes: Any) -> list[str]:
        """So many settlements, each of an accepted invoice of its own."""
        found = [self.accepted(payable_minor + place, **changes) for place in range(count)]
        return self.instruct(*found)

    def signed(self, signer: KeyPair, to: Address, data: bytes) -> bytes:
        """A call of an account, signed with its next nonce."""
        raw, _ = sign_eip1559(
            signer.key,
            chain_id=self.sandbox.deployment.chain_id,
            nonce=self.chain.nonce(signer.address),
            to=to,
            data=data,
            gas_limit=300_000,
            max_fee_wei=100 * 10**9,
            max_priority_fee_wei=50 * 10**9,
        )
        return raw

    def on_chain(self, signer: KeyPair, to: Address, data: bytes) -> None:
        """Let an account call a contract, mined at once in a block of its own."""
        self.chain.send([self.signed(signer, to, data)])
        self.controls.mine()
        receipts = self.chain.receipts([self.chain.head()])[0]
        assert [each.status for each in receipts if each.sender == signer.address] == [1]

    # Looking

    def rows(self, sql: str, **params: Any) -> list[Any]:
        with reading(self.engine) as session:
            return list(session.connection().execute(text(sql), params).all())

    def one(self, sql: str, **params: Any) -> Any:
        (row,) = self.rows(sql, **params)
        return row[0] if len(row) == 1 else row

    def write(self, sql: str, **params: Any) -> None:
        """Change a row by hand."""
        with transaction(self.engine) as session:
            assert session.connection().execute(text(sql), params).rowcount, sql

    def states(self) -> dict[str, str]:
        return dict(map(tuple, self.rows("SELECT id, state FROM settlement ORDER BY id")))

    def act(self, act: Callable[..., Any], *ids: str, **words: Any) -> None:
        """Let a person do something to settlements, such as `control.hold`."""
        with transaction(self.engine) as session:
            act(session, ids, actor="ana", now=self.now, **words)

    def state(self, settlement_id: str) -> str:
        return self.states()[settlement_id]

    def moves(self, settlement_id: str) -> list[str]:
        """The moves that a settlement has made, in order."""
        sql = "SELECT move FROM settlement_event WHERE settlement_id = :id ORDER BY id"
        return [row.move for row in self.rows(sql, id=settlement_id)]

    def told(self, key: str) -> list[str]:
        """What the outside was told about something, in order."""
        sql = "SELECT kind FROM outbox WHERE aggregate_id = :key ORDER BY seq"
        return [row.kind for row in self.rows(sql, key=key)]

    def invoice(self, invoice_id: str) -> Any:
        sql = "SELECT * FROM invoice WHERE id = :id"
        return self.one(sql, id=invoice_id)

    def invoice_of(self, settlement_id: str) -> Any:
        sql = "SELECT invoice_id FROM settlement WHERE id = :id"
        return self.invoice(self.one(sql, id=settlement_id))

    def balance(self, holder: Address, symbol: str = "TUSD") -> int:
        """What the chain says that a wallet holds."""
        call = (self.token(symbol), BALANCE_OF + address_word(holder))
        return int(self.chain.call_many([call])[0], 16)

    def booked(self, holder: Address, symbol: str = "TUSD") -> int:
        """What the books say that a wallet holds."""
        sql = (
            "SELECT COALESCE(SUM(b.posted_minor), 0) FROM balance b JOIN account a"
            " ON a.id = b.account_id WHERE a.code = :code"
        )
        return int(self.one(sql, code=f"wallet:{holder}:{symbol}"))

    def reserved(self, holder: Address, symbol: str = "TUSD") -> int:
        """What of a wallet's money is set aside."""
        sql = (
            "SELECT COALESCE(SUM(b.reserved_minor), 0) FROM balance b JOIN account a"
            " ON a.id = b.account_id WHERE a.code = :code"
        )
        return int(self.one(sql, code=f"wallet:{holder}:{symbol}"))

    def paid_logs(self) -> list[tuple[int, int]]:
        """(sequence, amount) of every canonical Settled that the watcher has stored."""
        sql = (
            "SELECT l.sequence, l.amount_minor FROM chain_log l JOIN block b"
            " ON b.hash = l.block_hash AND b.canonical WHERE l.name = 'Settled'"
            " ORDER BY l.block_number, l.log_index"
        )
        return [tuple(row) for row in self.rows(sql)]

    def lane(self) -> Any:
        return self.one("SELECT * FROM lane")


@contextmanager
def a_rail(engine: Engine, folder: Path, **changes: Any) -> Iterator[Rail]:
    """A founded rail on a chain in memory that mines when told to."""
    chain = MemoryChain(genesis_timestamp=int(NOW.timestamp()) - 60, automine=False)
    rail = _founded(engine, chain, chain, folder, changes)
    yield rail
    rail.close()


@contextmanager
def an_anvil_rail(engine: Engine, folder: Path, **changes: Any) -> Iterator[Rail]:
    """The same on a real anvil."""
    started = int(NOW.timestamp()) - 120
    with Anvil(AnvilOptions(no_mining=True, genesis_timestamp=started)) as anvil:
        chain, controls = EvmChain(anvil.url), AnvilControls(anvil.url)
        rail = _founded(engine, chain, controls, folder, changes)
        yield rail
        rail.close()
        chain.close()
        controls.close()


def _founded(
    engine: Engine, chain: Any, controls: Any, folder: Path, changes: dict[str, Any]
) -> Rail:
    ids = counted_ids()
    sandbox = found(
        engine,
        chain,
        operators=[OPERATOR.address],
        companies=_COMPANIES,
        ids=ids,
        now=NOW,
        between_looks=controls.mine,
        looks=50,
    )
    controls.mine(12)  # The starting balances are deep enough to be booked, and final.
    settings = Settings(home=folder, **changes)
    return Rail(engine, chain, controls, sandbox, folder, settings, ids)
