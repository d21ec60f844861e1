"""`settle invoice`: invoices over the gateway's API."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli import show
from gateway.cli.client import ApiRefused, open_api
from gateway.cli.options import (
    LIMIT,
    URL,
    AsJson,
    IdempotencyKey,
    KeyFile,
    KeyName,
    Limit,
    Reason,
    Url,
    noun,
)

app = noun("Submit, list, show, accept, query, reject and cancel invoices.")

_MEDIA_TYPES = {".xml": "application/xml", ".pdf": "application/pdf"}
_COLUMNS = ("id", "number", "state", "currency", "payable_amount", "open_amount", "due_date")

Ids = Annotated[list[str], typer.Argument(help="Invoice ids.")]
OneId = Annotated[str, typer.Argument(help="An invoice id.")]


@app.command(
    epilog="Example: settle invoice submit --as hartwig-exporter HM-2026-00417.xml",
)
def submit(
    files: Annotated[
        list[Path],
        typer.Argument(exists=True, dir_okay=False, help="UBL, CII, Factur-X PDF or JSON."),
    ],
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    idempotency_key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Submit documents; each is an invoice, or is refused with every rule that it breaks."""
    api = open_api(url, key_file, key_name)
    if len(files) == 1:
        media_type = _MEDIA_TYPES.get(files[0].suffix.lower(), "application/json")
        made = api.post(
            "/v1/invoices",
            files[0].read_bytes(),
            media_type=media_type,
            idempotency_key=idempotency_key,
        )
        show.fields(made, as_json=as_json)
        return
    documents = [{"content": base64.b64encode(file.read_bytes()).decode()} for file in files]
    answer = api.post(
        "/v1/invoices/batch", {"documents": documents}, idempotency_key=idempotency_key
    )
    if as_json:
        typer.echo(json.dumps(answer))
    else:
        show.table(_batch(files, answer["items"]), ("file", "id", "answer"), as_json=False)
        for file, item in zip(files, answer["items"], strict=True):
            if "problem" in item:
                typer.echo(f"{file.name}: {ApiRefused(item['problem'])}", err=True)
    if answer["refused"]:
        raise typer.Exit(1)


@app.command("list", epilog="Example: settle invoice list --state ACCEPTED --currency EUR")
def list_(
    state: Annotated[str | None, typer.Option(help="Such as ISSUED or PAID.")] = None,
    number: Annotated[str | None, typer.Option(help="The document's own number.")] = None,
    currency: Annotated[str | None, typer.Option(help="ISO 4217 code.")] = None,
    limit: Limit = LIMIT,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """List invoices, newest first."""
    api = open_api(url, key_file, key_name)
    found = api.pages("/v1/invoices", limit=limit, state=state, number=number, currency=currency)
    show.table(list(found), _COLUMNS, as_json=as_json)


@app.command("show", epilog="Example: settle invoice show inv_019a8f2e6c1f7d3e9b6a2d4c5e6f7081")
def show_(
    invoice_id: OneId,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Show an invoice with every move that it has made."""
    api = open_api(url, key_file, key_name)
    show.fields(api.get(f"/v1/invoices/{invoice_id}"), as_json=as_json)


@app.command(epilog="Example: settle invoice accept --as kaveri-importer inv_019a… inv_019b…")
def accept(
    invoice_ids: Ids,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    idempotency_key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Accept invoices as their buyer: from then on they are owed. All of them, or none."""
    api = open_api(url, key_file, key_name)
    done = api.post(
        "/v1/invoices/accept", {"invoice_ids": invoice_ids}, idempotency_key=idempotency_key
    )
    show.table(done["data"], _COLUMNS, as_json=as_json)


@app.command(epilog='Example: settle invoice query inv_019a… --reason "40 or 48 hours?"')
def query(
    invoice_id: OneId,
    reason: Reason,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Ask the seller about an invoice before accepting or rejecting it."""
    _moved("query", invoice_id, reason, url, key_file, key_name, as_json)


@app.command(epilog='Example: settle invoice reject inv_019a… --reason "goods never arrived"')
def reject(
    invoice_id: OneId,
    reason: Reason,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Refuse an invoice for good, as its buyer."""
    _moved("reject", invoice_id, reason, url, key_file, key_name, as_json)


@app.command(epilog='Example: settle invoice cancel inv_019a… --reason "wrong buyer"')
def cancel(
    invoice_id: OneId,
    reason: Reason,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Withdraw an invoice that was not accepted, as its seller."""
    _moved("cancel", invoice_id, reason, url, key_file, key_name, as_json)


def _moved(
    move: str,
    invoice_id: str,
    reason: str,
    url: str,
    key_file: Path | None,
    key_name: str | None,
    as_json: bool,
) -> None:
    api = open_api(url, key_file, key_name)
    moved = api.post(f"/v1/invoices/{invoice_id}/{move}", {"reason": reason})
    show.fields(moved, as_json=as_json)


def _batch(files: list[Path], items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    rows = []
    for file, item in zip(files, items, strict=True):
        invoice = item.get("invoice")
        if invoice:
            answer = f"{invoice['number']} {invoice['currency']} {invoice['payable_amount']}"
            rows.append({"file": file.name, "id": invoice["id"], "answer": answer})
        else:
            faults = [
                fault.get("rule_id") or fault["message"] for fault in item["problem"]["errors"]
            ]
            why = ", ".join(faults) or item["problem"]["detail"]
            rows.append({"file": file.name, "id": "refused", "answer": why})
    return rows
