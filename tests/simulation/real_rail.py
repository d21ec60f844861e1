"""A founded rail on a real anvil with its database, for processes that are started and killed.

A proxy that can lie stands before the node; the checker and this side look at the node itself.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from sqlalchemy import Engine

from gateway import wiring
from gateway.sandbox import Sandbox, found
from gateway.supervisor import free_port
from settlement.chain.anvil import Anvil, AnvilOptions
from settlement.chain.anvil_controls import AnvilControls
from settlement.chain.evm import EvmChain
from settlement.chain.keystore import save_key
from settlement.clock import new_id
from settlement.store import migrate, open_engine
from tests.builders.looking import Looking
from tests.builders.rail import OPERATOR
from tests.builders.rpc_proxy import RpcProxy
from tests.builders.three_companies import COMPANIES, NAMES
from tests.gateway.builders import the_keys
from tests.invoices.builders import Companies
from tests.postgres import DURABLE, PostgresServer, start_postgres

PASSWORD = "known to everybody"


class Database(Protocol):
    """Where the rail's rows are."""

    name: str
    url: str

    def close(self) -> None:
        """End what was started."""


class SqliteDatabase:
    """A file, as it ships."""

    name = "sqlite"

    def __init__(self, folder: Path) -> None:
        self.file = folder / "settle.sqlite3"
        self.url = f"sqlite:///{self.file}"

    def close(self) -> None:
        """Nothing was started."""


class PostgresDatabase:
    """A server of its own that can be stopped as by a crash."""

    name = "postgresql"

    def __init__(self, folder: Path) -> None:
        del folder
        self.server: PostgresServer = start_postgres(DURABLE)
        self.server.create("rail")
        self.url = self.server.url("rail")

    def close(self) -> None:
        """Stop the server."""
        self.server.stop()


DATABASES = {"sqlite": SqliteDatabase, "postgresql": PostgresDatabase}


@dataclass
class RealRail(Looking):
    """What a schedule needs of the world; `rpc_url` is the proxy's, `chain` the node's own."""

    folder: Path
    database: Database
    anvil: Anvil
    chain: EvmChain
    controls: AnvilControls
    proxy: RpcProxy
    engine: Engine
    sandbox: Sandbox
    api_keys: dict[str, str]
    port: int
    keystore: Path
    settings: dict[str, str] = field(default_factory=dict)
    """Further SETTLE_ settings of all lives."""

    @property
    def companies(self) -> Companies:
        return Companies(
            *self.sandbox.participant_ids,
            leis={side: each.lei for side, each in zip(NAMES, COMPANIES, strict=True)},
        )

    def environment(self) -> dict[str, str]:
        """Return the settings that the rail's processes are started with."""
        return {
            "SETTLE_HOME": str(self.folder),
            "SETTLE_DATABASE_URL": self.database.url,
            "SETTLE_RPC_URL": self.proxy.url,
            "SETTLE_PORT": str(self.port),
            **self.settings,
        }


@contextmanager
def a_real_rail(folder: Path, database: str) -> Iterator[RealRail]:
    """A founded rail that processes can be started on."""
    with ExitStack() as stack:
        stored = DATABASES[database](folder)
        stack.callback(stored.close)
        anvil = stack.enter_context(
            Anvil(AnvilOptions(no_mining=True, genesis_timestamp=int(time.time()) - 60))
        )
        chain, controls = EvmChain(anvil.url, 120), AnvilControls(anvil.url, 120)
        stack.callback(chain.close)
        stack.callback(controls.close)
        proxy = RpcProxy(anvil.url)
        stack.callback(proxy.close)
        engine = open_engine(stored.url)
        stack.callback(engine.dispose)
        migrate(engine)
        sandbox = found(
            engine, chain,
            operators=[OPERATOR.address], companies=COMPANIES, ids=new_id, now=wiring.now(),
            between_looks=controls.mine, looks=50,
        )  # fmt: skip
        controls.mine(12)
        keystore = folder / "operator.json"
        save_key(keystore, OPERATOR.key, PASSWORD, work_factor=2**12)
        rail = RealRail(
            folder, stored, anvil, chain, controls, proxy, engine, sandbox, {},
            free_port(0, "127.0.0.1"), keystore,
        )  # fmt: skip
        rail.api_keys = the_keys(engine, folder, rail.companies, wiring.now())
        yield rail
