"""`settle journal`: the books, entry by entry, and whether their chain of hashes holds."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from gateway.cli.client import open_api
from gateway.cli.options import LIMIT, URL, AsJson, KeyFile, KeyName, Limit, Url, noun
from gateway.cli.verify import Head, judge_journal

app = noun("Show journal entries and verify their chain of hashes.")


@app.command("show", epilog="Example: settle journal show --settlement stl_019a… --limit 5")
def show_(
    kind: Annotated[str | None, typer.Option(help="Such as payment or reversal.")] = None,
    invoice_id: Annotated[str | None, typer.Option("--invoice", help="Of an invoice.")] = None,
    settlement_id: Annotated[
        str | None, typer.Option("--settlement", help="Of a settlement.")
    ] = None,
    tx_hash: Annotated[str | None, typer.Option("--tx", help="Of a chain transaction.")] = None,
    limit: Limit = LIMIT,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Show journal entries with their postings, newest first."""
    api = open_api(url, key_file, key_name)
    found = list(
        api.pages(
            "/v1/journal",
            limit=limit,
            cursor="seq",
            kind=kind,
            invoice_id=invoice_id,
            settlement_id=settlement_id,
            tx_hash=tx_hash,
        )
    )
    if as_json:
        typer.echo(json.dumps(found))
        return
    for entry in found:
        about = entry["settlement_id"] or entry["invoice_id"] or entry["tx_hash"] or ""
        typer.echo(f"{entry['seq']}  {entry['kind']}  {entry['booked_at']}  {about}")
        for line in entry["lines"]:
            phase = "" if line["phase"] == "posted" else f"  ({line['phase']})"
            typer.echo(f"    {line['amount']:>24} {line['unit']:<5} {line['account']}{phase}")
    if not found:
        typer.echo("nothing found", err=True)


@app.command(epilog="Example: settle journal verify --json")
def verify(head: Head = None, as_json: AsJson = False) -> None:
    """Recompute every hash of the journal from the database itself (SETTLE_DATABASE_URL).

    The same as `settle verify journal`.
    """
    judge_journal("", head, as_json=as_json)
