"""`settle signer`: the process that holds the operator's key and signs what is cleared."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.command(epilog="Example: settle signer --keystore operator.json --password-fd 3 3<password")
def signer(
    keystore: Annotated[
        Path | None, typer.Option(help="The operator's key file (keystore v3).")
    ] = None,
    password_fd: Annotated[
        int | None,
        typer.Option(help="A file descriptor with the password; without it you are asked."),
    ] = None,
    remote_signer: Annotated[
        str,
        typer.Option(
            envvar="SETTLE_REMOTE_SIGNER",
            metavar="URL",
            help="A web3signer (eth1) that holds the key instead.",
        ),
    ] = "",
    address: Annotated[
        str,
        typer.Option(
            envvar="SETTLE_REMOTE_SIGNER_ADDRESS", help="Whose key the remote signer is to use."
        ),
    ] = "",
    place: Annotated[
        int, typer.Option(min=1, help="Which of several operators; names the socket.")
    ] = 1,
    admin: Annotated[
        bool,
        typer.Option(
            "--admin", help="Sign what is listed, unlisted, frozen and freed; no payment."
        ),
    ] = False,
    accept_rail: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Sign for this new rail from now on.")
    ] = "",
) -> None:
    """Run the signer until it is told to stop; it listens on `signer.sock` in SETTLE_HOME.

    With --admin it has a key, a socket (`signer-admin.sock`) and a memory of its own.

    Limits per payment, day and debtor: SETTLE_SIGNER_AMOUNTS and SETTLE_SIGNER_TOKEN_AMOUNTS.
    """
    from gateway import processes, wiring
    from gateway.signer_process import SignerPlan, become
    from settlement.config import Settings
    from settlement.errors import Invalid
    from settlement.signer.limits import CHANGES, PAYMENTS

    if bool(keystore) == bool(remote_signer) or bool(remote_signer) != bool(address):
        raise Invalid(
            "the key is either in a file or with a remote signer", field="keystore",
            repair="give --keystore FILE, or --remote-signer URL with --address ADDRESS",
        )  # fmt: skip
    processes.end_with_parent()
    settings = Settings()
    wiring.open_database(settings).dispose()  # Refuses a database of another version.
    path = wiring.admin_socket_path(settings) if admin else wiring.socket_path(settings, place)
    memory = f"{wiring.ADMIN_SIGNER}.sqlite3" if admin else "signer.sqlite3"
    become(
        SignerPlan(
            database_url=wiring.database_url(settings),
            socket=str(path.absolute()),
            memory=str((settings.home / memory).absolute()),
            signs=CHANGES if admin else PAYMENTS,
            max_fee_wei=settings.signer_fee_cap_wei,
            keystore=str(keystore.absolute()) if keystore else "",
            password_fd=password_fd,
            remote_signer=remote_signer,
            address=address,
            accept_rail=accept_rail,
            amounts=settings.signer_amounts.model_dump(),
            by_token={
                token: each.model_dump() for token, each in settings.signer_token_amounts.items()
            },
        )
    )
