"""`settle up`: chain, signer, worker and gateway of an installation, started and ended together."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from gateway.installation import Installation

app = typer.Typer()


@app.command(epilog="Example: settle up --home ./my-rail --port 8400")
def up(
    home: Annotated[
        Path,
        typer.Option(envvar="SETTLE_HOME", help="Where all files of this installation are."),
    ] = Path(".settle"),
    port: Annotated[
        int,
        typer.Option(
            envvar="SETTLE_PORT",
            min=0,
            max=65535,
            help="The gateway's port; 0 takes a free one.",
        ),
    ] = 8400,
    rpc: Annotated[str, typer.Option(help="A node that is there; else an anvil is started.")] = "",
    rpc_second: Annotated[
        str, typer.Option(help="A second node: what the first says is believed if both say it.")
    ] = "",
    database: Annotated[str, typer.Option(help="A database URL; else SQLite in the home.")] = "",
    operators: Annotated[
        int, typer.Option(min=1, max=16, help="Signers, each with a key and a lane of its own.")
    ] = 1,
    block_seconds: Annotated[
        int, typer.Option(min=1, max=3600, help="Block time of the own anvil.")
    ] = 1,
    password_fd: Annotated[
        int | None,
        typer.Option(
            help="File descriptor with the operator key's password (own chains: made up)."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print addresses as JSON.")] = False,
) -> None:
    """Run the whole rail on this machine, with test money, until Ctrl-C."""
    from gateway import processes
    from gateway.cli.home_files import require_sound_home
    from gateway.installation import Installation
    from gateway.passwords import read_password
    from settlement.config import Settings
    from settlement.errors import Invalid

    began = time.monotonic()
    chosen: dict[str, Any] = {"home": home, "port": port}
    chosen |= {"rpc_url": rpc} if rpc else {}
    chosen |= {"rpc_url_second": rpc_second} if rpc_second else {}
    chosen |= {"database_url": database} if database else {}
    chosen |= {"operators": operators} if operators > 1 else {}
    os.environ.setdefault("SETTLE_HOME", str(home))
    settings = Settings(**chosen)
    if settings.rpc_url and not rpc:
        raise Invalid(
            f"SETTLE_RPC_URL names a node, {settings.rpc_url}, which may be another rail's",
            field="--rpc",
            repair="give --rpc to run on that node, or unset SETTLE_RPC_URL for a chain of its own",
        )
    os.umask(0o077)  # All that any part writes in the home is its owner's alone.
    require_sound_home(settings.home)
    password = read_password(password_fd) if password_fd is not None or rpc else None
    stop = processes.stop_event()
    with Installation.start(settings, block_seconds=block_seconds, password=password) as running:
        running.start_worker()
        announce(running, as_json=as_json, seconds=time.monotonic() - began)
        running.supervisor.watch(
            stop, lambda line: typer.echo(f"! {line}", err=True), running.halted_lanes
        )
        typer.echo("stopping …", err=True)


def announce(running: Installation, *, as_json: bool, seconds: float) -> None:
    """Print addresses, demo keys and URLs of a rail that runs."""
    from settlement.participants import checksummed

    deployment = running.sandbox.deployment
    facts = {
        "url": running.url,
        "docs": f"{running.url}/docs",
        "console": f"{running.url}/console",
        "rpc": running.settings.rpc_url,
        "home": str(running.settings.home.absolute()),
        "chain_id": deployment.chain_id,
        "rail": checksummed(deployment.rail),
        "operator": checksummed(running.operator.address),
        "operators": [checksummed(each.address) for each in running.operators],
        "tokens": {token.symbol: checksummed(token.address) for token in deployment.tokens},
        "participants": dict(
            zip(running.company_names, running.sandbox.participant_ids, strict=True)
        ),
        "wallets": {
            name: checksummed(pair.address)
            for name, pair in zip(running.company_names, running.sandbox.wallets, strict=True)
        },
        "api_keys": running.api_keys,
        "pids": running.supervisor.pids(),
        "seconds": round(seconds, 1),
    }
    if as_json:
        typer.echo(json.dumps(facts))
        return
    typer.echo(f"\nThe rail runs ({facts['seconds']} s). Test money only.\n")
    for name in ("url", "docs", "console", "rpc", "home", "chain_id", "rail", "operator"):
        typer.echo(f"  {name:<10} {facts[name]}")
    for title in ("tokens", "participants", "wallets", "api_keys"):
        typer.echo(f"\n  {title}")
        values = facts[title]
        assert isinstance(values, dict)
        for name, value in values.items():
            typer.echo(f"    {name:<18} {value}")
    typer.echo(f"\nTry:  curl -s -H 'Authorization: Bearer KEY' {running.url}/v1/invoices")
    typer.echo("Stop: Ctrl-C\n")
