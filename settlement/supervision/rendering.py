"""A view's rows as a file: CSV that no spreadsheet calculates, XML by our own schema, JSON.

Knows no view. The XML's schema is `report.xsd`, beside this file and part of the package.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple
from xml.sax.saxutils import escape, quoteattr

import orjson

from settlement.statements.tables_out import Column, write_csv

SCHEMA = Path(__file__).with_name("report.xsd")
NAMESPACE = "urn:settlement-rail:supervision:1"
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML document may hold. Source: XML 1.0, 2.2."""


class Format(StrEnum):
    """How a view or report is given out."""

    JSON = "json"
    CSV = "csv"
    XML = "xml"


MEDIA_TYPES = {
    Format.JSON: "application/json",
    Format.CSV: "text/csv; charset=utf-8",
    Format.XML: "application/xml",
}


class Heading(NamedTuple):
    """What a file says of itself: ISO 8601 dates and moment."""

    name: str
    title: str
    first: str
    last: str
    written_at: str


def render(
    form: Format, heading: Heading, columns: Sequence[Column], rows: Iterable[Sequence[Any]]
) -> bytes:
    """Return the file of a table."""
    if form is Format.CSV:
        out = StringIO(newline="")
        write_csv(columns, rows, out)
        return out.getvalue().encode()
    if form is Format.XML:
        return "".join(_xml(heading, columns, rows)).encode()
    names = [column.name for column in columns]
    data = [dict(zip(names, row, strict=True)) for row in rows]
    return orjson.dumps({"object": "list", **heading._asdict(), "data": data})


def _xml(
    heading: Heading, columns: Sequence[Column], rows: Iterable[Sequence[Any]]
) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    about = "".join(
        f" {name}={quoteattr(_clean(value))}"
        for name, value in (
            ("name", heading.name), ("title", heading.title), ("first", heading.first),
            ("last", heading.last), ("writtenAt", heading.written_at),
        )
    )  # fmt: skip
    yield f'<report xmlns="{NAMESPACE}"{about}>\n<columns>\n'
    for column in columns:
        yield f"<column name={quoteattr(column.name)} kind={quoteattr(column.kind.value)}/>\n"
    yield "</columns>\n<rows>\n"
    names = [quoteattr(column.name) for column in columns]
    for row in rows:
        yield "<row>"
        for name, cell in zip(names, row, strict=True):
            if cell is not None:
                yield f"<field name={name}>{escape(_clean(str(cell)))}</field>"
        yield "</row>\n"
    yield "</rows>\n</report>\n"


def _clean(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
