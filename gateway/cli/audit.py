"""`settle audit`: the trail of every act: list it, write it to a file, verify its chain."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli import show
from gateway.cli.client import open_api
from gateway.cli.files_out import a_new_file
from gateway.cli.options import LIMIT, URL, AsJson, KeyFile, KeyName, Limit, Url, noun

app = noun("List who did what, write it to a file, verify that nothing was changed.")

_COLUMNS = ("seq", "at", "hand", "role", "act", "outcome", "problem", "repeated", "subjects")
_EXPORT_MAX = 10_000_000

Subject = Annotated[str | None, typer.Option("--subject", help="About this id.")]
Hand = Annotated[str | None, typer.Option("--hand", help="By this person or key.")]
Act = Annotated[str | None, typer.Option("--act", help="Such as 'POST /v1/settlements'.")]
Since = Annotated[str | None, typer.Option("--since", help="ISO 8601, itself included.")]
Until = Annotated[str | None, typer.Option("--until", help="ISO 8601, itself not.")]


@app.command("list", epilog="Example: settle audit list --subject stl_019a… --as overseer")
def list_(
    subject: Subject = None,
    hand: Hand = None,
    act: Act = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = LIMIT,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """List acts, newest first."""
    api = open_api(url, key_file, key_name)
    found = api.pages(
        "/v1/audit", limit=limit, cursor="seq", subject=subject, hand=hand, act=act, since=since,
        until=until,
    )  # fmt: skip
    show.table(list(found), _COLUMNS, as_json=as_json)


@app.command(epilog="Example: settle audit export trail.jsonl --since 2026-11-01 --as overseer")
def export(
    file: Annotated[Path, typer.Argument(help="A new file: one JSON object a line, newest first.")],
    subject: Subject = None,
    hand: Hand = None,
    act: Act = None,
    since: Since = None,
    until: Until = None,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Write the trail, or a part of it, to a file. That this was done is in the trail as well."""
    api = open_api(url, key_file, key_name)
    found = api.pages(
        "/v1/audit", limit=_EXPORT_MAX, cursor="seq", subject=subject, hand=hand, act=act,
        since=since, until=until,
    )  # fmt: skip
    count = 0
    with a_new_file(file) as stream:
        for each in found:
            stream.write(json.dumps(each, ensure_ascii=False).encode() + b"\n")
            count += 1
    show.written(file, f"{count} events written to {file}", {"events": count}, as_json=as_json)


@app.command(epilog="Example: settle audit verify --head 3f1c… --json")
def verify(
    database: Annotated[
        str, typer.Option("--database", help="A database URL; else the configured one.")
    ] = "",
    head: Annotated[
        str | None, typer.Option("--head", help="An event's hash that you noted: is it there?")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Recompute every hash of the trail by code of its own, and name the first bad event.

    Note `head` elsewhere: with --head a trail that was cut off at its end is noticed. Exit code 0
    if the chain holds, 1 if not, 2 if it could not be read.
    """
    from gateway import wiring
    from settlement.config import Settings

    asked = ["--database", database or wiring.database_url(Settings())]
    asked += ["--head", head] if head is not None else []
    asked += ["--json"] if as_json else []
    ran = subprocess.run(
        [sys.executable, "-m", "settlement.verify.audit_chain", *asked], check=False
    )
    raise typer.Exit(ran.returncode)
