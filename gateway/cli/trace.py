"""`settle trace`: a payment's whole journey from any of its ids."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.cli import show
from gateway.cli.client import open_api
from gateway.cli.options import URL, AsJson, KeyFile, KeyName, Url

app = typer.Typer(rich_markup_mode=None)


@app.command(epilog="Example: settle trace inv_019a8f2e6c1f7d3e9b6a2d4c5e6f7081")
def trace(
    key: Annotated[str, typer.Argument(help="Any id or hash: invoice, settlement, block, entry …")],
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Show invoice, settlement, clearance, chain transaction, log, entry and match of a payment."""
    api = open_api(url, key_file, key_name)
    show.fields(api.get(f"/v1/trace/{key}"), as_json=as_json)
