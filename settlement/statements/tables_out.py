"""Tables as files: CSV and XLSX, written row by row, each cell of a kind, none of them a formula.

Knows no noun: columns and rows come from outside. Rows are never kept.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from enum import StrEnum
from tempfile import TemporaryDirectory
from typing import IO, TYPE_CHECKING, Any, BinaryIO, NamedTuple

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

BOM = "\ufeff"
"""Tells a spreadsheet that a CSV file is UTF-8."""

DIGITS_EXACT = 15
"""Digits that a spreadsheet's number holds exactly. Source: IEEE 754, binary64."""

SHEET_ROWS = 1_048_576
CELL_MAX = 32_767
"""Rows of a sheet and characters of a cell. Source: ECMA-376, limits of Excel."""

_DANGEROUS = re.compile("[ '\u00a0\u2000-\u200b\u202f\u3000\ufeff]*[-=+@\t\r\n＝＋－＠]")
_AMOUNT = re.compile(r"-?[0-9]{1,40}(?:\.[0-9]{1,18})?\Z", re.ASCII)
_CUT = " … [cut]"
_XLSX_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


class Kind(StrEnum):
    """What a column holds."""

    TEXT = "text"
    AMOUNT = "amount"
    COUNT = "count"
    DATE = "date"
    MOMENT = "moment"
    FLAG = "flag"


class Column(NamedTuple):
    """A column: its heading, and what it holds."""

    name: str
    kind: Kind = Kind.TEXT


Cells = Sequence[object]
"""A row: texts, amounts as decimal strings, dates and moments as such or in ISO 8601, None."""


