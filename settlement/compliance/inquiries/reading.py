"""Reading inquiries: one with its thread, a page, and which payments are held by one.

Changes nothing. A company sees what is asked of it: another's does not exist for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlmodel import Session

from settlement.errors import NotFound
from settlement.store.bulk import rows, rows_by_key

_COLUMNS = (
    "id, settlement_id, asked_of, question, due_date, state, version, asked_by, created_at,"
    " closed_by, closed_at"
)
_HOLDING = "('OPEN', 'ANSWERED', 'OVERDUE')"
"""States in which an inquiry holds its payment."""
_OPEN = (
    "SELECT settlement_id, id, state, due_date FROM inquiry WHERE settlement_id {keys}"
    f" AND state IN {_HOLDING} ORDER BY id"
)


class Inquiry(NamedTuple):
    """A request for information; times in microseconds, `due_date` ISO 8601."""

    id: str
    settlement_id: str
    asked_of: str
    question: str
    due_date: str
    state: str
    version: int
    asked_by: str
    created_at: int
    closed_by: str | None
    closed_at: int | None


class Entry(NamedTuple):
    """One turn of the thread; `at` in microseconds."""

    move: str
    state: str
    author: str
    words: str
    at: int


class StoredAttachment(NamedTuple):
    """A file without its content; `at` in microseconds."""

    id: str
    kind: str
    filename: str
    media_type: str
    sha256: str
    byte_count: int
    added_by: str
    at: int


class InquiryFilter(NamedTuple):
    """Which inquiries to list; None does not restrict."""

    state: str | None = None
    settlement_id: str | None = None
    party: str | None = None


def open_inquiries(session: Session, settlement_ids: Iterable[str]) -> dict[str, str]:
    """Return, by settlement, in words the inquiry that holds it; settlements without are absent."""
    return {
        settlement: f"{key} is {state}, due {due}"
        for settlement, key, state, due in rows_by_key(session, _OPEN, list(settlement_ids))
    }


def find(session: Session, inquiry_id: str, *, party: str | None = None) -> Inquiry:
    """Return an inquiry.

    Raises:
        NotFound: there is none, or it is not asked of `party`.
    """
    found = rows(session, f"SELECT {_COLUMNS} FROM inquiry WHERE id = ?", (inquiry_id,))
    inquiry = Inquiry._make(found[0]) if found else None
    if inquiry is None or party not in (None, inquiry.asked_of):
        raise NotFound("inquiry", inquiry_id)
    return inquiry


def page(
    session: Session, wanted: InquiryFilter, *, limit: int,
    before_id: str | None = None, after_id: str | None = None,
) -> list[Inquiry]:  # fmt: skip
    """Return up to `limit` inquiries, newest first; `before_id` and `after_id` are cursors."""
    asked = {
        "state = ?": wanted.state,
        "settlement_id = ?": wanted.settlement_id,
        "asked_of = ?": wanted.party,
        "id < ?": before_id,
        "id > ?": after_id,
    }
    given = {condition: value for condition, value in asked.items() if value is not None}
    where = f" WHERE {' AND '.join(given)}" if given else ""
    order = "" if after_id else " DESC"
    sql = f"SELECT {_COLUMNS} FROM inquiry{where} ORDER BY id{order} LIMIT ?"
    found = [Inquiry._make(row) for row in rows(session, sql, (*given.values(), limit))]
    return found[::-1] if after_id else found


def thread(session: Session, inquiry_id: str) -> list[Entry]:
    """Return every turn, oldest first."""
    sql = (
        "SELECT move, state, author, words, at FROM inquiry_entry WHERE inquiry_id = ? ORDER BY id"
    )
    return [Entry._make(row) for row in rows(session, sql, (inquiry_id,))]


def attachments(session: Session, inquiry_id: str) -> list[StoredAttachment]:
    """Return what came with the answers, oldest first, without the contents."""
    columns = ", ".join(StoredAttachment._fields)
    sql = f"SELECT {columns} FROM inquiry_attachment WHERE inquiry_id = ? ORDER BY at, id"
    return [StoredAttachment._make(row) for row in rows(session, sql, (inquiry_id,))]


def content(session: Session, inquiry_id: str, attachment_id: str) -> tuple[str, str, bytes]:
    """Return name, type and bytes of an attachment.

    Raises:
        NotFound: this inquiry has none of that id.
    """
    sql = (
        "SELECT filename, media_type, content FROM inquiry_attachment"
        " WHERE inquiry_id = ? AND id = ?"
    )
    found = rows(session, sql, (inquiry_id, attachment_id))
    if not found:
        raise NotFound("attachment", attachment_id)
    filename, media_type, stored = found[0]
    return filename, media_type, bytes(stored)
