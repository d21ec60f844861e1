"""`settle export`: lists of the gateway as files, and the journal for accounting tools."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer

from gateway.cli import show
from gateway.cli.client import open_api
from gateway.cli.files_out import Output, a_new_file, require_file
from gateway.cli.options import URL, AsJson, KeyFile, KeyName, Url

app = typer.Typer(rich_markup_mode=None)

_MOST = 10_000_000
Rows = Iterator[dict[str, Any]]


class What(StrEnum):
    """What can be exported; where it is not its path under /v1, that is in `_PATHS`."""

    INVOICES = "invoices"
    SETTLEMENTS = "settlements"
    JOURNAL = "journal"
    ACCOUNTS = "accounts"
    PARTICIPANTS = "participants"
    BREAKS = "breaks"
    BANK_ACCOUNTS = "bank-accounts"
    BANK_STATEMENTS = "bank-statements"
    BANK_ENTRIES = "bank-entries"
    RECORDS = "records"
    MATCHES = "matches"
    CHECK = "check"
    """No list: a beancount or hledger file is read back."""


class Format(StrEnum):
    """How it is written."""

    CSV = "csv"
    XLSX = "xlsx"
    JSONL = "jsonl"
    BEANCOUNT = "beancount"
    HLEDGER = "hledger"


@app.command(epilog="Example: settle export journal --format xlsx --output journal.xlsx")
def export(
    what: Annotated[
        What, typer.Argument(help="Which list; or check, to read a journal's file back.")
    ] = What.JOURNAL,
    file: Annotated[Path | None, typer.Argument(help="Only with check: the file.")] = None,
    file_format: Annotated[
        Format,
        typer.Option(
            "--format",
            help="csv, xlsx, jsonl (a JSON object a line); the journal also as beancount or"
            " hledger, from the database itself (SETTLE_DATABASE_URL).",
        ),
    ] = Format.CSV,
    output: Output = None,
    with_bom: Annotated[bool, typer.Option("--bom", help="Mark a CSV file as UTF-8.")] = False,
    first: Annotated[
        str | None, typer.Option(help="beancount, hledger: first value date, YYYY-MM-DD.")
    ] = None,
    last: Annotated[str | None, typer.Option(help="beancount, hledger: last value date.")] = None,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Write a whole list: what the books, the bank and reconciliation hold, a line for each."""
    if what is not What.CHECK:
        require_file(output, as_json=as_json)
    if what is What.CHECK or file_format in _FOR_TOOLS or file is not None:
        _for_tools(what, file, file_format, output, (first, last), as_json=as_json)
        return
    api = open_api(url, key_file, key_name)
    path = f"/v1/{_PATHS.get(what, what.value)}"
    found = api.pages(path, limit=_MOST, cursor=_CURSORS.get(what, "id"))
    is_table = file_format is not Format.JSONL
    rows = _postings(found) if what is What.JOURNAL and is_table else found
    write = _writer(file_format, title=what.value, with_bom=with_bom)
    if output is None:
        count = write(rows, sys.stdout.buffer)
        sys.stdout.buffer.flush()
        typer.echo(f"{count} lines", err=True)
    else:
        with a_new_file(output) as stream:
            count = write(rows, stream)
        show.written(output, f"{count} lines", {"lines": count}, as_json=as_json)


_FOR_TOOLS = (Format.BEANCOUNT, Format.HLEDGER)


def _for_tools(
    what: What,
    file: Path | None,
    file_format: Format,
    output: Path | None,
    days: tuple[str | None, str | None],
    *,
    as_json: bool,
) -> None:
    """Write the journal for accounting tools, or read such a file back."""
    from gateway.cli import export_books
    from settlement.errors import Invalid

    if what is What.CHECK:
        export_books.check(file, as_json=as_json)
    elif file is not None:
        raise Invalid(f"{file} stands in no place", field="FILE", repair="write --output FILE")
    elif what is What.JOURNAL:
        export_books.write(file_format.value, output, first=days[0], last=days[1], as_json=as_json)
    else:
        raise Invalid(
            f"{what.value} are no journal", field="--format", repair="use csv, xlsx or jsonl"
        )


_CURSORS = {What.JOURNAL: "seq", What.ACCOUNTS: "code"}
_PATHS = {
    What.BANK_ACCOUNTS: "bank/accounts",
    What.BANK_STATEMENTS: "bank/statements",
    What.BANK_ENTRIES: "bank/entries",
    What.RECORDS: "reconciliation/records",
    What.MATCHES: "reconciliation/matches",
}


def _postings(entries: Rows) -> Rows:
    """A line per posting: what a spreadsheet can sum."""
    for entry in entries:
        lines = entry.pop("lines")
        for line in lines:
            yield {**entry, **line}


def _writer(file_format: Format, *, title: str, with_bom: bool) -> Callable[[Rows, BinaryIO], int]:
    def write(rows: Rows, stream: BinaryIO) -> int:
        if file_format is Format.JSONL:
            return _write_jsonl(rows, stream)
        return _write_table(rows, stream, file_format, title=title, with_bom=with_bom)

    return write


def _write_jsonl(rows: Rows, stream: BinaryIO) -> int:
    count = 0
    for row in rows:
        stream.write(json.dumps(row).encode() + b"\n")
        count += 1
    return count


def _write_table(
    rows: Rows, stream: BinaryIO, file_format: Format, *, title: str, with_bom: bool
) -> int:
    """Write rows with the columns of the first one; all of a list have the same."""
    from datetime import UTC, datetime

    from settlement.statements import tables_out
    from settlement.statements.columns import columns

    first = next(rows, None)
    names = [] if first is None else [name for name in first if name != "object"]
    cells = (_cells(row, names) for row in chain([first] if first else [], rows))
    if file_format is Format.XLSX:
        now = datetime.now(UTC)
        return tables_out.write_xlsx(columns(names), cells, stream, title=title, created_at=now)
    text = tables_out.csv_into(stream)
    count = tables_out.write_csv(columns(names), cells, text, with_bom=with_bom)
    text.detach()
    return count


def _cells(row: dict[str, Any], names: Sequence[str]) -> list[object]:
    return [_plain(row.get(name)) for name in names]


def _plain(value: object) -> object:
    return json.dumps(value) if isinstance(value, dict | list) else value
