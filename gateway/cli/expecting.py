"""`settle reconcile expect`, `expected`, `archive`: payments that somebody says will come or go."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.cli import show
from gateway.cli.client import Json, open_api
from gateway.cli.options import (
    LIMIT,
    URL,
    AsJson,
    IdempotencyKey,
    KeyFile,
    KeyName,
    Limit,
    Url,
)

_PATH = "/v1/reconciliation/expected"
_COLUMNS = (
    "id", "status", "direction", "amount_low", "amount_high", "currency", "amount_reconciled",
    "amount_open", "first_day", "last_day", "reference", "end_to_end_id", "counterparty",
)  # fmt: skip

EndToEnd = Annotated[str | None, typer.Option("--end-to-end-id", help="As the bank will tell it.")]
Reference = Annotated[str | None, typer.Option(help="An invoice's number, say.")]
Counterparty = Annotated[
    str | None, typer.Option(help="A participant's id; or a name, IBAN or address.")
]


def add_to(app: typer.Typer) -> None:
    """Add the commands to `settle reconcile`."""
    app.command(
        epilog="Example: settle reconcile expect par_019a… credit 4300.00 4320.00 --currency EUR"
        " --first-day 2026-10-05 --last-day 2026-10-09 --reference RE-4711"
    )(expect)
    app.command(epilog="Example: settle reconcile expected --status unreconciled")(expected)
    app.command(epilog="Example: settle reconcile archive exp_3")(archive)


def expect(
    owner: Annotated[str, typer.Argument(help="Who will receive or pay: a participant's id.")],
    direction: Annotated[str, typer.Argument(help="credit: will receive; debit: will pay.")],
    amount: Annotated[str, typer.Argument(help="The amount, or the least that will do.")],
    currency: Annotated[str, typer.Option(help="ISO 4217.")],
    first_day: Annotated[str, typer.Option(help="The first day, such as 2026-10-05.")],
    most: Annotated[str | None, typer.Argument(help="The most that will do.")] = None,
    last_day: Annotated[
        str | None, typer.Option(help="Later than this, its absence is a break.")
    ] = None,
    end_to_end_id: EndToEnd = None,
    reference: Reference = None,
    counterparty: Counterparty = None,
    description: Annotated[str, typer.Option(help="For people to read.")] = "",
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    idempotency_key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Say that a payment will come or go; at least one of its names is needed."""
    api = open_api(url, key_file, key_name)
    body: Json = {
        "owner_id": owner, "direction": direction, "currency": currency, "amount_low": amount,
        "amount_high": most, "first_day": first_day, "last_day": last_day,
        "end_to_end_id": end_to_end_id, "reference": reference, "counterparty": counterparty,
        "description": description,
    }  # fmt: skip
    show.fields(api.post(_PATH, body, idempotency_key=idempotency_key), as_json=as_json)


def expected(
    status: Annotated[
        str | None,
        typer.Option(help="unreconciled, partially_reconciled, reconciled or archived."),
    ] = None,
    owner: Annotated[str | None, typer.Option(help="A participant's id.")] = None,
    limit: Limit = LIMIT,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """List what is expected and how much of it has come, newest first."""
    api = open_api(url, key_file, key_name)
    found = api.pages(_PATH, limit=limit, status=status, owner=owner)
    show.table(list(found), _COLUMNS, as_json=as_json)


def archive(
    expected_id: Annotated[str, typer.Argument(help="An expected payment's id, exp_….")],
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    idempotency_key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Expect a payment no more; what is matched with it is unmatched before."""
    api = open_api(url, key_file, key_name)
    made = api.post(f"{_PATH}/{expected_id}/archive", {}, idempotency_key=idempotency_key)
    show.fields(made, as_json=as_json)
