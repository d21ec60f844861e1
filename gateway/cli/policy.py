"""`settle policy`: versions of the rules, why a payment came out as it did, and flags."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli import show
from gateway.cli.client import PAGE_MAX, open_api, tell_of_more
from gateway.cli.files_in import text_of
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

app = noun("Draft, try, publish and explain the rules by which payments are cleared.")

_COLUMNS = ("version", "state", "is_in_force", "author", "published_by", "in_force_from", "note")
_RULES = ("pack", "id", "outcome", "status", "confidence", "title")
_WHY = ("rule", "verdict", "confidence", "found", "title")
_FLAGS = ("at", "rule", "settlement_id", "subject", "found")
_CHANGED = ("settlement_id", "before", "after", "gained", "lost")

Version = Annotated[int, typer.Argument(help="A version's number.")]


@app.command("list", epilog="Example: settle policy list --as compliance")
def list_(
    limit: Limit = LIMIT,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """List versions of the policy, newest first."""
    api = open_api(url, key_file, key_name)
    found = api.pages("/v1/policies", limit=limit, cursor="version", place_name="before")
    show.table(list(found), _COLUMNS, as_json=as_json)


@app.command("show", epilog="Example: settle policy show 1 --as compliance")
def show_(
    version: Version,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Show every rule of a version; --json has sources and files."""
    found = open_api(url, key_file, key_name).get(f"/v1/policies/{version}")
    if as_json:
        show.fields(found, as_json=True)
        return
    rules = [{"pack": pack["id"], **rule} for pack in found["packs"] for rule in pack["rules"]]
    show.table(rules, _RULES, as_json=False)


@app.command(epilog="Example: settle policy diff 2 --against 1 --as compliance")
def diff(
    version: Version,
    against: Annotated[int | None, typer.Option(help="Another; else that in force.")] = None,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Show what a version's files say otherwise."""
    query = {} if against is None else {"against": against}
    found = open_api(url, key_file, key_name).get(f"/v1/policies/{version}/diff", **query)
    if as_json:
        show.fields(found, as_json=True)
        return
    for line in found["lines"]:
        typer.echo(line)


@app.command(epilog="Example: settle policy draft own.yaml --note 'an own pack' --as compliance")
def draft(
    files: Annotated[
        list[Path], typer.Argument(help="Packs and tables that are to be other.", exists=True)
    ],
    note: Annotated[str, typer.Option("--note", help="What it is for.")],
    without: Annotated[list[str] | None, typer.Option(help="A file to take away.")] = None,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    idempotency_key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Keep a draft: the files in force, but for these; faults are told with their line."""
    contents: dict[str, Any] = {path.name: text_of(path) for path in files}
    contents |= dict.fromkeys(without or ())
    api = open_api(url, key_file, key_name)
    body = {"note": note, "files": contents}
    answer = api.post("/v1/policies", body, idempotency_key=idempotency_key)
    show.fields(answer, as_json=as_json)


@app.command(epilog="Example: settle policy simulate 2 --as compliance")
def simulate(
    version: Version,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    idempotency_key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Try a version on past decisions: which would come out otherwise, and by which rule."""
    api = open_api(url, key_file, key_name)
    path = f"/v1/policies/{version}/simulate"
    found = api.post(path, {}, idempotency_key=idempotency_key)
    if as_json:
        show.fields(found, as_json=True)
        return
    changed = found.pop("changed")
    show.fields(found, as_json=False)
    show.table(changed, _CHANGED, as_json=False)


@app.command(
    epilog="Example: settle policy publish 2 --reason 'decided in November' --as compliance"
)
def publish(
    version: Version,
    reason: Annotated[str, typer.Option("--reason", help="Whoever approves it reads it.")],
    in_force_from: Annotated[
        str | None, typer.Option("--from", help="ISO 8601; without it at once.")
    ] = None,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    idempotency_key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Ask for a draft to be in force; another person approves: settle approval approve."""
    api = open_api(url, key_file, key_name)
    body = {"reason": reason, "in_force_from": in_force_from}
    path = f"/v1/policies/{version}/publish"
    show.fields(api.post(path, body, idempotency_key=idempotency_key), as_json=as_json)


@app.command(
    epilog="Example: settle policy why stl_019a8f2e6c1f7d3e9b6a2d4c5e6f7082 --as compliance"
)
def why(
    settlement: Annotated[str, typer.Argument(help="A settlement's id.")],
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Explain the newest decision: each rule's verdict; --json has what it looked at."""
    found = open_api(url, key_file, key_name).get(f"/v1/settlements/{settlement}/clearance")
    if as_json:
        show.fields(found, as_json=True)
        return
    typer.echo(f"{found['outcome']} under {found['policy_version']}, {found['created_at']}")
    order = ("BLOCK", "REJECT", "HOLD", "ALLOW_WITH_DATA", "FLAG", "ALLOW", "PASSED")
    rules = sorted(found["rules"], key=lambda each: order.index(each["verdict"]))
    show.table(rules, _WHY, as_json=False)


@app.command(epilog="Example: settle policy flags --as overseer")
def flags(
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=PAGE_MAX, help="How many at most.")
    ] = LIMIT,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """List what rules told the supervisor without changing an outcome."""
    # One page: flags of one moment may stand on both sides of its end.
    found = open_api(url, key_file, key_name).get("/v1/policy-flags", limit=limit)
    show.table(found["data"], _FLAGS, as_json=as_json)
    if found["has_more"]:
        tell_of_more(limit)
