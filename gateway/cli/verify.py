"""`settle verify`: starts checkers that are processes of their own, and passes their verdict on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.options import AsJson

app = typer.Typer(rich_markup_mode=None)

Database = Annotated[
    str, typer.Option("--database", help="A database URL; else the configured one.")
]
Head = Annotated[
    str | None, typer.Option("--head", help="An entry's hash that you noted: is it still there?")
]


@app.callback(
    invoke_without_command=True,
    epilog="Example: settle verify --rpc http://127.0.0.1:8545 --quiescent",
)
def verify(
    context: typer.Context,
    database: Database = "",
    rpc: Annotated[str, typer.Option(help="The node's address; else SETTLE_RPC_URL.")] = "",
    at: Annotated[int | None, typer.Option(help="Judge at this final block.")] = None,
    quiescent: Annotated[
        bool, typer.Option("--quiescent", help="Nothing is under way: also judge liveness.")
    ] = False,
    past_tiers: Annotated[
        bool,
        typer.Option("--past-tiers", help="The booking tiers were changed: do not judge by them."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Judge database and chain against the invariants, by code that shares nothing with the rail.

    Exit code 0 if all hold, 1 if one is violated, 2 if one could not be judged.
    """
    if context.invoked_subcommand is not None:
        return
    from gateway import wiring
    from settlement.config import Settings

    settings = Settings()
    node = rpc or wiring.node_url(settings)
    if not node:
        # 1 would say that an invariant is violated.
        missing = wiring.RpcUrlMissing()
        typer.echo(f"settle: {missing}\n  give --rpc, or {missing.repair}", err=True)
        raise typer.Exit(2)
    asked = ["--database", database or wiring.database_url(settings), "--rpc", node]
    asked += ["--confirmations", str(settings.finality_confirmations)]
    asked += ["--at", str(at)] if at is not None else []
    tiers = [f"{tier.from_units}:{tier.confirmations}" for tier in settings.booking_tiers]
    asked += [] if past_tiers else ["--booking-tiers", ",".join(tiers)]
    asked += ["--quiescent"] if quiescent else []
    asked += ["--json"] if as_json else []
    # Not captured: it tells how far it is.
    ran = subprocess.run([sys.executable, "-m", "settlement.verify", *asked], check=False)
    raise typer.Exit(ran.returncode)


@app.command(epilog="Example: settle verify journal --head 3f1c… --json")
def journal(database: Database = "", head: Head = None, as_json: AsJson = False) -> None:
    """Recompute every hash of the journal from the database itself, and name the first bad entry.

    Needs no node. Note `head` and `root` elsewhere: with --head a journal that was cut off at its
    end is noticed. Exit code 0 if the chain holds, 1 if not, 2 if it could not be read.
    """
    judge_journal(database, head, as_json=as_json)


@app.command(epilog="Example: settle verify proof proof.json --block-hash 0x4c1f…")
def proof(
    file: Annotated[Path, typer.Argument(help="What `settle proof` has written.")],
    document: Annotated[
        Path | None, typer.Option(help="The invoice's original file: is it this one?")
    ] = None,
    block_hash: Annotated[
        list[str] | None,
        typer.Option(help="A block's hash that a node of your own gave you; may be repeated."),
    ] = None,
    journal_root: Annotated[
        str | None, typer.Option(help="A root of the journal that you noted.")
    ] = None,
    confirmations: Annotated[
        int | None, typer.Option(min=1, help="Blocks that make final; 12 unless you say so.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check a proof of payment, with no database and no network; every check is named.

    It is the one file settlement/verify/proof_standalone.py, which anybody can copy and run alone.
    Exit code 0 if all hold, 1 if one does not, 2 if the file cannot be read.
    """
    asked = [str(file)]
    asked += ["--document", str(document)] if document is not None else []
    for each in block_hash or []:
        asked += ["--block-hash", each]
    asked += ["--journal-root", journal_root] if journal_root is not None else []
    asked += ["--confirmations", str(confirmations)] if confirmations is not None else []
    asked += ["--json"] if as_json else []
    _pass_on("settlement.verify.proof_standalone", asked)


def judge_journal(database: str, head: str | None, *, as_json: bool) -> None:
    """Start the journal's checker and end as it does."""
    from gateway import wiring
    from settlement.config import Settings

    asked = ["--database", database or wiring.database_url(Settings())]
    asked += ["--head", head] if head is not None else []
    asked += ["--json"] if as_json else []
    _pass_on("settlement.verify.journal_chain", asked)


def _pass_on(module: str, asked: list[str]) -> None:
    words = [sys.executable, "-m", module, *asked]
    ran = subprocess.run(words, check=False, capture_output=True, text=True)
    typer.echo(ran.stdout, nl=False)
    typer.echo(ran.stderr, nl=False, err=True)
    raise typer.Exit(ran.returncode)
