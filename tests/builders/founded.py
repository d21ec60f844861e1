"""Worlds founded once in a test process and copied after that: the chain in memory, the database.

An engine that is handed in has seen nothing but migration. Runs no worker.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import Engine, text

from gateway.sandbox import Sandbox, found
from settlement.chain.memory import MemoryChain
from settlement.chain.signing import KeyPair
from settlement.clock import Ids, counted_ids
from tests.builders.three_companies import COMPANIES
from tests.postgres import copied, dropped

UNTOUCHED = "SELECT " + " + ".join(
    f"(SELECT COUNT(*) FROM {table})"
    for table in ("deployment", "outbox", "participant", "list_version", "journal_entry")
)


@dataclass(frozen=True, slots=True)
class Template:
    """A founded world at rest."""

    database: bytes | str
    """A file's content, or the name of a database on the same server."""
    chain: bytes
    sandbox: Sandbox
    ids_used: int


_templates: dict[Hashable, Template] = {}


def a_founded_world(
    engine: Engine,
    chain: MemoryChain,
    key: Hashable,
    make: Callable[[MemoryChain, Ids], Sandbox],
) -> tuple[MemoryChain, Sandbox, Ids]:
    """Return what `make` makes of the chain and the database, the ids going on after its own.

    All that a founding depends on is in `key`: of the same key it is copied.
    """
    with engine.connect() as connection:
        assert connection.execute(text(UNTOUCHED)).scalar_one() == 0, "something is there already"
    engine.dispose()  # Neither a file nor a database is copied while somebody has it open.
    keep, give = (
        (_keep_file, _give_file) if engine.dialect.name == "sqlite" else (_keep_named, _give_named)
    )
    server = (engine.dialect.name, engine.url.query.get("host"))
    whole_key = (server, key)
    known = _templates.get(whole_key)
    if known is not None:
        give(engine, known.database)
        return pickle.loads(known.chain), known.sandbox, counted_ids(1 + known.ids_used)
    used = 0
    ids = counted_ids()

    def counting(prefix: str) -> str:
        nonlocal used
        used += 1
        return ids(prefix)

    sandbox = make(chain, counting)
    engine.dispose()
    kept = keep(engine, f"founded_{len(_templates)}")
    _templates[whole_key] = Template(kept, pickle.dumps(chain), sandbox, used)
    return chain, sandbox, counting


def founded(
    engine: Engine,
    chain: Any,
    controls: Any,
    ids: Ids,
    now: datetime,
    operators: Sequence[KeyPair],
    registrar: KeyPair | None,
) -> Sandbox:
    """Found the three companies' world, its blocks mined by `controls`."""
    sandbox = found(
        engine,
        chain,
        operators=[each.address for each in operators],
        companies=COMPANIES,
        ids=ids,
        now=now,
        between_looks=controls.mine,
        looks=50,
        registrar=registrar,
    )
    controls.mine(12)  # The starting balances are deep enough to be booked, and final.
    return sandbox


def _keep_file(engine: Engine, _name: str) -> bytes:
    return _file_of(engine).read_bytes()


def _give_file(engine: Engine, content: Any) -> None:
    _file_of(engine).write_bytes(content)


def _file_of(engine: Engine) -> Path:
    file = Path(str(engine.url.database))
    # The last connection has closed: SQLite has moved the write-ahead log into the file.
    assert not file.with_name(f"{file.name}-wal").exists()
    return file


def _keep_named(engine: Engine, name: str) -> str:
    own = str(engine.url.database)
    _say(engine, copied(name, own))
    return name


def _give_named(engine: Engine, name: Any) -> None:
    own = str(engine.url.database)
    _say(engine, dropped(own), copied(own, name))


def _say(engine: Engine, *statements: sql.Composed) -> None:
    url = engine.url.set(drivername="postgresql", database="postgres")
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as server:
        for each in statements:
            server.execute(each)
