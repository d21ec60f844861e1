"""`settle report`: reports for the supervisor, their deadlines, and the views as files."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from gateway.cli import show
from gateway.cli.client import open_api
from gateway.cli.files_out import Output, download
from gateway.cli.options import URL, AsJson, IdempotencyKey, KeyFile, KeyName, Url, noun

app = noun("List reports for the supervisor, show, file and export them.")

_COLUMNS = ("id", "kind", "period_last", "state", "due_date", "row_count", "reference")


class What(StrEnum):
    """Which view."""

    TRANSACTIONS = "transactions"
    BLOCKED = "blocked"
    REJECTED = "rejected"
    PARTICIPANTS = "participants"
    HOLDINGS = "holdings"
    SCREENINGS = "screenings"
    POLICIES = "policies"
    LISTS = "lists"
    REPORTS = "reports"


class Form(StrEnum):
    """How it is written."""

    CSV = "csv"
    XML = "xml"
    JSON = "json"


First = Annotated[str | None, typer.Option("--first", help="First day (UTC), YYYY-MM-DD.")]
Last = Annotated[str | None, typer.Option("--last", help="Last day, included; else today.")]
FormOption = Annotated[Form, typer.Option("--format", help="csv, xml or json.")]


@app.command("list", epilog="Example: settle report list --state overdue --as overseer")
def list_(
    state: Annotated[
        str | None, typer.Option("--state", help="written, due, overdue or filed.")
    ] = None,
    first: First = None,
    last: Last = None,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """List what was written and what has to be filed by when."""
    api = open_api(url, key_file, key_name)
    found, after, has_more = [], "", True
    while has_more:
        page = api.get("/v1/supervision/reports", first=first, last=last, after=after, limit=1000)
        found += page["data"]
        has_more = page["has_more"]
        after = page["data"][-1]["id"] if page["data"] else ""
    wanted = [each for each in found if state in (None, each["state"])]
    show.table(wanted, _COLUMNS, as_json=as_json)


@app.command("show", epilog="Example: settle report show rep_00064a1b… --as overseer")
def show_(
    report_id: Annotated[str, typer.Argument(help="The report's id.")],
    file_format: FormOption = Form.JSON,
    output: Output = None,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Show a report as it was written, or write it as a file."""
    api = open_api(url, key_file, key_name)
    path = f"/v1/supervision/reports/{report_id}"
    if file_format is Form.JSON and output is None:
        show.fields(api.get(path), as_json=as_json)
        return
    download(api, path, output, as_json=as_json, format=file_format.value)


@app.command(epilog="Example: settle report export blocked --format xml --first 2026-11-01")
def export(
    what: Annotated[What, typer.Argument(help="Which view.")],
    file_format: FormOption = Form.CSV,
    first: First = None,
    last: Last = None,
    output: Output = None,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Write one of the overseer's views as a file."""
    api = open_api(url, key_file, key_name)
    path = f"/v1/supervision/{what.value}"
    # A page of JSON is a page; a file has all.
    most = 1_000 if file_format is Form.JSON else None
    asked = {"first": first, "last": last, "limit": most}
    download(api, path, output, as_json=as_json, format=file_format.value, **asked)


@app.command("file", epilog="Example: settle report file rep_00064a1b… --reference BLK-2026-0042")
def file_(
    report_id: Annotated[str, typer.Argument(help="The report's id.")],
    reference: Annotated[str, typer.Option("--reference", help="What whoever took it calls it.")],
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    idempotency_key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Say that a report was filed, and under which reference."""
    api = open_api(url, key_file, key_name)
    path = f"/v1/supervision/reports/{report_id}/file"
    found = api.post(path, {"reference": reference}, idempotency_key=idempotency_key)
    show.fields(found, as_json=as_json)
