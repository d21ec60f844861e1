"""`settle register`: registers that rules look things up in, loaded from files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli import show
from gateway.cli.client import open_api
from gateway.cli.files_in import content_of
from gateway.cli.options import URL, AsJson, IdempotencyKey, KeyFile, KeyName, Url, noun

app = noun("Load and list registers: participants of a regime, mining operators, purposes …")

_COLUMNS = ("name", "entries", "sha256", "loaded_by", "created_at")


@app.command(epilog="Example: settle register load mining_operators operators.csv --as compliance")
def load(
    name: Annotated[str, typer.Argument(help="Such as regime_participants.")],
    file: Annotated[
        Path,
        typer.Argument(
            help="An entry a line, a detail after a comma.", exists=True, dir_okay=False
        ),
    ],
    shrinks: Annotated[
        str, typer.Option("--shrinks", help="`accept`: much was taken out of the register.")
    ] = "",
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    idempotency_key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Put a register's file in force; what may still be signed is judged anew."""
    api = open_api(url, key_file, key_name)
    smaller = "/smaller" if shrinks == "accept" else ""
    answer = api.post(
        f"/v1/registers/{name}{smaller}", content_of(file), media_type="text/csv",
        idempotency_key=idempotency_key,
    )  # fmt: skip
    show.fields(answer, as_json=as_json)


@app.command("list", epilog="Example: settle register list --as compliance")
def list_(
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """List the registers in force."""
    found = open_api(url, key_file, key_name).get("/v1/registers")
    show.table(found["data"], _COLUMNS, as_json=as_json)
