"""`settle tie-out`: every balance of the ledger against all that know it, at one final block."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.cli import show
from gateway.cli.client import open_api
from gateway.cli.options import URL, AsJson, KeyFile, KeyName, Url

app = typer.Typer(rich_markup_mode=None)
At = Annotated[
    int | None, typer.Option(min=0, help="A final block; left out: the newest that is booked.")
]


@app.command("tie-out", epilog="Example: settle tie-out --at 4711 --json")
def tie_out(
    at: At = None,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Compare every balance on all sides that know it; exit code 1 if one differs."""
    found = open_api(url, key_file, key_name).get("/v1/tie-out", block=at)
    show.fields(found, as_json=as_json)
    if not found["ties"]:
        raise typer.Exit(1)
