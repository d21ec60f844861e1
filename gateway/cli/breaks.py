"""`settle break`: what does not agree, and working on it, one by one or by sheets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli import break_acts, show
from gateway.cli.client import Json, open_api
from gateway.cli.files_out import a_new_file
from gateway.cli.options import LIMIT, URL, AsJson, KeyFile, KeyName, Limit, Url, noun

app = noun("List what does not agree, and work on it.")

_COLUMNS = ("id", "kind", "severity", "amount", "unit", "owner", "age_days", "closed_at", "reason")
_AGED = ("kind", "currency", "unit", "from_days", "count", "amount")
_OUTCOMES = ("line", "break_id", "action", "outcome", "message", "repair")
_AT_ONCE = 1_000

OneId = Annotated[str, typer.Argument(help="A break's id.")]
IsOpen = Annotated[
    bool | None, typer.Option("--open/--closed", help="Only open, or only closed ones.")
]
Kind = Annotated[str | None, typer.Option(help="Such as unattributed_deposit.")]
Severity = Annotated[str | None, typer.Option(help="low, medium, high or critical.")]
Owner = Annotated[str | None, typer.Option(help="Who works on it; '' for nobody.")]
Party = Annotated[str | None, typer.Option(help="A participant's id.")]
Age = Annotated[int | None, typer.Option("--age", help="Open for so many days, or more.")]
DueBefore = Annotated[str | None, typer.Option(help="Open and due before, ISO 8601.")]


@app.callback()
def break_() -> None:
    """List what does not agree, and work on it."""


@app.command("list", epilog="Example: settle break list --open --severity high --age 30")
def list_(
    is_open: IsOpen = None,
    kind: Kind = None,
    severity: Severity = None,
    owner: Owner = None,
    party: Party = None,
    age: Age = None,
    due_before: DueBefore = None,
    limit: Limit = LIMIT,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """List breaks, newest first."""
    api = open_api(url, key_file, key_name)
    chosen = _chosen(is_open, kind, severity, owner, party, age, due_before)
    show.table(list(api.pages("/v1/breaks", limit=limit, **chosen)), _COLUMNS, as_json=as_json)


@app.command("show", epilog="Example: settle break show brk_0660b1e368384026669772115fe5bc0f")
def show_(
    break_id: OneId,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Show a break with what differs, its history, and what was done about it."""
    api = open_api(url, key_file, key_name)
    show.fields(api.get(f"/v1/breaks/{break_id}"), as_json=as_json)


@app.command(epilog="Example: settle break aging")
def aging(
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Show how old open breaks are, by kind and currency."""
    found = open_api(url, key_file, key_name).get("/v1/breaks/aging")
    show.table(found["data"], _AGED, as_json=as_json)


@app.command("export", epilog="Example: settle break export -o breaks.xlsx --severity high")
def export(
    output: Annotated[Path, typer.Option("--output", "-o", help="A new file, .csv or .xlsx.")],
    is_open: IsOpen = True,
    kind: Kind = None,
    severity: Severity = None,
    owner: Owner = None,
    party: Party = None,
    age: Age = None,
    due_before: DueBefore = None,
    limit: Limit = 100_000,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Write breaks to a sheet with columns action, argument and reason, to be filled in."""
    from datetime import UTC, datetime

    from gateway.cli import break_sheets

    api = open_api(url, key_file, key_name)
    chosen = _chosen(is_open, kind, severity, owner, party, age, due_before)
    found = api.pages("/v1/breaks", limit=limit, **chosen)
    with a_new_file(output) as out:
        count = break_sheets.write(found, output, out, datetime.now(UTC))
    show.written(output, f"{count} breaks", {"breaks": count}, as_json=as_json)


@app.command("import", epilog="Example: settle break import breaks.xlsx --dry-run")
def import_(
    file: Annotated[Path, typer.Argument(help="What was exported, with actions filled in.")],
    is_dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")
    ] = False,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Do what a sheet says, row by row; the same file once more does nothing.

    Each row is applied or refused on its own, under the same controls as a single act. The exit
    code is 1 when a row was refused.
    """
    from gateway.cli import break_sheets
    from settlement.errors import NotFound

    if not file.exists():
        raise NotFound("file", str(file))
    rows = break_sheets.read(file)
    api = open_api(url, key_file, key_name)
    outcomes: list[Json] = []
    for start in range(0, len(rows), _AT_ONCE):
        some = [row._asdict() for row in rows[start : start + _AT_ONCE]]
        outcomes += api.post("/v1/breaks/bulk", {"rows": some, "dry_run": is_dry_run})["data"]
    refused = [each for each in outcomes if each["outcome"] == "refused"]
    show.table(outcomes if as_json else refused, _OUTCOMES, as_json=as_json)
    counts = {
        name: sum(each["outcome"] == name for each in outcomes)
        for name in ("applied", "already", "refused")
    }
    said = ", ".join(f"{count} {name}" for name, count in counts.items())
    typer.echo(f"{'dry run: ' if is_dry_run else ''}{said}", err=True)
    if refused:
        raise typer.Exit(1)


def _chosen(
    is_open: bool | None,
    kind: str | None,
    severity: str | None,
    owner: str | None,
    party: str | None,
    age: int | None,
    due_before: str | None,
) -> dict[str, Any]:
    return {
        "is_open": None if is_open is None else str(is_open).lower(),
        "kind": kind,
        "severity": severity,
        "owner": owner,
        "party": party,
        "age_days": age,
        "due_before": due_before,
    }


break_acts.register(app)
