"""`settle signer`: the process that holds the operator's key and signs what is cleared."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.command(epilog="Example: settle signer --keystore operator.json --password-fd 3 3<password")
def signer(
    keystore: Annotated[Path, typer.Option(help="The operator's key file (keystore v3).")],
    password_fd: Annotated[
        int | None,
        typer.Option(help="A file descriptor with the password; without it you are asked."),
    ] = None,
    place: Annotated[
        int, typer.Option(min=1, help="Which of several operators; names socket and memory.")
    ] = 1,
) -> None:
    """Run the signer until it is told to stop; it listens on `signer.sock` in SETTLE_HOME."""
    from gateway import processes, wiring
    from settlement.chain.keystore import open_key
    from settlement.config import Settings
    from settlement.signer.socket import serve

    processes.end_with_parent()
    settings = Settings()
    keys = open_key(keystore, read_password(password_fd))
    path = wiring.socket_path(settings, place)
    server = serve(wiring.intent_signer(settings, keys, place), path, wiring.now)
    stop = processes.stop_event()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    typer.echo(f"signer: {keys.address} listens on {path}")
    stop.wait()
    server.shutdown()


def read_password(password_fd: int | None) -> str:
    """Return the password from a file descriptor, or ask for it. Never from the command line."""
    if password_fd is None:
        return str(typer.prompt("password of the key file", hide_input=True))
    with os.fdopen(password_fd) as stream:
        return stream.readline().rstrip("\n")
