"""`settle key`: API keys, issued to people and machines, rotated, revoked.

The first admin's key is made at the machine, with --here.
"""

from __future__ import annotations

from typing import Annotated, Any

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
    noun,
)

app = noun("Issue, list, rotate and revoke API keys.")

_COLUMNS = (
    "prefix", "role", "state", "person_id", "participant_id", "scopes", "label", "last_used_at",
    "expires_at",
)  # fmt: skip

Prefix = Annotated[str, typer.Argument(help="The key's first part, stk_ and 12 digits.")]
ExpiresAt = Annotated[
    str | None, typer.Option("--expires-at", help="ISO 8601; a year from now if left out.")
]


@app.command(epilog="Example: settle key issue treasury --person per_019a… --scope read --as admin")
def issue(
    role: Annotated[str, typer.Argument(help="exporter, importer, treasury, approver, …")],
    participant: Annotated[
        str | None, typer.Option("--participant", help="The company, of an exporter or importer.")
    ] = None,
    person: Annotated[
        str | None, typer.Option("--person", help="Whose hand it is; none: a machine's.")
    ] = None,
    scope: Annotated[
        list[str] | None, typer.Option("--scope", help="A group of routes, or read; again for more")
    ] = None,
    label: Annotated[str, typer.Option("--label", help="What it is for.")] = "",
    per_minute: Annotated[
        int | None, typer.Option("--per-minute", help="Requests that it may send a minute.")
    ] = None,
    expires_at: ExpiresAt = None,
    here: Annotated[
        bool, typer.Option("--here", help="At this machine's database: for the first admin.")
    ] = False,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    idempotency_key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Issue a key and print it: it cannot be read a second time."""
    body: Json = {
        "role": role, "participant_id": participant, "person_id": person, "scopes": scope or [],
        "label": label, "per_minute": per_minute, "expires_at": expires_at,
    }  # fmt: skip
    if here:
        made = _issue_here(body)
    else:
        api = open_api(url, key_file, key_name)
        made = api.post("/v1/keys", body, idempotency_key=idempotency_key)
    _show_once(made, as_json=as_json)


@app.command("list", epilog="Example: settle key list --role approver --as admin")
def list_(
    role: Annotated[str | None, typer.Option("--role", help="Only of this role.")] = None,
    person: Annotated[str | None, typer.Option("--person", help="Only this person's.")] = None,
    limit: Limit = LIMIT,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """List keys, newest first."""
    api = open_api(url, key_file, key_name)
    found = api.pages("/v1/keys", limit=limit, cursor="prefix", role=role, person_id=person)
    show.table(list(found), _COLUMNS, as_json=as_json)


@app.command(epilog="Example: settle key rotate stk_9f86d081884c --overlap-seconds 3600 --as admin")
def rotate(
    prefix: Prefix,
    overlap_seconds: Annotated[
        int, typer.Option("--overlap-seconds", min=0, help="How long the old one goes on.")
    ] = 86_400,
    expires_at: ExpiresAt = None,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    idempotency_key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Issue a key that replaces another, and print it."""
    body: Json = {"overlap_seconds": overlap_seconds, "expires_at": expires_at}
    api = open_api(url, key_file, key_name)
    made = api.post(f"/v1/keys/{prefix}/rotate", body, idempotency_key=idempotency_key)
    _show_once(made, as_json=as_json)


@app.command(epilog="Example: settle key revoke stk_9f86d081884c --as admin")
def revoke(
    prefix: Prefix,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    idempotency_key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """End a key at once."""
    api = open_api(url, key_file, key_name)
    found = api.post(f"/v1/keys/{prefix}/revoke", {}, idempotency_key=idempotency_key)
    show.fields(found, as_json=as_json)


def _show_once(made: dict[str, Any], *, as_json: bool) -> None:
    show.fields(made, as_json=as_json)
    if not as_json and made.get("key"):
        typer.echo("keep it now: it is not shown again", err=True)


def _issue_here(body: Json) -> Json:
    """Issue a key at the machine: whoever may read its secrets may make one."""
    from gateway import at_the_machine, wiring
    from gateway.api.keys import IssueBody, shown
    from gateway.auth import open_pepper
    from settlement.access import keys
    from settlement.config import Settings
    from settlement.store import transaction

    wanted = IssueBody.model_validate(body)
    settings, now = Settings(), wiring.now()
    new = keys.NewKey(
        role=wanted.role, participant_id=wanted.participant_id, person_id=wanted.person_id,
        scopes=" ".join(wanted.scopes), label=wanted.label, per_minute=wanted.per_minute,
        expires=wanted.expires_at,
    )  # fmt: skip
    with transaction(wiring.open_database(settings)) as session:
        pepper = open_pepper(settings.home)
        key = keys.issue(session, pepper, new, issued_by="machine", now=now)
        found = shown(keys.one(session, key[: keys.PREFIX_LENGTH]), now)
        at_the_machine.record(session, "settle key issue", now, key[: keys.PREFIX_LENGTH])
    return {**found, "key": key}
