"""`settle account`: the chart of accounts, balances, statements and monitors."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated, Any

import typer

from gateway.cli import show
from gateway.cli.client import Api, open_api
from gateway.cli.options import (
    LIMIT,
    URL,
    AsJson,
    IdempotencyKey,
    KeyFile,
    KeyName,
    Limit,
    Url,
    noun,
)

app = noun("List accounts, show them, state and watch them.")

_PAGE = 1000
_COLUMNS = ("code", "posted", "reserved", "expected")
_LINES = ("seq", "kind", "value_date", "amount", "balance", "state", "source_key")
_MONITORS = ("id", "name", "pattern", "lower_minor", "upper_minor", "outside", "retired_at")

Code = Annotated[str, typer.Argument(help="The account's code, kind:owner:unit.")]


class Basis(StrEnum):
    """What places an entry in time."""

    VALUE = "value"
    BOOKING = "booking"
    BLOCK = "block"


@app.command("list", epilog="Example: settle account list --kind wallet --on 2026-10-31")
def list_(
    kind: Annotated[str | None, typer.Option(help="Such as wallet or receivable.")] = None,
    owner: Annotated[str | None, typer.Option(help="A participant's id, or an address.")] = None,
    at_block: Annotated[int | None, typer.Option(help="Only what has a block up to it.")] = None,
    on: Annotated[str | None, typer.Option(help="Only value dates up to it: YYYY-MM-DD.")] = None,
    limit: Limit = LIMIT,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """List accounts with their balances: now, at a block, or by value date."""
    api = open_api(url, key_file, key_name)
    chosen: dict[str, Any] = {"kind": kind, "owner": owner, "at_block": at_block, "on": on}
    found = api.pages("/v1/accounts", limit=limit, cursor="code", **chosen)
    show.table(list(found), _COLUMNS, as_json=as_json)


@app.command("show", epilog="Example: settle account show wallet:0x7099…:TEUR")
def show_(
    code: Code,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Show an account's balance now, and what its sign means."""
    from settlement.errors import NotFound
    from settlement.ledger.chart import BY_KIND

    found = open_api(url, key_file, key_name).get("/v1/accounts", code=code)["data"]
    if not found:
        raise NotFound("account", code)
    kind = BY_KIND[found[0]["kind"]]
    meaning = {"plus_means": kind.plus, "minus_means": kind.minus, "moved_by": kind.moved_by}
    show.fields({**found[0], **meaning}, as_json=as_json)


@app.command(
    epilog="Example: settle account statement receivable:par_01…:EUR 2026-10-01 2026-10-31"
)
def statement(
    code: Code,
    first: Annotated[str, typer.Argument(help="First day, YYYY-MM-DD, or first block.")],
    last: Annotated[str, typer.Argument(help="Last day, or last block.")],
    basis: Annotated[
        Basis, typer.Option("--by", help="By value date, booking date or block.")
    ] = Basis.VALUE,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """State an account: opening balance and every movement are the closing balance."""
    api = open_api(url, key_file, key_name)
    asked = {"code": code, "first": first, "last": last, "basis": basis.value}
    found = _whole_statement(api, asked)
    if as_json:
        typer.echo(json.dumps(found))
        return
    lines = found.pop("data")
    for name in ("account", "unit", "basis", "first", "last"):
        typer.echo(f"{name:<10} {found[name]}")
    typer.echo(f"{'opening':<10} {found['opening']}\n")
    if lines:
        show.table(lines, _LINES, as_json=False)
    typer.echo(f"\n{'movements':<10} {found['movements']} in {found['line_count']} lines")
    typer.echo(f"{'closing':<10} {found['closing']}")


@app.command(epilog="Example: settle account monitors")
def monitors(
    url: Url = URL, key_file: KeyFile = None, key_name: KeyName = None, as_json: AsJson = False
) -> None:
    """List balance monitors, and how many accounts are outside their bounds."""
    found = open_api(url, key_file, key_name).get("/v1/monitors")["data"]
    rows = found if as_json else [{**each, "outside": len(each["outside"])} for each in found]
    show.table(rows, _MONITORS, as_json=as_json)
    for each in [] if as_json else found:
        for crossing in each["outside"]:
            typer.echo(
                f"{crossing['account']} is {crossing['side']}: {crossing['balance']}", err=True
            )


@app.command(epilog="Example: settle account watch 'wallet:*:TEUR' --name low --lower 50000000")
def watch(
    pattern: Annotated[str, typer.Argument(help="A code; * stands for any characters.")],
    name: Annotated[str, typer.Option(help="What it is for.")],
    lower: Annotated[int | None, typer.Option(help="Lowest balance, in minor units.")] = None,
    upper: Annotated[int | None, typer.Option(help="Highest balance, in minor units.")] = None,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    idempotency_key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Watch the balance of an account, or of every account of a pattern."""
    body = {
        "name": name,
        "pattern": pattern,
        "lower_minor": None if lower is None else str(lower),
        "upper_minor": None if upper is None else str(upper),
    }
    api = open_api(url, key_file, key_name)
    made = api.post("/v1/monitors", body, idempotency_key=idempotency_key)
    show.fields(made, as_json=as_json)


@app.command(epilog="Example: settle account unwatch mon_01…")
def unwatch(
    monitor_id: Annotated[str, typer.Argument(help="The monitor's id.")],
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    idempotency_key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Stop watching; what was said stays."""
    api = open_api(url, key_file, key_name)
    path = f"/v1/monitors/{monitor_id}/retire"
    show.fields(api.post(path, idempotency_key=idempotency_key), as_json=as_json)


def _whole_statement(api: Api, asked: dict[str, str]) -> dict[str, Any]:
    """Return a statement with the lines of all its pages."""
    found = api.get("/v1/account-statement", limit=_PAGE, **asked)
    while found["has_more"]:
        page = api.get("/v1/account-statement", limit=_PAGE, offset=len(found["data"]), **asked)
        found["data"] += page["data"]
        found["has_more"] = page["has_more"] and bool(page["data"])
    return found
