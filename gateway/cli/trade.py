"""`settle trade`: what a party declares of the trade behind an invoice."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli import show
from gateway.cli.client import open_api
from gateway.cli.files_in import json_of
from gateway.cli.options import URL, AsJson, IdempotencyKey, KeyFile, KeyName, Url, noun

app = noun("Declare the trade behind an invoice: contract, purpose, goods, source of funds.")

_COLUMNS = ("declared_at", "participant_id", "contract_number", "purpose_code", "source_of_funds")

InvoiceId = Annotated[str, typer.Argument(help="An invoice's id.")]


@app.command(epilog="Example: settle trade declare inv_019a8f… trade.json --as kaveri-importer")
def declare(
    invoice: InvoiceId,
    file: Annotated[
        Path,
        typer.Argument(
            help="JSON: contract_number, purpose_code, hs_codes, …", exists=True, dir_okay=False
        ),
    ],
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    idempotency_key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Say what is behind an invoice; it replaces what the party said before."""
    body = json_of(file)
    api = open_api(url, key_file, key_name)
    path = f"/v1/invoices/{invoice}/trade-facts"
    show.fields(api.post(path, body, idempotency_key=idempotency_key), as_json=as_json)


@app.command("show", epilog="Example: settle trade show inv_019a8f… --as kaveri-importer")
def show_(
    invoice: InvoiceId,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """List what was declared, newest first."""
    found = open_api(url, key_file, key_name).get(f"/v1/invoices/{invoice}/trade-facts")
    show.table(found["data"], _COLUMNS, as_json=as_json)
