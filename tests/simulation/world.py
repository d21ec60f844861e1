"""One schedule's world: files, chain, clock, ids, two workers' places, a gateway, and a log.

Knows how to start and end processes; what happens when is the driver's business.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text

from gateway.worker import Worker
from settlement import participants
from settlement.chain.keccak import keccak
from settlement.chain.memory import MemoryChain
from settlement.chain.memory.pool import ANVIL_RULES, GETH_RULES
from settlement.compliance import policy
from settlement.config import Settings
from settlement.signer import IntentSigner, Signer, SlotStore
from settlement.store import open_engine, transaction
from tests.simulation.glass import Glass
from tests.simulation.life import Life, Orders
from tests.simulation.node import FaultyNode
from tests.simulation.signing import FaultySigner
from tests.simulation.template import (
    DATABASE,
    OPERATORS,
    Template,
    copy_database,
    fork,
    limits,
)

WORKERS = 2
HALTING = {"rpc.identity.foreign": "chain", "rpc.send.malformed": "the node says"}
"""Faults that stop a lane for a person, and a word of the reason that it then gives."""
_POLICY = policy.load()


@dataclass(frozen=True, slots=True)
class Setup:
    """What does not change within a schedule."""

    lanes: int = 1
    worker_lanes_max: int = 2
    """With one each, two workers share the lanes; with two, the second looks on."""
    batch_payments_max: int = 100
    lane_in_flight_max: int = 256
    clearance_lifetime_seconds: int = 3600
    is_geth: bool = False
    deaths_are_known: bool = True
    """Whether a worker can tell that the one before it has ended, as on the same host."""


class Files:
    """A folder with one schedule's files, and engines that are kept warm from one to the next.

    An engine holds nothing but connections and compiled statements: a process's death closes its
    connections, and the next one opens new ones.
    """

    def __init__(self, template: Template, folder: Path) -> None:
        self.template, self.folder = template, folder
        folder.mkdir(parents=True, exist_ok=True)
        url = f"sqlite:///{folder / DATABASE}"
        self.workers = [open_engine(url) for _ in range(WORKERS)]
        self.signers = [open_engine(url) for _ in range(WORKERS)]
        self.gateway, self.driver = open_engine(url), open_engine(url)
        self.glass = Glass(folder / DATABASE)

    def renew(self) -> None:
        """Begin again from the template."""
        self.close()
        copy_database(self.template, self.folder)

    def close(self) -> None:
        """Close every connection."""
        for engine in (*self.workers, *self.signers, self.gateway, self.driver):
            engine.dispose()
        self.glass.close()


@dataclass(slots=True)
class Place:
    """A worker's place: the process that is there now, what is ordered for it, its node."""

    orders: Orders
    node: FaultyNode
    life: Life | None = None
    lives: int = 0
    signer_faults: list[str] = field(default_factory=list)
    slots: list[SlotStore] = field(default_factory=list)


