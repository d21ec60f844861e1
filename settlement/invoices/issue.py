"""Issuing invoices from documents that were read and found valid: one or many in a few statements.

Reads no document: `documents` does. Credit notes are handed to `credit_notes`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from itertools import chain
from operator import itemgetter
from typing import Any

from sqlmodel import Session

from settlement import outbox
from settlement.clock import Ids, to_micros
from settlement.documents.model import InvoiceDocument
from settlement.errors import Refused
from settlement.invoices import credit_notes
from settlement.invoices.errors import (
    CurrencyNotListed,
    DuplicateInvoice,
    IssueDateFarOff,
    NothingPayable,
    NotTheSeller,
    PartiesIdentical,
    PayableTooLarge,
)
from settlement.invoices.parties import Directory, directory
from settlement.invoices.records import InvoiceRecord
from settlement.money import MINOR_MAX, format_minor
from settlement.outbox import OutboxEvent
from settlement.states import InvoiceState
from settlement.store.bulk import chunks, insert_rows, rows

_OLDEST = timedelta(days=20 * 365)
_LATEST = timedelta(days=366)
_NUMBERS_PER_STATEMENT = 1_000
_INVOICES_PER_STATEMENT = 16
_DOCUMENT_COLUMNS = ("document_sha256", "media_type", "content", "record", "created_at")
_INVOICE_COLUMNS = (
    "id",
    "number",
    "issue_date",
    "issue_year",
    "due_date",
    "type_code",
    "seller_id",
    "buyer_id",
    "currency",
    "payable_minor",
    "in_flight_minor",
    "settled_minor",
    "returned_minor",
    "credited_minor",
    "state",
    "reason",
    "preceding_id",
    "document_sha256",
    "version",
    "created_at",
)
_document_row = itemgetter(*_DOCUMENT_COLUMNS)
_invoice_row = itemgetter(*_INVOICE_COLUMNS)
_record_row = itemgetter(*(field.name for field in fields(InvoiceRecord)))


@dataclass(frozen=True, slots=True)
class Submission:
    """A valid document with the bytes that it was read from."""

    document: InvoiceDocument
    content: bytes
    media_type: str


Number = tuple[str, str, int]
"""Seller, number and year: what tells one invoice from another."""


def issue(
    session: Session,
    submissions: Sequence[Submission],
    *,
    actor: str,
    ids: Ids,
    now: datetime,
    seller_id: str | None = None,
) -> list[InvoiceRecord | Refused]:
    """Issue each document on its own: an answer per submission, in their order.

    `seller_id` restricts to documents of that seller.
    """
    answers: list[InvoiceRecord | Refused | None] = [None] * len(submissions)
    known = directory(session, _named(submissions), now)
    drafts: dict[int, dict[str, Any]] = {}
    for place, submission in enumerate(submissions):
        try:
            drafts[place] = _draft(submission, known, actor=actor, ids=ids, now=now)
            if seller_id is not None and drafts[place]["seller_id"] != seller_id:
                del drafts[place]
                raise NotTheSeller(submission.document.seller.name)
        except Refused as refusal:
            answers[place] = refusal
    _refuse_duplicates(session, submissions, drafts, answers)
    invoices = {place: row for place, row in drafts.items() if row["type_code"] != "381"}
    _store(session, submissions, invoices, answers, now)
    for place in drafts.keys() - invoices.keys():
        answers[place] = _issue_credit_note(session, submissions[place], drafts[place], now=now)
    return [each for each in answers if each is not None]


def _named(submissions: Sequence[Submission]) -> Iterable[Any]:
    for submission in submissions:
        yield submission.document.seller
        yield submission.document.buyer


def _draft(
    submission: Submission, known: Directory, *, actor: str, ids: Ids, now: datetime
) -> dict[str, Any]:
    """Check a document against the participants and return the row that it would become."""
    document = submission.document
    seller = known.find("seller", document.seller)
    buyer = known.find("buyer", document.buyer)
    if seller.id == buyer.id:
        raise PartiesIdentical(seller.name)
    if document.currency not in known.currencies:
        raise CurrencyNotListed(document.currency, tuple(known.currencies))
    first, last = now.date() - _OLDEST, now.date() + _LATEST
    if not first <= document.issue_date <= last:
        raise IssueDateFarOff(document.issue_date, first, last)
    if document.payable_minor <= 0:
        raise NothingPayable(format_minor(document.payable_minor, document.decimals))
    most = MINOR_MAX // 10 ** max(known.currencies[document.currency] - document.decimals, 0)
    if document.payable_minor > most:
        raise PayableTooLarge(
            *(format_minor(each, document.decimals) for each in (document.payable_minor, most))
        )
    return {
        "id": ids("inv"),
        "number": document.number,
        "issue_date": document.issue_date.isoformat(),
        "issue_year": document.issue_date.year,
        "due_date": document.due_date.isoformat() if document.due_date else None,
        "type_code": document.type_code,
        "seller_id": seller.id,
        "buyer_id": buyer.id,
        "currency": document.currency,
        "payable_minor": document.payable_minor,
        "in_flight_minor": 0,
        "settled_minor": 0,
        "returned_minor": 0,
        "credited_minor": 0,
        "state": InvoiceState.ISSUED.value,
        "reason": None,
        "preceding_id": None,
        "version": 1,
        "document_sha256": document.sha256,
        "record": document.as_json_bytes().decode(),
        "created_at": to_micros(now),
        "actor": actor,
        "content": submission.content,
        "media_type": submission.media_type,
    }


def _number(row: dict[str, Any]) -> Number:
    return (row["seller_id"], row["number"], row["issue_year"])


def _taken(session: Session, numbers: Sequence[Number]) -> dict[Number, str]:
    """Return the ids of invoices that have these numbers already."""
    found: dict[Number, str] = {}
    for chunk in chunks(numbers, _NUMBERS_PER_STATEMENT):
        listed = ",".join(["(?,?,?)"] * len(chunk))
        # A join, not IN: SQLite looks each up in the index only then.
        sql = (
            f"WITH wanted (seller_id, number, issue_year) AS (VALUES {listed})"
            " SELECT i.seller_id, i.number, i.issue_year, i.id FROM wanted w JOIN invoice i"
            " ON i.seller_id = w.seller_id AND i.number = w.number AND i.issue_year = w.issue_year"
        )
        for seller_id, number, year, first_id in rows(session, sql, (*chain(*chunk),)):
            found[seller_id, number, year] = first_id
    return found


def _refuse_duplicates(
    session: Session,
    submissions: Sequence[Submission],
    drafts: dict[int, dict[str, Any]],
    answers: list[InvoiceRecord | Refused | None],
) -> None:
    """Drop drafts whose number is taken, by a stored invoice or by one before it in the batch."""
    taken = _taken(session, [_number(row) for row in drafts.values()])
    for place, row in list(drafts.items()):
        first_id = taken.setdefault(_number(row), row["id"])
        if first_id != row["id"]:
            del drafts[place]
            answers[place] = _duplicate(submissions[place], first_id)


def _duplicate(submission: Submission, first_id: str) -> DuplicateInvoice:
    document = submission.document
    return DuplicateInvoice(
        number=document.number,
        seller=document.seller.name,
        year=document.issue_date.year,
        first_id=first_id,
    )


def _store(
    session: Session,
    submissions: Sequence[Submission],
    drafts: dict[int, dict[str, Any]],
    answers: list[InvoiceRecord | Refused | None],
    now: datetime,
) -> None:
    if not drafts:
        return
    documents = [_document_row(row) for row in drafts.values()]
    columns = ("sha256", "media_type", "content", "record", "received_at")
    insert_rows(session, "document", columns, documents, "ON CONFLICT (sha256) DO NOTHING")
    stored = _insert_invoices(session, [_invoice_row(row) for row in drafts.values()])
    if len(stored) != len(drafts):
        # Another gateway took a number since we looked; its commit is visible now.
        taken = _taken(session, [_number(row) for row in drafts.values()])
        for place in [place for place, row in drafts.items() if row["id"] not in stored]:
            answers[place] = _duplicate(submissions[place], taken[_number(drafts.pop(place))])
    insert_rows(
        session,
        "invoice_event",
        ("invoice_id", "move", "state", "actor", "at"),
        [
            (row["id"], "issue", row["state"], row["actor"], row["created_at"])
            for row in drafts.values()
        ],
    )
    outbox.record(
        session, [OutboxEvent("invoice.issued", row["id"]) for row in drafts.values()], now
    )
    for place, row in drafts.items():
        answers[place] = InvoiceRecord(*_record_row(row))


def _insert_invoices(session: Session, made: Sequence[tuple[Any, ...]]) -> set[str]:
    """Store invoices whose numbers are free; return the ids of those."""
    stored: set[str] = set()
    marks = f"({','.join(['?'] * len(_INVOICE_COLUMNS))})"
    for chunk in chunks(made, _INVOICES_PER_STATEMENT):
        sql = (
            f"INSERT INTO invoice ({','.join(_INVOICE_COLUMNS)})"
            f" VALUES {','.join([marks] * len(chunk))}"
            " ON CONFLICT (seller_id, number, issue_year) DO NOTHING RETURNING id"
        )
        stored.update(key for (key,) in rows(session, sql, (*chain(*chunk),)))
    return stored


def _issue_credit_note(
    session: Session, submission: Submission, row: dict[str, Any], *, now: datetime
) -> InvoiceRecord | Refused:
    """Store a credit note and its effect, or neither."""
    document = submission.document
    try:
        with session.begin_nested():
            credit_notes.prepare(session, document, row)
            answers: list[InvoiceRecord | Refused | None] = [None]
            _store(session, [submission], {0: row}, answers, now)
            (answer,) = answers
            if isinstance(answer, InvoiceRecord):
                credit_notes.apply(session, answer, actor=row["actor"], now=now)
            assert answer is not None, "a stored draft has an answer"
            return answer
    except Refused as refusal:
        return refusal
