"""What a view is, and the two small things that all of them need: bounds in time, texts in cells.

Reads nothing by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlmodel import Session

from settlement.clock import to_micros
from settlement.statements.columns import columns
from settlement.statements.tables_out import Column
from settlement.supervision.periods import Span

EXPORT_MAX = 100_000
"""So many rows are exported at once; where there are more, the time is to be narrowed."""
_PAGE = 1_000

Row = tuple[Any, ...]
Read = Callable[[Session, Span, str, int], list[Row]]
"""Returns up to so many rows of a time behind a key, in the order of their keys."""


@dataclass(frozen=True, slots=True)
class View:
    """A view's name, its columns, and how a page of it is read."""

    name: str
    title: str
    names: tuple[str, ...]
    read: Read

    @property
    def columns(self) -> list[Column]:
        """The columns with the kinds that their names tell."""
        return columns(self.names)

    def rows(self, session: Session, span: Span, most: int) -> Iterator[Row]:
        """Yield up to `most` rows of a time, page by page."""
        after = ""
        while most > 0:
            page = self.read(session, span, after, min(most, _PAGE))
            yield from page
            if len(page) < _PAGE:
                return
            most -= len(page)
            after = str(page[-1][0])


def bounds(span: Span) -> tuple[int, int]:
    """Return the first microsecond of a time, and the first one behind it."""
    start = datetime(span.first.year, span.first.month, span.first.day, tzinfo=UTC)
    end = datetime(span.last.year, span.last.month, span.last.day, tzinfo=UTC)
    return to_micros(start), to_micros(end + timedelta(days=1))