class World:
    """Everything that a schedule moves."""

    def __init__(self, files: Files, seed: int, setup: Setup) -> None:
        files.renew()
        self.files, self.setup = files, setup
        self.template = files.template
        self.chain: MemoryChain = fork(files.template.chain)
        self.chain._pool.rules = GETH_RULES if setup.is_geth else ANVIL_RULES
        self.now: datetime = files.template.now
        self.settings = Settings(
            home=files.folder,
            batch_payments_max=setup.batch_payments_max,
            lane_in_flight_max=setup.lane_in_flight_max,
            worker_lanes_max=setup.worker_lanes_max,
            lane_threads_max=1,  # One lane after the other: what runs beside is no schedule.
            clearance_lifetime_seconds=setup.clearance_lifetime_seconds,
        )
        self._ids = random.Random(seed)
        self._newest_id = files.template.next_id
        self.faults: Counter[str] = Counter()
        self.passed: Counter[str] = Counter()
        self.crashed: Counter[str] = Counter()
        self.log: list[str] = []
        self.dead: set[str] = set()
        self.unstored: list[str] = []
        """Hashes of bytes that a worker handed to its node before they were stored."""
        self.running: Life | None = None
        self.places = [
            Place(Orders(), FaultyNode(self.chain, self.injected, self._handed_over))
            for _ in range(WORKERS)
        ]

    @property
    def engine(self) -> Engine:
        """The driver's own connection."""
        return self.files.driver

    def ids(self, prefix: str) -> str:
        """Give an id that is newer than all before."""
        self._newest_id += self._ids.randrange(1, 1 << 32)
        return f"{prefix}_{self._newest_id:032x}"

    def clock(self) -> datetime:
        """Return the time as every process reads it."""
        return self.now

    def injected(self, fault: str) -> None:
        """Count a fault that has happened."""
        self.faults[fault] += 1

    def may_halt(self, reason: str) -> bool:
        """Whether a fault has happened that only a person can undo, and the reason names it."""
        return any(self.faults[fault] and words in reason for fault, words in HALTING.items())

    def later(self, milliseconds: int) -> None:
        """Let the processes' clocks move on."""
        self.now += timedelta(milliseconds=milliseconds)

    def step(self, place: Place) -> Life:
        """Let the process at a place run to its next stop; start one where there is none."""
        if place.life is None or not place.life.alive:
            self._start(place)
        life = place.life
        assert life is not None
        self.running = life
        try:
            life.step()
        finally:
            self.running = None
        if not life.alive:
            self.bury(place)
        return life

    def stop(self, place: Place) -> Life:
        """Ask the process at a place to end by itself."""
        life = place.life
        assert life is not None, "there is one"
        self.running = life
        try:
            life.stop()
        finally:
            self.running = None
        self.bury(place)
        return life

    def kill(self, place: Place) -> None:
        """End the process at a place, wherever it has stopped."""
        life = place.life
        if life is None:
            return
        self.running = life
        try:
            life.kill()
        finally:
            self.running = None
        self.bury(place)

    def bury(self, place: Place) -> None:
        """Close what a dead process held open."""
        if place.life is not None and place.life.worker is not None:
            self.dead.add(place.life.worker.owner)
        place.life = None
        self._close(place)

    def end(self) -> None:
        """End every process."""
        for place in self.places:
            self.kill(place)
        self.files.close()

    def rows(self, sql: str, **params: Any) -> list[Any]:
        """Look into the database."""
        return self.files.glass.rows(sql, **params)

    def write(self, sql: str, **params: Any) -> None:
        """Change the database as an operator's command does."""
        with transaction(self.engine) as session:
            session.connection().execute(text(sql), params)

    def _handed_over(self, raws: Sequence[bytes]) -> None:
        """Look whether bytes that a node is given stand in a commit already."""
        for raw in raws:
            tx_hash = "0x" + keccak(raw).hex()
            if not self.rows("SELECT 1 FROM attempt WHERE hash = :hash", hash=tx_hash):
                self.unstored.append(tx_hash)

    def _start(self, place: Place) -> None:
        place.lives += 1
        number = self.places.index(place)
        name = f"worker-{number}.{place.lives}"
        engine = self.files.workers[number]
        place.life = Life(
            lambda: self._open(place, number, name),
            self.clock,
            place.orders,
            lambda: engine.pool.checkedout() > 0,  # type: ignore[attr-defined]
            self.injected,
        )

    def _open(self, place: Place, number: int, name: str) -> Worker:
        """Do what `wiring.worker` does: look whether chain and records belong together."""
        engine = self.files.workers[number]
        participants.require_registry(engine, place.node)
        self._close(place)
        signers: list[Signer] = []
        for pair in OPERATORS[: self.setup.lanes]:
            store = SlotStore(self.files.folder / "slots.sqlite3")
            place.slots.append(store)
            inside = IntentSigner(
                self.files.signers[number],
                pair,
                store,
                limits(self.template.sandbox, self.settings),
            )
            signers.append(FaultySigner(inside, place.signer_faults, self.injected, self.clock))
        return Worker(
            engine=engine,
            chain=place.node,
            signers=signers,
            policy=_POLICY,
            settings=self.settings,
            ids=self.ids,
            owner=name,
            has_ended=self.dead.__contains__
            if self.setup.deaths_are_known
            else (lambda _owner: False),
        )

    def _close(self, place: Place) -> None:
        for store in place.slots:
            store.close()
        place.slots.clear()
        number = self.places.index(place)
        self.files.workers[number].dispose()
        self.files.signers[number].dispose()
