"""Everything that `settle up` and the demo start: chain, founding, keys, signer, gateway, worker.

Ends all of it when left. Test chains only: it signs with keys that every anvil knows.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from gateway import wiring
from gateway.demo.companies import COMPANIES
from gateway.demo.world import demo_keys, demo_participants
from gateway.kept_node import ChainLost, KeptNode, require_records
from gateway.key_files import OperatorKey, operator_key, signing_key, write_private
from gateway.sandbox import Sandbox, found
from gateway.supervisor import Supervisor, free_port, lock_home
from settlement.chain.anvil import Anvil, AnvilOptions
from settlement.chain.evm import EvmChain
from settlement.chain.keystore import open_key
from settlement.clock import new_id
from settlement.config import Settings
from settlement.errors import ChainContradicts, ForeignChain
from settlement.sender import lanes
from settlement.sender.heal import heal
from settlement.signer import SlotStore
from settlement.store import reading, transaction
from settlement.store.replaced import FileReplaced


@dataclass(slots=True)
class Installation:
    """A rail that runs. `settings` are those that its parts were started with."""

    settings: Settings
    engine: Engine
    chain: EvmChain
    sandbox: Sandbox
    operators: tuple[OperatorKey, ...]
    api_keys: dict[str, str]
    supervisor: Supervisor

    @property
    def url(self) -> str:
        """The gateway's address."""
        return f"http://{self.settings.host}:{self.settings.port}"

    @property
    def company_names(self) -> tuple[str, ...]:
        """Short names of the companies, in the order of the sandbox's participants."""
        return tuple(company.key for company in COMPANIES)

    @property
    def operator(self) -> OperatorKey:
        """The first operator."""
        return self.operators[0]

    def start_worker(self) -> None:
        """Start the worker's process; until then somebody else may tick."""
        self.supervisor.start("worker")

    def halted_lanes(self) -> list[str]:
        """Return a line for each lane that waits for a person."""
        try:
            with reading(self.engine) as session:
                found = lanes.halted(session)
        except OperationalError as error:
            if isinstance(error.orig, FileReplaced):
                return [str(error.orig)]
            return []  # The database is busy or away: asked again in a moment.
        return [
            f"The lane {each.signer} is halted: {each.reason}. Look with `settle lane list`;"
            f" `settle lane heal {each.signer}` and `settle lane resume {each.signer}` are the"
            " way on."
            for each in found
        ]

    @classmethod
    @contextmanager
    def start(
        cls,
        settings: Settings,
        *,
        block_seconds: int | None,
        password: str | None = None,
    ) -> Iterator[Installation]:
        """Start all parts but the worker; `block_seconds` None: a block for each send.

        Raises:
            AlreadyRunning, PortTaken, PartFailed: with what to do; nothing is left running.
        """
        with ExitStack() as stack:
            stack.enter_context(lock_home(settings.home))
            port = free_port(settings.port, settings.host)
            settings = settings.model_copy(update={"port": port})
            if not settings.rpc_url:
                require_records(_state(settings.home), wiring.database_file(settings))
            # Before the chain begins: one without records is one that has lost them.
            engine = wiring.open_database(settings, create=True)
            stack.callback(engine.dispose)
            node = None
            if not settings.rpc_url:
                anvil = stack.enter_context(_own_chain(settings.home, block_seconds))
                settings = settings.model_copy(update={"rpc_url": anvil.url})
                node = KeptNode(anvil)
            # For whoever asks from another terminal; an address may hold a secret.
            node_file = wiring.node_file(settings.home)
            write_private(node_file, settings.rpc_url)
            stack.callback(node_file.unlink, missing_ok=True)
            places = range(1, settings.operators + 1)
            operators = tuple(operator_key(settings.home, password, place) for place in places)
            admin = signing_key(settings.home, password, "admin")
            chain = wiring.open_node(settings)
            stack.callback(chain.close)
            try:
                sandbox = found(
                    engine,
                    chain,
                    operators=[each.address for each in operators],
                    companies=demo_participants(),
                    ids=new_id,
                    now=wiring.now(),
                    registrar=open_key(admin.keystore, admin.password),
                )
            except (ChainContradicts, ForeignChain) as error:
                if node is None:
                    raise
                raise ChainLost(error) from error
            if node is not None:
                node.save()  # A crash from now on takes no contract that the records name.
            _write_down(sandbox.owner_calls, engine, chain, settings, admin)
            keys = demo_keys(engine, settings.home, sandbox.participant_ids, wiring.now())
            supervisor = Supervisor(settings, node=node)
            stack.callback(supervisor.stop)
            for place, operator in zip(places, operators, strict=True):
                supervisor.start(
                    f"signer{wiring.numbered(place)}",
                    *("--keystore", str(operator.keystore), "--place", str(place)),
                    password=operator.password,
                    command="signer",
                )
            supervisor.start(
                wiring.ADMIN_SIGNER, "--keystore", str(admin.keystore), "--admin",
                password=admin.password, command="signer",
            )  # fmt: skip
            supervisor.start("gateway")
            for place in places:
                supervisor.await_signer(f"signer{wiring.numbered(place)}")
            supervisor.await_signer(wiring.ADMIN_SIGNER)
            installation = cls(settings, engine, chain, sandbox, operators, keys, supervisor)
            supervisor.await_gateway(installation.url)
            yield installation


def _write_down(
    calls: int, engine: Engine, chain: EvmChain, settings: Settings, admin: OperatorKey
) -> None:
    """Let the admin's lane know of what its key has called past it, before anything is claimed."""
    with reading(engine) as session:
        (lane,) = (each for each in lanes.listed(session) if each.signer == admin.address)
    if not calls or chain.nonce(admin.address) <= lane.next_nonce:
        return
    now, memory = wiring.now(), SlotStore(settings.home / f"{wiring.ADMIN_SIGNER}.sqlite3")
    with closing(memory), transaction(engine) as session:
        lease = lanes.acquire(
            session, admin.address, owner=f"founding:{new_id('wrk')[-8:]}",
            lifetime=timedelta(minutes=10), now=now, gone=lanes.holder(session, admin.address),
        )  # fmt: skip
        signed_through = memory.highest(admin.address)
    assert lease is not None, "whoever held it has ended: the home is ours"
    heal(engine, chain, lease, settings, ids=new_id, now=now, signed_through=signed_through)
    with transaction(engine) as session:
        lanes.release(session, lease)


def _state(home: Path) -> Path:
    """Return the file that a home's own chain is kept in."""
    return home / "chain" / "state.json"


def _own_chain(home: Path, block_seconds: int | None) -> Anvil:
    """Return an anvil whose state and genesis block outlive a restart."""
    folder = _state(home).parent
    folder.mkdir(parents=True, exist_ok=True)
    genesis = folder / "genesis"
    if not genesis.exists():
        genesis.write_text(str(int(time.time()) - 1))
    return Anvil(
        AnvilOptions(
            block_seconds=block_seconds,
            mixed_mining=False,
            state=_state(home),
            genesis_timestamp=int(genesis.read_text()),
        ),
        directory=folder,
    )
