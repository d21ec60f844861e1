"""`settle doctor`: whether this machine, database and chain are well, and what to do if not."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli.options import AsJson

app = typer.Typer(rich_markup_mode=None)

_MARKS = {"ok": "ok  ", "warn": "warn", "fail": "FAIL", "skip": "-   "}


@app.command(epilog="Example: settle doctor --home .settle --rpc http://127.0.0.1:8545")
def doctor(
    home: Annotated[
        Path, typer.Option(envvar="SETTLE_HOME", help="Where the installation's files are.")
    ] = Path(".settle"),
    rpc: Annotated[str, typer.Option(envvar="SETTLE_RPC_URL", help="The node to check.")] = "",
    database: Annotated[
        str, typer.Option(envvar="SETTLE_DATABASE_URL", help="Else SQLite in the home.")
    ] = "",
    migrate: Annotated[
        bool, typer.Option("--migrate", help="First bring the database's schema to the newest.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check binaries, versions, disk, keys, port, database, schema, clock, chain and worker.

    Exit code 1 if anything is wrong that stops the rail.
    """
    from gateway import wiring
    from gateway.cli.checkup import examine
    from gateway.cli.checkup_records import Health
    from settlement.config import Settings

    chosen: dict[str, Any] = {"home": home, "rpc_url": rpc, "database_url": database}
    settings = Settings(**chosen)
    if migrate:
        wiring.open_database(settings, create=True).dispose()
    findings = list(examine(settings, wiring.now()))
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings]))
    for finding in [] if as_json else findings:
        typer.echo(f"{_MARKS[finding.health]}  {finding.check:<11} {finding.found}")
        if finding.repair and finding.health is not Health.WELL:
            typer.echo(f"                  → {finding.repair}")
    if any(finding.health is Health.ILL for finding in findings):
        raise typer.Exit(1)
