"""`settle approval`: what needs a second person, and a word on it, bound to what was seen."""

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

app = noun("List what needs a second person, look at it, approve or refuse it.")

_COLUMNS = (
    "id", "kind", "subject", "amount", "unit", "state", "approvals", "needed", "maker",
    "expires_at",
)  # fmt: skip

Approval = Annotated[str, typer.Argument(help="The request's id, apr_…")]
Seen = Annotated[
    str, typer.Option("--seen", help="The what_hash that `settle approval show` gave.")
]
Why = Annotated[str, typer.Option("--reason", help="Kept with the decision.")]


@app.command("list", epilog="Example: settle approval list --mine --as approver")
def list_(
    mine: Annotated[bool, typer.Option("--mine", help="Only what waits for my word.")] = False,
    state: Annotated[str | None, typer.Option("--state", help="open, approved, refused, …")] = None,
    kind: Annotated[str | None, typer.Option("--kind", help="settlement, payee, policy, …")] = None,
    subject: Annotated[str | None, typer.Option("--subject", help="About this id.")] = None,
    limit: Limit = LIMIT,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """List requests, newest first."""
    api = open_api(url, key_file, key_name)
    asked: dict[str, Any] = {"state": state, "kind": kind, "subject": subject}
    if mine:
        asked["mine"] = "true"
    found = list(api.pages("/v1/approvals", limit=limit, **asked))
    show.table(found, _COLUMNS, as_json=as_json)


@app.command("show", epilog="Example: settle approval show apr_019a… --as approver")
def show_(
    approval: Approval,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Show everything that there is to be seen of a request, with the hash over it."""
    found = open_api(url, key_file, key_name).get(f"/v1/approvals/{approval}")
    show.fields(found, as_json=as_json)


@app.command(epilog="Example: settle approval approve apr_019a… --seen b5bb9d80… --as approver")
def approve(
    approval: Approval,
    seen: Seen,
    reason: Why = "",
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    idempotency_key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Approve what was seen; the last approval needed does it at once."""
    body: Json = {"what_hash": seen, "reason": reason}
    api = open_api(url, key_file, key_name)
    done = api.post(f"/v1/approvals/{approval}/approve", body, idempotency_key=idempotency_key)
    show.fields(done, as_json=as_json)


@app.command(
    epilog="Example: settle approval refuse apr_019a… --seen b5bb9d80… --reason 'not ours'"
)
def refuse(
    approval: Approval,
    seen: Seen,
    reason: Why,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    idempotency_key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Refuse a request: one refusal ends it."""
    body: Json = {"what_hash": seen, "reason": reason}
    api = open_api(url, key_file, key_name)
    done = api.post(f"/v1/approvals/{approval}/refuse", body, idempotency_key=idempotency_key)
    show.fields(done, as_json=as_json)


@app.command(epilog="Example: settle approval withdraw apr_019a… --reason 'the wrong invoice'")
def withdraw(
    approval: Approval,
    reason: Why,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    idempotency_key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Take back what you have asked for yourself."""
    api = open_api(url, key_file, key_name)
    done = api.post(
        f"/v1/approvals/{approval}/withdraw", {"reason": reason}, idempotency_key=idempotency_key
    )
    show.fields(done, as_json=as_json)
