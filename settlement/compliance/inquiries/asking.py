"""The life of an inquiry: asked, answered, asked again, accepted or cancelled, overdue by time.

Who may do what is decided at the doors; here only that a party answers what was asked of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlmodel import Session

from settlement.clock import Ids, to_micros
from settlement.compliance.inquiries.attachments import (
    ATTACHMENTS_MAX,
    Attachment,
    AttachmentRefused,
    require_acceptable,
)
from settlement.compliance.inquiries.reading import Inquiry, find
from settlement.errors import Invalid, NotFound
from settlement.states import INQUIRY_MOVES, InquiryState, advance
from settlement.store import row_lock
from settlement.store.bulk import insert_rows, rows, rows_by_key
from settlement.store.outbox import OutboxEvent, record

WORDS_MAX = 4_000
OVERDUE_MAX = 1_000
"""So many become overdue, or end with their payment, in one call; the next call goes on."""

_COLUMNS = (
    "id", "settlement_id", "asked_of", "question", "due_date", "state", "version", "asked_by",
    "created_at",
)  # fmt: skip
_ENTRY = ("inquiry_id", "move", "state", "author", "words", "at")
_ATTACHMENT = (
    "id", "inquiry_id", "kind", "filename", "media_type", "sha256", "byte_count", "content",
    "added_by", "at",
)  # fmt: skip
_PARTIES = "SELECT debtor_id, creditor_id FROM settlement WHERE id = ?"
_MOVE = (
    "UPDATE inquiry SET state = ?, version = version + 1, due_date = COALESCE(?, due_date),"
    " closed_by = ?, closed_at = ? WHERE id = ? AND state = ? RETURNING id"
)
_PAST_DUE = (
    f"SELECT id FROM inquiry WHERE state = 'OPEN' AND due_date < ? ORDER BY id LIMIT {OVERDUE_MAX}"
)
_WITHOUT_PAYMENT = (
    "SELECT q.id, q.state FROM inquiry q JOIN settlement s ON s.id = q.settlement_id"
    " WHERE q.state IN ('OPEN', 'ANSWERED', 'OVERDUE')"
    f" AND s.state IN ('REJECTED', 'CANCELLED') ORDER BY q.id LIMIT {OVERDUE_MAX}"
)


def ask(
    session: Session, settlement_id: str, *, asked_of: str, question: str, due: date,
    actor: str, ids: Ids, now: datetime,
) -> Inquiry:  # fmt: skip
    """Store a question to one of a payment's parties.

    Raises:
        NotFound: there is no such settlement.
        Invalid: the party is not in it, the question is empty, or the date has passed.
    """
    parties = rows(session, _PARTIES, (settlement_id,))
    if not parties:
        raise NotFound("settlement", settlement_id)
    if asked_of not in parties[0]:
        raise Invalid(
            f"{asked_of:.40} is no party of settlement {settlement_id}", field="asked_of",
            repair="ask its debtor or its creditor",
        )  # fmt: skip
    words = _words(question, "question")
    _require_future(due, now)
    key = ids("inq")
    state = InquiryState.OPEN.value
    row = (
        key, settlement_id, asked_of, words, due.isoformat(), state, 1, actor, to_micros(now),
    )  # fmt: skip
    insert_rows(session, "inquiry", _COLUMNS, [row])
    _tell(session, [key], "ask", InquiryState.OPEN, actor, words, now)
    return find(session, key)


def answer(
    session: Session, inquiry_id: str, *, words: str, attachments: Sequence[Attachment],
    party: str, actor: str, ids: Ids, now: datetime,
) -> Inquiry:  # fmt: skip
    """Store a party's answer with its files; late is better than never.

    Raises:
        NotFound: there is none, or it is not asked of this party.
        IllegalMove: it has ended.
        Invalid, AttachmentRefused: nothing is stored.
    """
    find(session, inquiry_id, party=party)
    said = _words(words, "answer")
    if len(attachments) > ATTACHMENTS_MAX:
        raise AttachmentRefused(
            f"{len(attachments)} files came", field="/attachments",
            repair=f"send up to {ATTACHMENTS_MAX} with one answer",
        )  # fmt: skip
    for place, each in enumerate(attachments):
        require_acceptable(each, place)
    _move(session, inquiry_id, "answer", actor, said, now)
    at = to_micros(now)
    insert_rows(
        session,
        "inquiry_attachment",
        _ATTACHMENT,
        [
            (ids("ina"), inquiry_id, each.kind, each.filename, each.media_type, each.sha256,
             len(each.content), each.content, actor, at)
            for each in attachments
        ],
        "ON CONFLICT (inquiry_id, sha256) DO NOTHING",
    )  # fmt: skip
    return find(session, inquiry_id)


def ask_again(
    session: Session, inquiry_id: str, *, question: str, due: date, actor: str, now: datetime
) -> Inquiry:
    """Ask on, with a new date, where an answer was not enough or did not come.

    Raises:
        NotFound, IllegalMove, Invalid: nothing is changed.
    """
    words = _words(question, "question")
    _require_future(due, now)
    _move(session, inquiry_id, "ask_again", actor, words, now, due=due)
    return find(session, inquiry_id)


def end(
    session: Session, inquiry_id: str, move: str, *, reason: str, actor: str, now: datetime
) -> Inquiry:
    """Let an inquiry end: `accept` what was answered, or `cancel` it.

    Raises:
        NotFound, IllegalMove: nothing is changed.
        Invalid: a cancel without a reason.
    """
    words = _words(reason, "reason") if move == "cancel" or reason.strip() else ""
    _move(session, inquiry_id, move, actor, words, now)
    return find(session, inquiry_id)


def let_fall_due(session: Session, now: datetime) -> int:
    """Make OVERDUE what should have been answered; end what has lost its payment; return how many.

    An inquiry about a payment that was rejected or cancelled asks for nothing any more.
    """
    late = [key for (key,) in rows(session, _PAST_DUE, (now.date().isoformat(),))]
    _move_all(session, late, InquiryState.OPEN, "lapse", "rail", "", now)
    gone = rows(session, _WITHOUT_PAYMENT)
    for state in (InquiryState.OPEN, InquiryState.ANSWERED, InquiryState.OVERDUE):
        keys = [key for key, stands in gone if stands == state]
        _move_all(session, keys, state, "cancel", "rail", "its payment has ended", now)
    return len(late) + len(gone)


def _move(
    session: Session, inquiry_id: str, move: str, actor: str, words: str, now: datetime,
    *, due: date | None = None,
) -> None:  # fmt: skip
    locked = rows_by_key(
        session, "SELECT state FROM inquiry WHERE id {keys}" + row_lock(session, "inquiry"),
        [inquiry_id],
    )  # fmt: skip
    if not locked:
        raise NotFound("inquiry", inquiry_id)
    state = InquiryState(locked[0][0])
    advance(INQUIRY_MOVES, state, move, noun="inquiry", key=inquiry_id)
    _move_all(session, [inquiry_id], state, move, actor, words, now, due=due)


def _move_all(
    session: Session, keys: Sequence[str], state: InquiryState, move: str, actor: str, words: str,
    now: datetime, *, due: date | None = None,
) -> None:  # fmt: skip
    reached = INQUIRY_MOVES[state, move]
    is_end = reached in (InquiryState.ACCEPTED, InquiryState.CANCELLED)
    closing = (actor, to_micros(now)) if is_end else (None, None)
    date_text = None if due is None else due.isoformat()
    for key in keys:
        values = (reached.value, date_text, *closing, key, state.value)
        assert rows(session, _MOVE, values), "it was read in this very database transaction"
    _tell(session, keys, move, reached, actor, words, now)


def _tell(
    session: Session, keys: Sequence[str], move: str, state: InquiryState, actor: str, words: str,
    now: datetime,
) -> None:  # fmt: skip
    at = to_micros(now)
    insert_rows(
        session, "inquiry_entry", _ENTRY,
        [(key, move, state.value, actor, words, at) for key in keys],
    )  # fmt: skip
    record(session, [OutboxEvent(f"inquiry.{state.value.lower()}", key) for key in keys], now)


def _words(said: str, field: str) -> str:
    words = said.strip()
    if not 0 < len(words) <= WORDS_MAX:
        raise Invalid(
            f"the {field} has {len(words)} characters", field=field,
            repair=f"write 1 to {WORDS_MAX} characters",
        )  # fmt: skip
    return words


def _require_future(due: date, now: datetime) -> None:
    if due < now.date():
        raise Invalid(
            f"{due} has passed", field="due_date", repair=f"name today ({now.date()}, UTC) or later"
        )
