"""`settle trace`: the whole journey of an invoice, from any of its ids or hashes."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from gateway.cli.client import open_api
from gateway.cli.options import URL, AsJson, KeyFile, KeyName, Url

app = typer.Typer()


@app.command(epilog="Example: settle trace 0x4c1f…   or: settle trace RE-2026-0417 --json")
def trace(
    key: Annotated[str, typer.Argument(help="Any id, number or hash on the way.")],
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Draw the journey that an id or hash is a part of: invoice, settlements, chain, books."""
    from gateway.cli.journey import drawing

    found = open_api(url, key_file, key_name).get(f"/v1/trace/{key}")
    typer.echo(json.dumps(found) if as_json else drawing(found))
