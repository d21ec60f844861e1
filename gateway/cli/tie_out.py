"""`settle tie-out`: every balance of the ledger against the chain, at one final block."""

from __future__ import annotations

import typer

from gateway.cli import show
from gateway.cli.client import open_api
from gateway.cli.options import URL, AsJson, KeyFile, KeyName, Url

app = typer.Typer(rich_markup_mode=None)


@app.command("tie-out", epilog="Example: settle tie-out --json")
def tie_out(
    url: Url = URL, key_file: KeyFile = None, key_name: KeyName = None, as_json: AsJson = False
) -> None:
    """Compare every wallet, supply and gas balance with the chain; exit code 1 if one differs."""
    found = open_api(url, key_file, key_name).get("/v1/tie-out")
    show.fields(found, as_json=as_json)
    if not found["ties"]:
        raise typer.Exit(1)
