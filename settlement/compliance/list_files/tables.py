"""Rows of a table in text, each with its line; a row that breaks off is a fault of the file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping

from settlement.compliance.list_files.record import FileFault

ROWS_MAX = 5_000_000


def rows(text: str, delimiter: str = ",") -> Iterator[tuple[int, list[str]]]:
    """Yield `(line, cells)`; empty rows are left out.

    Raises:
        FileFault: quotes that do not close, or a cell without end.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for place, cells in enumerate(reader):
            if place > ROWS_MAX:
                raise FileFault(f"it has more than {ROWS_MAX} rows")
            if any(cell.strip() for cell in cells):
                yield reader.line_num, cells
    except csv.Error as error:
        raise FileFault(
            f"the table breaks off: {error}",
            line=reader.line_num,
            repair="download the file again: it has to end where its last row ends",
        ) from error


def named_rows(
    text: str, *, delimiter: str, needed: tuple[str, ...]
) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Yield `(line, cells by column)` below the row that names all columns `needed`.

    Raises:
        FileFault: there is no such row, or a row has another number of cells.
    """
    header: list[str] = []
    for place, (line, cells) in enumerate(rows(text, delimiter), start=1):
        if not header:
            plain = [cell.strip() for cell in cells]
            if set(needed) <= set(plain):
                header = plain
            elif place > 5:
                break
            continue
        if len(cells) > len(header):
            cells = [*cells[: len(header)], *[each for each in cells[len(header) :] if each]]
        if len(cells) != len(header):
            raise FileFault(
                f"it has {len(cells)} cells, the header {len(header)}",
                line=line,
                repair="download the file again: a row broke off",
            )
        yield line, dict(zip(header, (cell.strip() for cell in cells), strict=True))
    if not header:
        raise FileFault(f"no row names the columns {', '.join(needed)}")
