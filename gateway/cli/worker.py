"""`settle worker`: the process that follows the chain, books, clears and sends."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer()


@app.command(
    epilog="Example: SETTLE_RPC_URL=http://127.0.0.1:8545 settle worker --json-log",
)
def worker(
    rpc_second: Annotated[
        str,
        typer.Option(
            envvar="SETTLE_RPC_URL_SECOND",
            help="A second node: what the first says is believed if both say it.",
        ),
    ] = "",
    json_log: Annotated[bool, typer.Option("--json-log", help="One JSON object a line.")] = False,
) -> None:
    """Run the worker until it is told to stop; it asks the signer's process to sign."""
    from gateway import logs, processes, wiring
    from settlement.config import Settings

    processes.end_with_parent()
    logs.log_in_words()
    if json_log:
        processes.log = logs.open_log()
    stop = processes.stop_event()
    settings = Settings(rpc_url_second=rpc_second)
    raise typer.Exit(processes.run_worker(lambda: wiring.worker(settings), stop))
