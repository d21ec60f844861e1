"""A founded rail for tests: chain in memory or real anvil, parties, money, mandates, a worker.

Time is the test's own: `now` moves by a second with every round, blocks come when they are mined.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text

from gateway.sandbox import Sandbox
from gateway.worker import Progress, Worker
from settlement import invoices
from settlement.chain.anvil import Anvil, AnvilOptions
from settlement.chain.anvil_controls import AnvilControls
from settlement.chain.evm import EvmChain
from settlement.chain.memory import MemoryChain
from settlement.chain.port import Address
from settlement.chain.signing import GAS_CAP, KeyPair, sign_eip1559
from settlement.clock import Ids, counted_ids
from settlement.compliance import policy
from settlement.config import Settings
from settlement.settlements.instruct import Instruction, instruct
from settlement.signer import IntentSigner, Signer, SlotStore
from settlement.signer.intents import SigningLimits
from settlement.signer.port import KeyHolder
from settlement.store import transaction
from tests.builders.founded import a_founded_world, founded
from tests.builders.looking import Looking
from tests.builders.three_companies import COMPANIES, NAMES
from tests.invoices.builders import Companies, a_submission

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
OPERATOR = KeyPair.of(b"\x17" * 32)


class NotReached(AssertionError):
    """The bound of rounds was used up before the condition held."""


@dataclass
class Rail(Looking):
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
    rpc_url: str = ""
    _opened: list[Any] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: iter(range(1, 10**6)))

    @property
    def companies(self) -> Companies:
        return Companies(
            *self.sandbox.participant_ids,
            leis={side: each.lei for side, each in zip(NAMES, COMPANIES, strict=True)},
        )

    @property
    def seller_wallet(self) -> Address:
        return self.sandbox.wallets[0].address

    @property
    def buyer_wallet(self) -> Address:
        return self.sandbox.wallets[1].address

    # Parts

    def signer(
        self, *, slots: str = "slots.sqlite3", keys: KeyHolder = OPERATOR, **limits: Any
    ) -> IntentSigner:
        """A signer with a connection of its own, and the memory of slots that is named."""
        store = SlotStore(self.folder / slots)
        limits = SigningLimits(
            chain_id=self.sandbox.deployment.chain_id,
            rail=self.sandbox.deployment.rail,
            max_fee_wei=self.settings.fee_cap_wei,
            gas_limit=GAS_CAP,
            **limits,
        )
        signer = IntentSigner(self.engine, keys, store, limits)
        self._opened += [signer.close, store.close]
        return signer

    def worker(
        self,
        owner: str = "worker-1",
        *,
        signer: Signer | None = None,
        chain: Any = None,
        beside: Sequence[Signer] = (),
    ) -> Worker:
        """A worker that has seen nothing yet, as after a start; `beside`: more lanes' signers."""
        return Worker(
            engine=self.engine,
            chain=chain or self.chain,
            signers=[signer or self.signer(), *beside],
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

    def act(self, act: Callable[..., Any], *ids: str, **words: Any) -> None:
        """Let a person do something to settlements, such as `control.hold`."""
        with transaction(self.engine) as session:
            act(session, ids, actor="ana", now=self.now, **words)

    def write(self, sql: str, **params: Any) -> None:
        """Change a row by hand."""
        with transaction(self.engine) as session:
            assert session.connection().execute(text(sql), params).rowcount, sql

    def let_go(self) -> None:
        """Free lanes and duty, as if whoever had them had given them up."""
        for table in ("lane", "duty"):
            with transaction(self.engine) as session:
                session.connection().execute(text(f"UPDATE {table} SET lease_owner = NULL"))

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
                actor="treasury:test",
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


@contextmanager
def a_rail(
    engine: Engine,
    folder: Path,
    *,
    operators: Sequence[KeyPair] = (OPERATOR,),
    registrar: KeyPair | None = None,
    **changes: Any,
) -> Iterator[Rail]:
    """A founded rail on a chain in memory that mines when told to; a lane for each operator."""
    chain, sandbox, ids = a_founded_world(
        engine,
        MemoryChain(genesis_timestamp=int(NOW.timestamp()) - 60, automine=False),
        (tuple(operators), registrar),
        lambda chain, ids: founded(engine, chain, chain, ids, NOW, operators, registrar),
    )
    settings = Settings(home=folder, **changes)
    rail = Rail(engine, chain, chain, sandbox, folder, settings, ids)
    yield rail
    rail.close()


@contextmanager
def an_anvil_rail(
    engine: Engine,
    folder: Path,
    *,
    now: datetime = NOW,
    operators: Sequence[KeyPair] = (OPERATOR,),
    registrar: KeyPair | None = None,
    **changes: Any,
) -> Iterator[Rail]:
    """The same on a real anvil; its clock begins two minutes before `now`."""
    started = int(now.timestamp()) - 120
    with Anvil(AnvilOptions(no_mining=True, genesis_timestamp=started)) as anvil:
        chain, controls = EvmChain(anvil.url), AnvilControls(anvil.url)
        ids = counted_ids()
        sandbox = founded(engine, chain, controls, ids, now, operators, registrar)
        settings = Settings(home=folder, **changes)
        rail = Rail(engine, chain, controls, sandbox, folder, settings, ids, now)
        rail.rpc_url = anvil.url
        yield rail
        rail.close()
        chain.close()
        controls.close()
