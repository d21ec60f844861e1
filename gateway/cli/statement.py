"""`settle statement`: the statement of an account and a day, as a file."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from gateway.cli.files_out import Output, saved
from gateway.cli.options import URL, AsJson, KeyFile, KeyName, Url

app = typer.Typer(rich_markup_mode=None)


class Format(StrEnum):
    """How it is written."""

    CAMT053 = "camt053"
    CSV = "csv"
    XLSX = "xlsx"
    PDF = "pdf"


class Basis(StrEnum):
    """Which date puts an entry into a day."""

    BOOKING = "booking"
    VALUE = "value"


@app.command(epilog="Example: settle statement wallet:0x7099…:TEUR --day 2026-11-20 -o day.xml")
def statement(
    account: Annotated[str, typer.Argument(help="An account's code: see GET /v1/accounts.")],
    day: Annotated[
        str | None, typer.Option("--day", help="YYYY-MM-DD in UTC; else today.", metavar="DAY")
    ] = None,
    file_format: Annotated[
        Format, typer.Option("--format", help="camt053 (ISO 20022), csv, xlsx or pdf.")
    ] = Format.CAMT053,
    basis: Annotated[
        Basis, typer.Option("--by", help="By booking date, or by value date.")
    ] = Basis.BOOKING,
    page: Annotated[int, typer.Option("--page", min=1, help="Of a camt053 in pages.")] = 1,
    page_size: Annotated[
        int | None, typer.Option("--page-size", min=100, help="Entries of a camt053's page.")
    ] = None,
    with_bom: Annotated[bool, typer.Option("--bom", help="Mark a CSV file as UTF-8.")] = False,
    output: Output = None,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Write the statement of an account and a day: opening, movements, closing."""
    saved(
        (url, key_file, key_name),
        f"/v1/statements/{account}",
        output,
        as_json=as_json,
        day=day,
        format=file_format.value,
        basis=basis.value,
        page=page,
        page_size=page_size,
        with_bom="true" if with_bom else None,
    )
