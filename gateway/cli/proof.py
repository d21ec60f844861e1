"""`settle proof`: the file that shows to a bank, a court, anybody, that an invoice was paid."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from gateway.cli.client import open_api
from gateway.cli.files_out import Output, a_new_file
from gateway.cli.options import URL, AsJson, KeyFile, KeyName, Url

app = typer.Typer(rich_markup_mode=None)


@app.command(epilog="Example: settle proof inv_019a… -o proof.json; settle verify proof proof.json")
def proof(
    invoice: Annotated[str, typer.Argument(help="An invoice's id, or its number.")],
    output: Output = None,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Write the proof of a paid invoice. It is refused until a payment is final."""
    from settlement.errors import Conflict, NotFound

    api = open_api(url, key_file, key_name)
    key = invoice
    if not invoice.startswith("inv_"):
        found = api.get("/v1/invoices", number=invoice, limit=2)["data"]
        if not found:
            raise NotFound("invoice", invoice)
        if len(found) > 1:
            raise Conflict(f"more than one invoice has the number {invoice}", repair="give its id")
        key = found[0]["id"]
    proven = api.get(f"/v1/invoices/{key}/proof")
    text = json.dumps(proven, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n"
    if output is None:
        typer.echo(text, nl=False)
        return
    with a_new_file(output) as stream:
        stream.write(text.encode())
    said = {
        "file": str(output),
        "invoice": key,
        "state": proven["invoice"]["state"],
        "digest": proven["digest"],
        "journal_root": proven["journal"]["head"]["root"],
    }
    typer.echo(json.dumps(said) if as_json else f"{output}  {said['state']}  {said['digest']}")
