"""`settle advice`: what a payment was, for its creditor, a bank or an accounting system."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from gateway.cli.files_out import Output, saved
from gateway.cli.options import URL, AsJson, KeyFile, KeyName, Url

app = typer.Typer(rich_markup_mode=None)


class Format(StrEnum):
    """How it is written."""

    PDF = "pdf"
    REMT001 = "remt001"
    CAMT054 = "camt054"
    PACS008 = "pacs008"
    PACS002 = "pacs002"
    PAIN002 = "pain002"


class Side(StrEnum):
    """Whose account a notification is about."""

    CREDITOR = "creditor"
    DEBTOR = "debtor"


@app.command(epilog="Example: settle advice stl_019a… --format pdf --output advice.pdf")
def advice(
    settlement: Annotated[str, typer.Argument(help="A settlement's id.")],
    file_format: Annotated[
        Format,
        typer.Option(
            "--format",
            help="pdf or remt001: remittance advice; camt054: notification;"
            " pacs008: the payment; pacs002, pain002: how far it is.",
        ),
    ] = Format.PDF,
    side: Annotated[
        Side | None, typer.Option("--side", help="Of a camt054: whose account.")
    ] = None,
    with_header: Annotated[
        bool, typer.Option("--header", help="Put the message behind its head.001.")
    ] = False,
    output: Output = None,
    url: Url = URL,
    key_file: KeyFile = None,
    key_name: KeyName = None,
    as_json: AsJson = False,
) -> None:
    """Write an advice of a payment. What is not final is never called paid."""
    saved(
        (url, key_file, key_name),
        f"/v1/settlements/{settlement}/advice",
        output,
        as_json=as_json,
        format=file_format.value,
        side=None if side is None else side.value,
        with_header="true" if with_header else None,
    )
