"""Choosing implementations: which database, which chain, which signer, from one settings object.

The only place that knows them all, besides tests. Opens; decides nothing. What only one process
needs is imported where it is opened: the signer holds no worker in memory.
"""

from __future__ import annotations

import os
import socket
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine
from sqlalchemy.engine import make_url

from settlement import participants
from settlement.chain.signing import KeyPair
from settlement.clock import new_id
from settlement.config import Settings
from settlement.errors import Refused
from settlement.signer import IntentSigner, Signer, SlotStore
from settlement.signer.limits import AmountLimits
from settlement.signer.opening import open_signer
from settlement.signer.records import Records
from settlement.signer.socket import SignerUnreachable, SocketSigner
from settlement.store import migrate, open_engine, require_current, transaction

if TYPE_CHECKING:
    from gateway.worker import Worker
    from settlement.chain.cross_checked import CrossChecked
    from settlement.chain.evm import EvmChain


ADMIN_SIGNER = "signer-admin"
"""The part that signs what is listed and frozen; its socket and its memory have this name."""


class RpcUrlMissing(Refused):
    """Nothing says where the chain is."""

    def __init__(self) -> None:
        super().__init__(
            "no chain is configured",
            field="SETTLE_RPC_URL",
            repair="start one with `settle up`, or set SETTLE_RPC_URL to a node's address",
        )


class NoInstallation(Refused):
    """There is no database where the records should be."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(
            f"no installation in {settings.home}",
            field="SETTLE_HOME",
            repair="name its folder in SETTLE_HOME, or begin one with `settle up --home FOLDER`",
        )


def now() -> datetime:
    """Return the system's time: the one clock that the rail's processes read."""
    return datetime.now(UTC)


def database_url(settings: Settings) -> str:
    """Return where the database is: what is configured, or a SQLite file in `home`."""
    if settings.database_url:
        return settings.database_url
    return f"sqlite:///{(settings.home / 'settle.sqlite3').absolute()}"


def database_file(settings: Settings) -> Path | None:
    """Return the SQLite file with the records; None where they are on a server."""
    url = make_url(database_url(settings))
    return Path(url.database or "") if url.get_backend_name() == "sqlite" else None


def open_database(settings: Settings, *, create: bool = False) -> Engine:
    """Return an engine on a database with this program's schema; `create` brings it there.

    Raises:
        SchemaNotCurrent: another version, and not `create`.
        NoInstallation: no SQLite file, and not `create`; none is made.
    """
    file = database_file(settings)
    if not create and file is not None and not file.exists():
        raise NoInstallation(settings)
    engine = open_engine(database_url(settings))
    if create:
        migrate(engine)
        _install_policy(engine)
    else:
        require_current(engine)
    return engine


def _install_policy(engine: Engine) -> None:
    """Publish the packs as shipped where no policy is in force yet."""
    from settlement.compliance import policies

    with transaction(engine) as session:
        policies.install(session, now())


def node_url(settings: Settings) -> str:
    """Return the first node's address: what is configured, else what runs in the home, else ""."""
    if settings.rpc_url:
        return settings.rpc_url
    try:
        return node_file(settings.home).read_text().strip()
    except FileNotFoundError:
        return ""


def node_file(home: Path) -> Path:
    """Return the file with the address of the node that `settle up` uses while it runs."""
    return home / "node-url"


def open_node(settings: Settings) -> EvmChain:
    """Return the first node that is configured, alone.

    Raises:
        RpcUrlMissing: none is.
    """
    url = node_url(settings)
    if not url:
        raise RpcUrlMissing
    return _node_at(url, settings)


def open_chain(settings: Settings) -> EvmChain | CrossChecked:
    """Return the chain by the node that is configured, or by two where a second one is.

    Raises:
        RpcUrlMissing: none is.
    """
    from settlement.chain.cross_checked import CrossChecked

    first = open_node(settings)
    if not settings.rpc_url_second:
        return first
    return CrossChecked(first, open_second_node(settings))


