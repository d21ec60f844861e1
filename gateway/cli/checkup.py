"""What `settle doctor` looks at: each check says what it found and, if it is ill, what to do.

Repairs nothing. A check never raises for what it looks for: not being there is a finding.
"""

from __future__ import annotations

import os
import platform
import shutil
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from gateway import wiring
from gateway.cli.checkup_rail import rail_takes
from gateway.cli.checkup_records import Finding, Health, registry, waiting_lanes
from gateway.cli.failures import database_repair
from settlement import participants, watcher
from settlement.access.secret_files import SECRET_BYTES
from settlement.chain.anvil import find_anvil
from settlement.chain.port import BlockRef, ChainPort
from settlement.clock import from_micros
from settlement.config import Settings
from settlement.errors import ChainUnreachable, NotFound, RailError
from settlement.participants.deployments import tokens
from settlement.store import SchemaNotCurrent, open_engine, reading, require_current

DISK_FREE_MIN_MB = 1_000
CLOCK_DIFFERENCE_MAX_SECONDS = 60
SQLITE_OLDEST = (3, 40, 0)
BLOCKS_BEHIND_MAX = 20


def examine(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Yield a finding per check, the machine's first."""
    settings = settings.model_copy(update={"rpc_url": wiring.node_url(settings)})
    yield _python()
    yield _anvil()
    yield _disk(settings)
    yield from _private_files(settings)
    yield _port(settings)
    url = make_url(wiring.database_url(settings))
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        # Opening it would make an empty one.
        repair = "start `settle up` once, or run `settle doctor --migrate`"
        yield Finding("database", Health.DOUBTFUL, f"{url} does not exist yet", repair)
        yield from _on_the_chain(settings, None, now)
        return
    engine = open_engine(wiring.database_url(settings))
    try:
        database = _database(engine)
        yield database
        is_well = database.health is Health.WELL
        schema = _schema(engine) if is_well else Finding("schema", Health.SKIPPED, "no database")
        yield schema
        is_well = schema.health is Health.WELL
        if is_well:
            yield from waiting_lanes(engine)
        yield from _on_the_chain(settings, engine if is_well else None, now)
    finally:
        engine.dispose()


def _python() -> Finding:
    found = platform.python_version()
    if (3, 11) <= sys.version_info[:2] <= (3, 13):
        return Finding("python", Health.WELL, found)
    return Finding("python", Health.DOUBTFUL, found, "use Python 3.11, 3.12 or 3.13")


def _anvil() -> Finding:
    try:
        binary = find_anvil()
        shown = subprocess.run(
            [binary, "--version"], capture_output=True, text=True, timeout=20, check=True
        )
    except RailError as error:
        repair = getattr(error, "repair", None) or ""
        return Finding("anvil", Health.DOUBTFUL, str(error), f"{repair}; not needed with --rpc")
    except (OSError, subprocess.SubprocessError) as error:
        return Finding("anvil", Health.ILL, f"{binary}: {error}", "install it again")
    version = shown.stdout.partition("\n")[0].removeprefix("anvil Version: ")
    return Finding("anvil", Health.WELL, f"{version} at {binary}")


def _disk(settings: Settings) -> Finding:
    place = settings.home.absolute()
    while not place.exists():
        place = place.parent
    free_mb = shutil.disk_usage(place).free // 2**20
    if not os.access(place, os.W_OK):
        return Finding("disk", Health.ILL, f"{place} cannot be written", "choose another --home")
    if free_mb < DISK_FREE_MIN_MB:
        repair = f"make room: {DISK_FREE_MIN_MB} MB or more"
        return Finding("disk", Health.ILL, f"{free_mb} MB free at {place}", repair)
    return Finding("disk", Health.WELL, f"{free_mb} MB free at {place}")


def _private_files(settings: Settings) -> Iterator[Finding]:
    secret = [settings.home / "api-key.pepper", *sorted((settings.home / "keys").glob("*"))]
    exposed = [path for path in secret if path.is_file() and _others_may(path.stat().st_mode)]
    for path in exposed:
        repair = f"chmod 600 {path}, then make new keys"
        yield Finding("keys", Health.ILL, f"others may read {path}", repair)
    if secret[0].exists() and (length := secret[0].stat().st_size) != SECRET_BYTES:
        found = f"{secret[0]} holds {length} bytes, not {SECRET_BYTES}: no key is taken"
        yield Finding("keys", Health.ILL, found, "put it back from a copy of the home")
    elif not exposed:
        count = sum(path.is_file() for path in secret)
        yield Finding("keys", Health.WELL, f"{count} secret files, readable by their owner alone")


def _others_may(mode: int) -> bool:
    return bool(mode & (stat.S_IRWXG | stat.S_IRWXO))


def _port(settings: Settings) -> Finding:
    where = f"{settings.host}:{settings.port}"
    with socket.socket() as probe:
        probe.settimeout(2)
        is_taken = settings.port != 0 and probe.connect_ex((settings.host, settings.port)) == 0
    if not is_taken:
        return Finding("port", Health.WELL, f"{where} is free")
    if _is_ours(settings):
        return Finding("port", Health.WELL, f"a gateway answers at {where}")
    repair = "stop what listens there, or choose another with SETTLE_PORT or --port"
    return Finding("port", Health.DOUBTFUL, f"something else listens at {where}", repair)


def _is_ours(settings: Settings) -> bool:
    import http.client

    connection = http.client.HTTPConnection(settings.host, settings.port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _database(engine: Engine) -> Finding:
    where = engine.url.render_as_string(hide_password=True)
    try:
        with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                version = str(connection.execute(text("SELECT sqlite_version()")).scalar())
                state = str(connection.execute(text("PRAGMA quick_check(1)")).scalar())
            else:
                version, state = str(connection.execute(text("SHOW server_version")).scalar()), "ok"
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", error)
        return Finding("database", Health.ILL, f"{where}: {cause}", database_repair(error))
    if state != "ok":
        return Finding(
            "database", Health.ILL, f"{where}: {state}", "restore a backup: it is damaged"
        )
    is_old = engine.dialect.name == "sqlite" and _numbers(version) < SQLITE_OLDEST
    if is_old:
        return Finding("database", Health.ILL, f"SQLite {version}", "use SQLite 3.40 or newer")
    return Finding("database", Health.WELL, f"{engine.dialect.name} {version} at {where}")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _schema(engine: Engine) -> Finding:
    try:
        require_current(engine)
    except SchemaNotCurrent as error:
        repair = "back the database up, then run `settle doctor --migrate`"
        return Finding("schema", Health.ILL, str(error), repair)
    return Finding("schema", Health.WELL, "the newest")


def _on_the_chain(settings: Settings, engine: Engine | None, now: datetime) -> Iterator[Finding]:
    if not settings.rpc_url:
        yield Finding("chain", Health.SKIPPED, "SETTLE_RPC_URL is not set: `settle up` starts one")
        return
    chain = wiring.open_node(settings)
    try:
        newest = chain.head()
    except ChainUnreachable as error:
        yield Finding("chain", Health.ILL, str(error), "start the node, or correct SETTLE_RPC_URL")
        return
    yield Finding("chain", Health.WELL, f"block {newest.number} at {settings.rpc_url}")
    yield _clock(newest, now)
    if settings.rpc_url_second:
        yield _second_node(settings, chain, newest)
    if engine is not None:
        for name, look in (("deployment", _deployment), ("watcher", _watcher)):
            yield _judged(name, lambda look=look: look(engine, chain, newest))  # type: ignore[misc]
        yield rail_takes(engine, chain)
        yield registry(engine, settings)
    chain.close()


def _judged(name: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(name, Health.WELL, look())
    except NotFound:
        return Finding(name, Health.SKIPPED, "no rail is recorded in this database yet")
    except RailError as error:
        is_late = isinstance(error, ChainUnreachable)
        usual = "start the worker, see its log" if is_late else "use the database of this chain"
        repair = getattr(error, "repair", None) or usual
        return Finding(name, Health.ILL, str(error), repair)


def _second_node(settings: Settings, first: ChainPort, newest: BlockRef) -> Finding:
    """Compare two nodes at a block that is final for both."""
    with closing(wiring.open_second_node(settings)) as second:
        try:
            theirs = second.head()
            low = min(newest.number, theirs.number)
            common = max(low - settings.finality_confirmations + 1, 0)
            ones = (first.identity(), first.headers(common, common))
            others = (second.identity(), second.headers(common, common))
        except ChainUnreachable as error:
            repair = "start the second node, or correct SETTLE_RPC_URL_SECOND"
            return Finding("nodes", Health.ILL, str(error), repair)
    if ones != others:
        found = f"the two nodes disagree on the chain or on its block {common}"
        return Finding("nodes", Health.ILL, found, "find out which of them is wrong; pay nothing")
    late = newest.number - theirs.number
    if abs(late) > BLOCKS_BEHIND_MAX:
        which = "second" if late > 0 else "first"
        found = f"the {which} node is {abs(late)} blocks behind: the rail waits for it"
        return Finding("nodes", Health.DOUBTFUL, found, "see whether that node still follows")
    return Finding("nodes", Health.WELL, f"both have the same block {common}")


def _clock(newest: BlockRef, now: datetime) -> Finding:
    block_time = from_micros(newest.timestamp * 1_000_000)
    seconds = (now - block_time).total_seconds()
    found = f"the newest block is {seconds:.0f} s old by this machine's clock"
    if abs(seconds) <= CLOCK_DIFFERENCE_MAX_SECONDS:
        return Finding("clock", Health.WELL, found)
    repair = "check this machine's clock (NTP), or whether the chain still mines"
    return Finding("clock", Health.DOUBTFUL, found, repair)


def _deployment(engine: Engine, chain: ChainPort, newest: BlockRef) -> str:
    with reading(engine) as session:
        recorded, registry = participants.deployment(session), tokens(session)
    participants.require_registry(engine, chain)
    symbols = ", ".join(token.symbol for token in registry)
    return f"rail {participants.checksummed(recorded.rail)} and {symbols} are on this chain"


def _watcher(engine: Engine, chain: ChainPort, newest: BlockRef) -> str:
    with reading(engine) as session:
        tip = watcher.head(session)
    if tip is None:
        raise ChainUnreachable("no block is stored yet: is `settle worker` running?")
    behind = newest.number - tip.number
    if behind > BLOCKS_BEHIND_MAX:
        raise ChainUnreachable(f"the worker is {behind} blocks behind: is `settle worker` running?")
    return f"at block {tip.number}, {max(behind, 0)} behind the node"
