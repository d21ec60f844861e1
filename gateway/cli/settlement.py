"""`settle settlement`: instructing payments and following them, over the gateway's API."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli import show
from gateway.cli.client import open_api
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

app = noun("Instruct, list, show, hold, release, cancel and retry settlements.")

_COLUMNS = (
    "id",
    "state",
    "iso_20022_status",
    "currency",
    "amount",
    "token_symbol",
    "execution_date",
    "reason",
)

OneId = Annotated[str, typer.Argument(help="A settlement id.")]


@app.command(
    epilog="Example: settle settlement instruct --as kaveri-importer inv_019a… --amount 1000.00",
)
def instruct(
    invoice_ids: Annotated[list[str], typer.Argument(help="Accepted invoices.")],
    amount: Annotated[
        str | None, typer.Option(help="A part of it, in the invoice's currency; else all.")
    ] = None,
    execution_date: Annotated[
        str | None, typer.Option("--date", help="Not before this day (UTC), YYYY-MM-DD.")
    ] = None,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    idempotency_key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Instruct payment of accepted invoices: all of them, or none."""
    wanted: list[dict[str, Any]] = []
    for invoice_id in invoice_ids:
        part = {"invoice_id": invoice_id, "amount": amount, "execution_date": execution_date}
        wanted.append({name: value for name, value in part.items() if value is not None})
    api = open_api(url, key_file, key_name)
    made = api.post("/v1/settlements", {"settlements": wanted}, idempotency_key=idempotency_key)
    show.table(made["data"], _COLUMNS, as_json=as_json)


@app.command("list", epilog="Example: settle settlement list --state HELD --limit 50")
def list_(
    state: Annotated[str | None, typer.Option(help="Such as HELD or SETTLED.")] = None,
    invoice_id: Annotated[str | None, typer.Option("--invoice", help="Of one invoice.")] = None,
    tx_hash: Annotated[str | None, typer.Option("--tx", help="Of a chain transaction.")] = None,
    end_to_end_id: Annotated[
        str | None, typer.Option("--end-to-end-id", help="As on statements.")
    ] = None,
    limit: Limit = LIMIT,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """List settlements, newest first."""
    api = open_api(url, key_file, key_name)
    found = api.pages(
        "/v1/settlements",
        limit=limit,
        state=state,
        invoice_id=invoice_id,
        tx_hash=tx_hash,
        end_to_end_id=end_to_end_id,
    )
    show.table(list(found), _COLUMNS, as_json=as_json)


@app.command("show", epilog="Example: settle settlement show stl_019a8f3b7d2e7a4c8f1b3c5d7e9f0a1b")
def show_(
    settlement_id: OneId,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Show a settlement with every move and every decision about it."""
    api = open_api(url, key_file, key_name)
    show.fields(api.get(f"/v1/settlements/{settlement_id}"), as_json=as_json)


@app.command(epilog='Example: settle settlement hold stl_019a… --reason "goods are inspected"')
def hold(
    settlement_id: OneId,
    reason: Reason,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Keep a settlement from being paid until it is released."""
    _move("hold", settlement_id, {"reason": reason}, url, key_file, key_name, as_json)


@app.command(epilog='Example: settle settlement cancel stl_019a… --reason "paid elsewhere"')
def cancel(
    settlement_id: OneId,
    reason: Reason,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """End a settlement that was not claimed; its part of the invoice is open again."""
    _move("cancel", settlement_id, {"reason": reason}, url, key_file, key_name, as_json)


@app.command(epilog="Example: settle settlement release stl_019a8f3b7d2e7a4c8f1b3c5d7e9f0a1b")
def release(
    settlement_id: OneId,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Let a held settlement be cleared anew. The treasury's."""
    _move("release", settlement_id, {}, url, key_file, key_name, as_json)


@app.command(epilog="Example: settle settlement retry stl_019a8f3b7d2e7a4c8f1b3c5d7e9f0a1b")
def retry(
    settlement_id: OneId,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Pay a rejected settlement after all, with the sequence it has. The treasury's."""
    _move("retry", settlement_id, {}, url, key_file, key_name, as_json)


def _move(
    move: str,
    settlement_id: str,
    body: dict[str, Any],
    url: str,
    key_file: Path | None,
    key_name: str | None,
    as_json: bool,
) -> None:
    api = open_api(url, key_file, key_name)
    show.fields(api.post(f"/v1/settlements/{settlement_id}/{move}", body), as_json=as_json)