def open_second_node(settings: Settings) -> EvmChain:
    """Return the second node that is configured, alone."""
    return _node_at(settings.rpc_url_second, settings)


def _node_at(url: str, settings: Settings) -> EvmChain:
    from settlement.chain.evm import EvmChain
    from settlement.chain.proving import ProvingChain

    kind = ProvingChain if settings.prove_blocks else EvmChain
    return kind(url, settings.rpc_timeout_seconds)


def socket_path(settings: Settings, place: int = 1) -> Path:
    """Return where the signer's process listens; `place` counts the operators from 1."""
    return settings.home / f"signer{numbered(place)}.sock"


def admin_socket_path(settings: Settings) -> Path:
    """Return where the signer of the admin's lane listens."""
    return settings.home / f"{ADMIN_SIGNER}.sock"


def numbered(place: int) -> str:
    """Return what tells the files of one operator from another's: nothing for the first."""
    return "" if place == 1 else f"-{place}"


def intent_signer(settings: Settings, keys: KeyPair) -> IntentSigner:
    """Return a signer in this process, with its own connection and its own memory."""
    open_database(settings).dispose()
    return open_signer(
        Records(database_url(settings)),
        keys,
        # One for all operators of a home: amounts of a day hold for all of them together.
        SlotStore(settings.home / "signer.sqlite3"),
        max_fee_wei=settings.signer_fee_cap_wei,
        amounts=AmountLimits(**settings.signer_amounts.model_dump()),
        by_token={
            token: AmountLimits(**each.model_dump())
            for token, each in settings.signer_token_amounts.items()
        },
    )


def socket_signers(settings: Settings) -> list[SocketSigner]:
    """Return the signers' processes, the admin's and one for each operator; none is asked yet."""
    paths = [socket_path(settings, place) for place in range(1, settings.operators + 1)]
    return [SocketSigner(path) for path in (admin_socket_path(settings), *paths)]


def signer_of(settings: Settings, address: str) -> SocketSigner:
    """Return the process that signs for a lane.

    Raises:
        SignerUnreachable: none of them does, or that one does not answer.
    """
    silent: SignerUnreachable | None = None
    for each in socket_signers(settings):
        try:
            if each.address == address:
                return each
        except SignerUnreachable as error:
            silent = error
    raise silent or SignerUnreachable(f"no signer's process here signs for {address}")


def worker(settings: Settings, signers: list[Signer] | None = None) -> Worker:
    """Return a worker on the configured database and chain, checked to belong together.

    Raises:
        ForeignChain: the node is on another chain, or our rail or a token is not there.
        ChainContradicts: a token is not what was recorded.
        PepperExposed: others may read the secrets of the home.
    """
    from gateway.worker import Worker
    from settlement.compliance import travel_rule
    from settlement.compliance.policies import StoredPolicies

    travel_rule.keeper_of(settings.home)  # Secrets that others may read are told of at the start.
    engine = open_database(settings)
    chain = open_chain(settings)
    participants.require_registry(engine, chain)
    chosen: list[Signer] = signers or [*socket_signers(settings)]
    return Worker(
        engine=engine,
        chain=chain,
        signers=chosen,
        policy=StoredPolicies(),
        settings=settings,
        ids=new_id,
        owner=f"{socket.gethostname()}:{os.getpid()}:{new_id('wrk')[-8:]}",
        has_ended=has_ended,
        open_chain=lambda: open_chain(settings),
        monotonic=time.monotonic,
        is_beside=True,
    )


def has_ended(owner: str) -> bool:
    """Whether a worker's name is of a process of this host that runs no more.

    A wrong answer costs nothing: whoever lost its lane that way is fenced off by its old number.
    """
    host, _, rest = owner.partition(":")
    pid = rest.partition(":")[0]
    if host != socket.gethostname() or not pid.isdecimal():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False
    return False
