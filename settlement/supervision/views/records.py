"""The rail's own records for the overseer: screening runs, policies, lists, reports."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import Session

from settlement.clock import iso
from settlement.errors import Invalid
from settlement.store.bulk import rows
from settlement.supervision.periods import Span
from settlement.supervision.views.reading import Read, Row, View, bounds


def _table(table: str, columns: Sequence[str], key: str, at: str) -> Read:
    """Read a table's columns; `at` says when a row came to be, and moments end in `_at`."""
    sql = (
        f"SELECT {', '.join(columns)} FROM {table} WHERE {at} >= ? AND {at} < ? AND {key} > ?"
        f" ORDER BY {key} LIMIT ?"
    )
    moments = [
        place for place, name in enumerate(columns) if name.rpartition(" ")[2].endswith("_at")
    ]

    def read(session: Session, span: Span, after: str, most: int) -> list[Row]:
        return [
            _with_moments(row, moments) for row in rows(session, sql, (*bounds(span), after, most))
        ]

    return read


def _with_moments(row: Row, moments: Sequence[int]) -> Row:
    cells = list(row)
    for place in moments:
        if cells[place] is not None:
            cells[place] = iso(cells[place])
    return tuple(cells)


_RUN = (
    "id", "kind", "state", "actor", "started_at", "finished_at", "compared", "found", "reopened",
    "lapsed", "held", "list_versions",
)  # fmt: skip
_LIST = ("id", "name", "sha256", "entry_count", "created_at")
_REPORT = (
    "id", "kind", "subject", "period_first", "period_last", "jurisdiction", "state", "due_date",
    "row_count", "sha256", "written_at", "filed_at", "filed_by", "reference",
)  # fmt: skip
_DIGITS_MAX = 16
_POLICY = (
    "version", "sha256", "note", "author", "created_at", "published_by", "in_force_from",
)  # fmt: skip
_POLICIES = (
    f"SELECT {', '.join(_POLICY)} FROM policy_version WHERE created_at >= ? AND created_at < ?"
    " AND version > ? ORDER BY version LIMIT ?"
)


def _policies(session: Session, span: Span, after: str, most: int) -> list[Row]:
    # A version is a small number: anything else is no row of a page before.
    if after and not (after.isascii() and after.isdecimal() and len(after) < _DIGITS_MAX):
        raise Invalid(
            f"{after!r:.40} is no version",
            field="after",
            repair="send the first column of the last row of a page before",
        )
    found = rows(session, _POLICIES, (*bounds(span), int(after or 0), most))
    return [
        (str(version), sha256, note, author, iso(at), by, None if since is None else iso(since))
        for version, sha256, note, author, at, by, since in found
    ]


SCREENINGS = View(
    "screenings",
    "Runs of screening",
    _RUN,
    _table("screening_run", _RUN, "id", "started_at"),
)
POLICIES = View(
    "policies", "Versions of the policy", (*_POLICY[:-1], "in_force_from_at"), _policies
)
LISTS = View("lists", "Versions of lists", _LIST, _table("list_version", _LIST, "id", "created_at"))
REPORTS = View(
    "reports",
    "Reports and their deadlines",
    _REPORT,
    _table("supervisor_report", _REPORT, "id", "written_at"),
)
