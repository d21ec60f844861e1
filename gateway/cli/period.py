"""`settle period`: accounting periods, closed by two people."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.cli import show
from gateway.cli.client import open_api
from gateway.cli.options import URL, AsJson, IdempotencyKey, KeyFile, KeyName, Url, noun

app = noun("List accounting periods, ask for their close and approve it.")

_COLUMNS = ("id", "state", "trial_sha256", "closed_by", "approved_by", "approved_at")

Name = Annotated[str, typer.Argument(help="2026-10, or 2026-10-01_2026-10-15.")]


@app.command("list", epilog="Example: settle period list")
def list_(
    url: Url = URL, key_file: KeyFile = None, key_name: KeyName = None, as_json: AsJson = False
) -> None:
    """List what was closed, and what is asked to be; newest first."""
    found = open_api(url, key_file, key_name).get("/v1/periods")
    show.table(found["data"], _COLUMNS, as_json=as_json)
    if not as_json:
        typer.echo(f"open since {found['open_since'] or 'the beginning'}", err=True)


@app.command("show", epilog="Example: settle period show 2026-10")
def show_(
    period: Name,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Show a period: its trial balance's hash, and who closed it."""
    found = open_api(url, key_file, key_name).get(f"/v1/periods/{period}")
    show.fields(found, as_json=as_json)


@app.command(epilog="Example: settle period close 2026-10")
def close(
    period: Name,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    idempotency_key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Ask for the close of a period that is over; somebody else has to approve it."""
    api = open_api(url, key_file, key_name)
    found = api.post("/v1/periods/close", {"period": period}, idempotency_key=idempotency_key)
    show.fields(found, as_json=as_json)
    if not as_json:
        then = f"settle period approve {found['id']} --trial {found['trial_sha256']}"
        typer.echo(f"it is open until somebody else approves it: {then}", err=True)


@app.command(epilog="Example: settle period approve 2026-10 --trial b5bb9d80… --as approver")
def approve(
    period: Name,
    trial: Annotated[str, typer.Option("--trial", help="The trial balance's hash, as shown.")],
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    idempotency_key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Close a period for good: no entry is booked in it any more, and it is not opened again."""
    api = open_api(url, key_file, key_name)
    body = {"period": period, "trial_sha256": trial}
    show.fields(
        api.post("/v1/periods/approve", body, idempotency_key=idempotency_key), as_json=as_json
    )