def guarded(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula: with a quote before it, if need be.

    What counts is the first character that is no space, for some programs trim before they look,
    and no quote, so that `unguarded` gives every text back.
    Source: OWASP, CSV injection.
    """
    return f"'{text}" if _DANGEROUS.match(text) else text


def unguarded(text: str) -> str:
    """Return what `guarded` was given: for a file that comes back."""
    return text[1:] if text[:1] == "'" and _DANGEROUS.match(text[1:]) else text


def write_csv(
    columns: Sequence[Column], rows: Iterable[Cells], out: IO[str], *, with_bom: bool = False
) -> int:
    """Write a table as CSV with a heading; return the number of rows. Source: RFC 4180."""
    if with_bom:
        out.write(BOM)
    # All quoted: where lists are separated by semicolons, one in a text would begin a new cell.
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow([guarded(column.name) for column in columns])
    makers = [_IN_CSV[column.kind] for column in columns]
    count = 0
    for row in rows:
        writer.writerow([make(cell) for make, cell in zip(makers, row, strict=True)])
        count += 1
    return count


def csv_into(out: BinaryIO) -> io.TextIOWrapper:
    """Return `out` as a stream of text for `write_csv`; to be detached after."""
    return io.TextIOWrapper(out, encoding="utf-8", newline="", write_through=True)


def write_xlsx(
    columns: Sequence[Column],
    rows: Iterable[Cells],
    out: BinaryIO,
    *,
    title: str,
    created_at: datetime,
) -> int:
    """Write a table as a workbook; return the number of rows. More than fit go to further sheets.

    The same table and moment make the same bytes.
    """
    import xlsxwriter

    with TemporaryDirectory(prefix="settle-xlsx-") as folder:
        book = xlsxwriter.Workbook(out, {**_XLSX_OPTIONS, "tmpdir": folder})
        book.set_properties({"title": title, "created": created_at.replace(tzinfo=None)})
        sheet = _XlsxSheet(book, columns)
        count = 0
        try:
            for row in rows:
                sheet.add(row)
                count += 1
        except BaseException:
            sheet.abandon()
            raise
        book.close()
    return count


class _XlsxSheet:
    """The sheet that is being written, and the next one when it is full."""

    def __init__(self, book: Any, columns: Sequence[Column]) -> None:
        self._book = book
        self._columns = columns
        self._heading = book.add_format({"bold": True})
        self._formats: dict[Kind, Format] = {
            Kind.DATE: book.add_format({"num_format": "yyyy-mm-dd"}),
            Kind.MOMENT: book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss.000"}),
            Kind.COUNT: book.add_format({"num_format": "0"}),
        }
        # Kept as text by a spreadsheet also after somebody has edited the cell.
        self._quoted = book.add_format({"quote_prefix": True})
        self._amounts: dict[int, Format] = {}
        self._open()

    def add(self, row: Cells) -> None:
        if self._place == SHEET_ROWS:
            self._open()
        for at, (column, cell) in enumerate(zip(self._columns, row, strict=True)):
            if cell is not None:
                self._write(at, column.kind, cell)
        self._place += 1

    def abandon(self) -> None:
        """Let go of the files beside a workbook that is not to be finished."""
        for sheet in self._book.worksheets():
            sheet.row_data_fh.close()
        self._book.fileclosed = True

    def _open(self) -> None:
        self._sheet: Worksheet = self._book.add_worksheet()
        self._sheet.freeze_panes(1, 0)
        for at, column in enumerate(self._columns):
            self._sheet.set_column(at, at, max(12, len(column.name) + 2))
            self._sheet.write_string(0, at, column.name, self._heading)
        self._place = 1

    def _write(self, at: int, kind: Kind, cell: object) -> None:
        if kind is Kind.FLAG and isinstance(cell, bool):
            self._sheet.write_boolean(self._place, at, cell)
            return
        number = _number(kind, cell)
        if number is not None:
            self._sheet.write_number(self._place, at, number, self._format_of(kind, cell))
            return
        when = _when(kind, cell)
        if when is not None:
            self._sheet.write_datetime(self._place, at, when, self._formats[kind])
            return
        text = str(cell)
        if len(text) > CELL_MAX:
            text = text[: CELL_MAX - len(_CUT)] + _CUT
        quoted = self._quoted if guarded(text) != text else None
        self._sheet.write_string(self._place, at, text, quoted)

    def _format_of(self, kind: Kind, cell: object) -> Format:
        if kind is Kind.COUNT:
            return self._formats[kind]
        digits = len(str(cell).partition(".")[2])
        if digits not in self._amounts:
            code = "#,##0." + "0" * digits if digits else "#,##0"
            self._amounts[digits] = self._book.add_format({"num_format": code})
        return self._amounts[digits]


def _number(kind: Kind, cell: object) -> Any:
    """Return a number where one holds the cell exactly, else None: then it is written as text."""
    from decimal import Decimal

    if kind not in (Kind.AMOUNT, Kind.COUNT) or isinstance(cell, bool):
        return None
    text = str(cell)
    if not _AMOUNT.match(text):
        return None
    digits = text.lstrip("-").replace(".", "").lstrip("0")
    return Decimal(text) if len(digits) <= DIGITS_EXACT else None


def _when(kind: Kind, cell: object) -> Any:
    """Return a date or a moment in UTC without its zone, which a spreadsheet cannot hold."""
    if kind is Kind.DATE:
        return _date(cell)
    if kind is not Kind.MOMENT:
        return None
    try:
        moment = cell if isinstance(cell, datetime) else datetime.fromisoformat(str(cell))
    except ValueError:
        return None
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else None


def _date(cell: object) -> date | None:
    if isinstance(cell, date):
        return cell
    try:
        return date.fromisoformat(str(cell))
    except ValueError:
        return None


def _csv_text(cell: object) -> str:
    return "" if cell is None else guarded(str(cell))


def _csv_number(cell: object) -> str:
    text = "" if cell is None else str(cell)
    # A minus before digits is no formula; anything else that stands here is a text.
    return text if _AMOUNT.match(text) else guarded(text)


def _csv_flag(cell: object) -> str:
    return str(cell).lower() if isinstance(cell, bool) else _csv_text(cell)


def _csv_moment(cell: object) -> str:
    if isinstance(cell, datetime):
        return cell.isoformat().replace("+00:00", "Z")
    return _csv_text(cell)


_IN_CSV: dict[Kind, Callable[[object], str]] = {
    Kind.TEXT: _csv_text,
    Kind.AMOUNT: _csv_number,
    Kind.COUNT: _csv_number,
    Kind.DATE: _csv_text,
    Kind.MOMENT: _csv_moment,
    Kind.FLAG: _csv_flag,
}
