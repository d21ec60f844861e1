"""`settle verify`: starts the checker, which is a process of its own, and passes its verdict on."""

from __future__ import annotations

import subprocess
import sys
from typing import Annotated

import typer

app = typer.Typer()


@app.command(epilog="Example: settle verify --rpc http://127.0.0.1:8545 --quiescent")
def verify(
    database: Annotated[str, typer.Option(help="A database URL; else the configured one.")] = "",
    rpc: Annotated[str, typer.Option(help="The node's address; else SETTLE_RPC_URL.")] = "",
    at: Annotated[int | None, typer.Option(help="Judge at this final block.")] = None,
    quiescent: Annotated[
        bool, typer.Option("--quiescent", help="Nothing is under way: also judge liveness.")
    ] = False,
    past_tiers: Annotated[
        bool,
        typer.Option("--past-tiers", help="The booking tiers were changed: do not judge by them."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Judge database and chain against the invariants, by code that shares nothing with the rail.

    Exit code 0 if all hold, 1 if one is violated, 2 if one could not be judged.
    """
    from gateway import wiring
    from settlement.config import Settings

    settings = Settings()
    node = rpc or settings.rpc_url
    if not node:
        raise wiring.RpcUrlMissing
    asked = ["--database", database or wiring.database_url(settings), "--rpc", node]
    asked += ["--confirmations", str(settings.finality_confirmations)]
    asked += ["--at", str(at)] if at is not None else []
    tiers = [f"{tier.from_units}:{tier.confirmations}" for tier in settings.booking_tiers]
    asked += [] if past_tiers else ["--booking-tiers", ",".join(tiers)]
    asked += ["--quiescent"] if quiescent else []
    asked += ["--json"] if as_json else []
    ran = subprocess.run([sys.executable, "-m", "settlement.verify", *asked], check=False)
    raise typer.Exit(ran.returncode)
