"""Breaks as a sheet: written as CSV or XLSX, and the three columns that people fill in, read back.

Of what comes back only id, version, action, argument and reason count: an amount cell never does.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from gateway.cli.files_in import content_of
from settlement.reconciliation.workbench.bulk import SheetRow
from settlement.reconciliation.workbench.errors import SheetUnreadable
from settlement.statements.tables_out import (
    Column,
    Kind,
    csv_into,
    unguarded,
    write_csv,
    write_xlsx,
)

FILE_MAX = 20 * 1024 * 1024
UNPACKED_MAX = 200 * 1024 * 1024
ROWS_MAX = 100_000
"""Bounds on a file that comes back."""

COLUMNS = (
    Column("id"),
    Column("version", Kind.COUNT),
    Column("kind"),
    Column("severity"),
    Column("subject"),
    Column("what"),
    Column("proposed"),
    Column("party"),
    Column("amount", Kind.AMOUNT),
    Column("unit"),
    Column("owner"),
    Column("age_days", Kind.COUNT),
    Column("opened_at", Kind.MOMENT),
    Column("due_at", Kind.MOMENT),
    Column("action"),
    Column("argument"),
    Column("reason"),
)
_READ = ("id", "version", "action", "argument", "reason")


def write(found: Iterable[dict[str, Any]], path: Path, out: BinaryIO, created_at: Any) -> int:
    """Write breaks as the API shows them; CSV or XLSX by the file's name. Return how many."""
    rows = (_cells(each) for each in found)
    if is_xlsx(path):
        return write_xlsx(COLUMNS, rows, out, title="Breaks", created_at=created_at)
    stream = csv_into(out)
    count = write_csv(COLUMNS, rows, stream, with_bom=True)
    stream.detach()
    return count


def read(path: Path) -> list[SheetRow]:
    """Return the rows that say what to do, with their lines in the file.

    Raises:
        SheetUnreadable: no such sheet, too large, or a cell that is none of ours.
    """
    content = content_of(path)
    if len(content) > FILE_MAX:
        raise SheetUnreadable(f"{path} is larger than 20 MB", repair="send it in several files")
    lines = _xlsx_lines(content) if is_xlsx(path) else _csv_lines(content)
    return list(_rows(lines))


def is_xlsx(path: Path) -> bool:
    """Whether the file's name says that it is a workbook."""
    return path.suffix.lower() == ".xlsx"


def _cells(each: dict[str, Any]) -> Sequence[object]:
    filled = {"what": each["reason"], "action": None, "argument": None, "reason": None}
    return [filled[c.name] if c.name in filled else each[c.name] for c in COLUMNS]


Line = tuple[int, Sequence[object]]


def _rows(lines: Iterator[Line]) -> Iterator[SheetRow]:
    _number, heading = next(lines, (0, ()))
    places = {str(name).strip().lower(): at for at, name in enumerate(heading) if name is not None}
    missing = [name for name in _READ if name not in places]
    if missing:
        raise SheetUnreadable(
            f"the sheet has no column {', '.join(missing)}",
            field="line 1",
            repair="begin with a file of `settle break export`",
        )
    count = 0
    for line, cells in lines:
        given = {name: cells[at] if (at := places[name]) < len(cells) else None for name in _READ}
        action = _text(line, "action", given["action"])
        if not action:
            continue  # Nothing is to be done about this one.
        count += 1
        if count > ROWS_MAX:
            raise SheetUnreadable(f"more than {ROWS_MAX} rows", repair="send it in several files")
        yield SheetRow(
            line,
            _text(line, "id", given["id"]),
            _version(line, given["version"]),
            action.lower(),
            _text(line, "argument", given["argument"]),
            _text(line, "reason", given["reason"]),
        )


def _text(line: int, name: str, cell: object) -> str:
    """Return a cell of text; a number is refused: a spreadsheet has rounded it already."""
    if cell is None:
        return ""
    if not isinstance(cell, str):
        raise SheetUnreadable(
            f"line {line}: {name} is a number or a date, not text",
            field=f"line {line}, {name}",
            repair="format the cell as text and write it again, or put it as amount=10.50",
        )
    said = unguarded(cell).strip()
    if said.startswith("=") and name != "reason":
        raise SheetUnreadable(
            f"line {line}: {name} is a formula", field=f"line {line}, {name}", repair="write text"
        )
    return said


def _version(line: int, cell: object) -> int | None:
    if isinstance(cell, bool) or cell is None or cell == "":
        return None
    said = str(cell).strip()
    # Some programs write whole numbers back with a point.
    said = said.removesuffix(".0")
    if not said.isdecimal() or not said.isascii() or len(said) > 9 or int(said) < 1:
        raise SheetUnreadable(
            f"line {line}: {said[:20]!r} is no version",
            field=f"line {line}, version",
            repair="leave the column as it was exported",
        )
    return int(said)


def _csv_lines(content: bytes) -> Iterator[Line]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SheetUnreadable(
            f"the file is not UTF-8: {error.reason} at byte {error.start}",
            repair="save it as CSV UTF-8, or as XLSX",
        ) from None
    first = text.partition("\n")[0]
    # Where a comma is a decimal point, spreadsheets separate by semicolons.
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        line = 1
        for row in reader:
            yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        raise SheetUnreadable(
            f"line {reader.line_num}: {error}", repair="save the file as CSV again"
        ) from None


def _xlsx_lines(content: bytes) -> Iterator[Line]:
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            unpacked = sum(each.file_size for each in packed.infolist())
        if unpacked > UNPACKED_MAX:
            raise SheetUnreadable("the workbook unpacks to more than 200 MB")
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=False)
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError, OSError) as error:
        raise SheetUnreadable(
            f"the file is no workbook: {error}", repair="save it as XLSX again"
        ) from None
    try:
        yield from enumerate(book.worksheets[0].iter_rows(values_only=True), start=1)
    finally:
        book.close()
