"""`settle export`: lists of the gateway as files."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import IO, Annotated, Any

import typer

from gateway.cli.client import open_api
from gateway.cli.options import URL, KeyFile, KeyName, Url

app = typer.Typer(rich_markup_mode=None)

_MOST = 10_000_000


class What(StrEnum):
    """What can be exported, by its path under /v1."""

    INVOICES = "invoices"
    SETTLEMENTS = "settlements"
    JOURNAL = "journal"
    BREAKS = "breaks"


class Format(StrEnum):
    """How it is written."""

    CSV = "csv"
    JSONL = "jsonl"


@app.command(epilog="Example: settle export journal --format csv --output journal.csv")
def export(
    what: Annotated[What, typer.Argument(help="Which list.")],
    file_format: Annotated[
        Format, typer.Option("--format", help="csv, or jsonl: a JSON object a line.")
    ] = Format.CSV,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A new file; else standard output.")
    ] = None,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
) -> None:
    """Write all invoices, settlements, journal lines or breaks, newest first."""
    from settlement.errors import Conflict

    api = open_api(url, key_file, key_name)
    cursor = "seq" if what is What.JOURNAL else "id"
    found = api.pages(f"/v1/{what.value}", limit=_MOST, cursor=cursor)
    write = _write_csv if file_format is Format.CSV else _write_jsonl
    rows = _postings(found) if what is What.JOURNAL and file_format is Format.CSV else found
    if output is None:
        count = write(rows, sys.stdout)
    else:
        try:
            with output.open("x", encoding="utf-8", newline="") as stream:
                count = write(rows, stream)
        except FileExistsError:
            raise Conflict(f"{output} is there already", repair="name a new file") from None
    typer.echo(f"{count} lines", err=True)


def _postings(entries: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """A line per posting: what a spreadsheet can sum."""
    for entry in entries:
        lines = entry.pop("lines")
        for line in lines:
            yield {**entry, **line}


def _write_csv(rows: Iterator[dict[str, Any]], stream: IO[str]) -> int:
    writer: csv.DictWriter[str] | None = None
    count = 0
    for row in rows:
        flat = {name: _cell(value) for name, value in row.items() if name != "object"}
        if writer is None:
            writer = csv.DictWriter(stream, list(flat), extrasaction="ignore")
            writer.writeheader()
        writer.writerow(flat)
        count += 1
    return count


def _write_jsonl(rows: Iterator[dict[str, Any]], stream: IO[str]) -> int:
    count = 0
    for row in rows:
        stream.write(json.dumps(row) + "\n")
        count += 1
    return count


def _cell(value: object) -> object:
    if isinstance(value, dict | list):
        return json.dumps(value)
    # A spreadsheet takes such a text for a formula and runs it.
    is_formula = isinstance(value, str) and value[:1] in ("=", "+", "@", "\t", "\r")
    return f"'{value}" if is_formula else value
