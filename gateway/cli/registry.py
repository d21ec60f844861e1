"""`settle registry`: what wallets are to be on the chain and are; freezing and freeing them."""

from __future__ import annotations

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
    Url,
    noun,
)

app = noun("Show what is listed and frozen on the chain; freeze and free wallets.")

_COLUMNS = ("wallet", "token", "wanted", "actual", "differs_from_block", "why", "under_way")

Participant = Annotated[str, typer.Argument(help="The participant's id.")]
Tokens = Annotated[
    list[str] | None, typer.Option("--token", help="A token's symbol; none: all of them.")
]
Why = Annotated[str, typer.Option("--reason", help="Why; it is kept and shown.")]


@app.command("list", epilog="Example: settle registry list --differs --as overseer")
def list_(
    participant_id: Annotated[
        str | None, typer.Option("--participant", help="Wallets of one.")
    ] = None,
    wallet: Annotated[str | None, typer.Option("--wallet", help="One address.")] = None,
    differs: Annotated[
        bool, typer.Option("--differs", help="Only what the chain does not have as wanted.")
    ] = False,
    limit: Limit = LIMIT,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """List wallets on the rail and on tokens: what they are to be, who says so, what they are."""
    found = open_api(url, key_file, key_name).pages(
        "/v1/registry", limit=limit, cursor=lambda one: f"{one['wallet']}:{one['contract']}",
        participant_id=participant_id, wallet=wallet, differs=str(differs).lower(),
    )  # fmt: skip
    data = list(found)
    show.table(data if as_json else [_line(each) for each in data], _COLUMNS, as_json=as_json)


@app.command(epilog="Example: settle registry freeze par_019a8f… --token TUSD --reason 'an order'")
def freeze(
    participant_id: Participant,
    reason: Why,
    token: Tokens = None,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    idempotency_key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Freeze a participant's wallets, at once; its payments in these tokens are held."""
    body = {"tokens": token or [], "reason": reason}
    found = open_api(url, key_file, key_name).post(
        f"/v1/participants/{participant_id}/freeze", body, idempotency_key=idempotency_key
    )
    data = found["data"]
    show.table(data if as_json else [_line(each) for each in data], _COLUMNS, as_json=as_json)


@app.command(epilog="Example: settle registry unfreeze par_019a8f… --reason 'the order was lifted'")
def unfreeze(
    participant_id: Participant,
    reason: Why,
    token: Tokens = None,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    idempotency_key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Ask for a second person who frees a participant's wallets."""
    body = {"tokens": token or [], "reason": reason}
    found = open_api(url, key_file, key_name).post(
        f"/v1/participants/{participant_id}/unfreeze", body, idempotency_key=idempotency_key
    )
    show.fields(found, as_json=as_json)


def _line(each: dict[str, Any]) -> dict[str, Any]:
    why = "; ".join(f"{wish['source']}: {wish['reason']}" for wish in each["wishes"])
    under_way = ", ".join(f"{one['effect']} {one['state']}" for one in each["under_way"])
    return {**each, "token": each["token"] or "(rail)", "why": why, "under_way": under_way}
