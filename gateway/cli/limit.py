"""`settle limit`: how much may be paid in a period, what is used of it, and asking for changes."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.cli import show
from gateway.cli.client import open_api
from gateway.cli.options import URL, AsJson, IdempotencyKey, KeyFile, KeyName, Url, noun

app = noun("List limits and what is used of them, ask for new, other and no limits.")

_COLUMNS = ("id", "asset", "max", "period", "days", "counted_by", "window_end", "name")

Named = Annotated[str, typer.Argument(help="The limit's id.")]
Why = Annotated[str, typer.Option("--reason", help="Whoever approves it reads it.")]
Most = Annotated[str, typer.Option("--max", help="A decimal amount of the token.")]


@app.command("list", epilog="Example: settle limit list --as compliance")
def list_(
    state: Annotated[str, typer.Option("--state", help="active or retired.")] = "active",
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """List limits; a company sees those that count its own payments alone."""
    found = open_api(url, key_file, key_name).get("/v1/limits", state=state)
    show.table(found["data"], _COLUMNS, as_json=as_json)


@app.command("show", epilog="Example: settle limit show lim_019a8f2e6c1f7d3e9b6a2d4c5e6f7081")
def show_(
    limit_id: Named,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Show a limit, what is used of it today (UTC), and its history."""
    found = open_api(url, key_file, key_name).get(f"/v1/limits/{limit_id}")
    show.fields(found, as_json=as_json)


@app.command(
    epilog="Example: settle limit add --name 'each debtor, a day' --asset TUSD --max 250000"
    " --period day --counted-by debtor --reason 'decided in November' --as compliance"
)
def add(
    name: Annotated[str, typer.Option("--name", help="What people call it.")],
    asset: Annotated[str, typer.Option("--asset", help="The token's symbol.")],
    most: Most,
    period: Annotated[str, typer.Option("--period", help="payment, day, month or rolling.")],
    counted_by: Annotated[
        str, typer.Option("--counted-by", help="rule (all together), debtor, creditor or pair.")
    ],
    reason: Why,
    days: Annotated[int, typer.Option("--days", help="Of a rolling limit.")] = 0,
    debtor: Annotated[str | None, typer.Option("--debtor", help="Only its payments.")] = None,
    creditor: Annotated[str | None, typer.Option("--creditor", help="Only to it.")] = None,
    debtor_country: Annotated[str | None, typer.Option("--from", help="Only from there.")] = None,
    creditor_country: Annotated[str | None, typer.Option("--to", help="Only to there.")] = None,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    idempotency_key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Ask for a limit; it is in force once another person has approved it."""
    body = {
        "name": name, "asset": asset, "max": most, "period": period, "counted_by": counted_by,
        "reason": reason, "days": days, "debtor_id": debtor, "creditor_id": creditor,
        "debtor_country": debtor_country, "creditor_country": creditor_country,
    }  # fmt: skip
    api = open_api(url, key_file, key_name)
    show.fields(api.post("/v1/limits", body, idempotency_key=idempotency_key), as_json=as_json)


@app.command(
    epilog="Example: settle limit change lim_019a8f… --max 300000 --reason 'a larger contract'"
)
def change(
    limit_id: Named,
    most: Most,
    reason: Why,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    idempotency_key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Ask for another sum; what is used stays used."""
    api = open_api(url, key_file, key_name)
    body, path = {"max": most, "reason": reason}, f"/v1/limits/{limit_id}/change"
    show.fields(api.post(path, body, idempotency_key=idempotency_key), as_json=as_json)


@app.command(epilog="Example: settle limit retire lim_019a8f… --reason 'the corridor is closed'")
def retire(
    limit_id: Named,
    reason: Why,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    idempotency_key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Ask for the end of a limit."""
    api = open_api(url, key_file, key_name)
    path = f"/v1/limits/{limit_id}/retire"
    found = api.post(path, {"reason": reason}, idempotency_key=idempotency_key)
    show.fields(found, as_json=as_json)
