"""`settle break`: what does not agree between settlements, chain and ledger."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.cli import show
from gateway.cli.client import open_api
from gateway.cli.options import LIMIT, URL, AsJson, KeyFile, KeyName, Limit, Url, noun

app = noun("List what does not agree, with its reason.")

_COLUMNS = ("id", "kind", "subject", "reason", "opened_at", "closed_at")


@app.callback()
def break_() -> None:
    """List what does not agree, with its reason."""


@app.command("list", epilog="Example: settle break list --open")
def list_(
    is_open: Annotated[
        bool | None, typer.Option("--open/--closed", help="Only open, or only healed ones.")
    ] = None,
    kind: Annotated[str | None, typer.Option(help="Such as unattributed_deposit.")] = None,
    limit: Limit = LIMIT,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """List breaks, newest first."""
    api = open_api(url, key_file, key_name)
    chosen = None if is_open is None else str(is_open).lower()
    found = api.pages("/v1/breaks", limit=limit, is_open=chosen, kind=kind)
    show.table(list(found), _COLUMNS, as_json=as_json)
