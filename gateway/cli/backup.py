"""`settle backup` and `settle restore`: the records of an installation in one file, and back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.files_out import writable

app = typer.Typer()
restore_app = typer.Typer()

_JSON = typer.Option("--json", help="Print one JSON object.")


@app.command(epilog="Example: settle backup rail-2026-11-22.tar")
def backup(
    file: Annotated[Path, typer.Argument(help="The file to write; it must not be there yet.")],
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Copy the database as it is at this moment, with its hashes. Keys are never in it."""
    from gateway import archive
    from settlement.config import Settings

    with writable(file):
        told = archive.write(Settings(), file)
    _tell(told, as_json, f"written to {file}")


@restore_app.command(epilog="Example: SETTLE_HOME=./my-rail settle restore rail-2026-11-22.tar")
def restore(
    file: Annotated[Path, typer.Argument(help="What `settle backup` wrote.")],
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Replace the database that is there; it is kept aside."),
    ] = False,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Put the records back. If the chain went on since, no payment is sent until it was healed."""
    from gateway import archive
    from settlement.config import Settings

    told = archive.read(Settings(), file, replace=replace)
    _tell(told, as_json, "restored; every lane is paused: `settle lane list` says how each goes on")


def _tell(facts: dict[str, object], as_json: bool, sentence: str) -> None:
    if as_json:
        typer.echo(json.dumps(facts))
        return
    typer.echo(sentence)
    for name, value in facts.items():
        typer.echo(f"  {name:<14} {value}")
