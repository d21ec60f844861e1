"""Reading invoices: one, a page of them, their events, the document that one came in.

Changes nothing. A `party` sees only what it sells or buys: another's invoice does not exist for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import bindparam, text
from sqlmodel import Session

from settlement.errors import NotFound


@dataclass(frozen=True, slots=True)
class InvoiceRecord:
    """An invoice as stored; amounts are minor units of `currency`, `created_at` microseconds."""

    id: str
    number: str
    issue_date: str
    due_date: str | None
    type_code: str
    seller_id: str
    buyer_id: str
    currency: str
    payable_minor: int
    in_flight_minor: int
    settled_minor: int
    returned_minor: int
    credited_minor: int
    state: str
    reason: str | None
    preceding_id: str | None
    document_sha256: str
    version: int
    created_at: int

    @property
    def open_minor(self) -> int:
        """What can still be instructed."""
        taken = self.settled_minor + self.in_flight_minor - self.returned_minor
        return self.payable_minor - self.credited_minor - taken


@dataclass(frozen=True, slots=True)
class InvoiceEventRecord:
    """One move of an invoice; `at` in microseconds."""

    move: str
    state: str
    actor: str
    reason: str | None
    at: int


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """The bytes as they were received."""

    sha256: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class InvoiceFilter:
    """Which invoices to list; None does not restrict."""

    number: str | None = None
    state: str | None = None
    currency: str | None = None
    participant_id: str | None = None
    """Seller or buyer."""
    type_code: str | None = None
    issued_from: str | None = None
    """ISO 8601 date, itself included; so is `issued_to`."""
    issued_to: str | None = None


COLUMNS = ", ".join(f"i.{field.name}" for field in fields(InvoiceRecord))

_NOTHING = "''"
_CHUNK = 5000
_MANY = text(f"SELECT {COLUMNS} FROM invoice i WHERE i.id IN :ids").bindparams(
    bindparam("ids", expanding=True)
)
_EQUAL = ("number", "state", "currency", "type_code")
_EVENTS = text(
    "SELECT move, state, actor, reason, at FROM invoice_event WHERE invoice_id = :id ORDER BY id"
)
_DOCUMENT = text("SELECT sha256, media_type, content FROM document WHERE sha256 = :sha256")
_RECORD = text("SELECT record FROM invoice WHERE id = :id")


def find(session: Session, invoice_id: str, *, party: str | None = None) -> InvoiceRecord:
    """Return one invoice.

    Raises:
        NotFound: there is none, or it is not the party's.
    """
    row = (
        session.connection()
        .execute(text(f"SELECT {COLUMNS} FROM invoice i WHERE i.id = :id"), {"id": invoice_id})
        .one_or_none()
    )
    if row is None or (party is not None and party not in (row.seller_id, row.buyer_id)):
        raise NotFound("invoice", invoice_id)
    return InvoiceRecord(*row)


def find_many(session: Session, invoice_ids: Sequence[str]) -> list[InvoiceRecord]:
    """Return the invoices that exist among these, in order of their ids."""
    found: list[InvoiceRecord] = []
    for start in range(0, len(invoice_ids), _CHUNK):
        chunk = list(invoice_ids[start : start + _CHUNK])
        rows = session.connection().execute(_MANY, {"ids": chunk})
        found += [InvoiceRecord(*row) for row in rows]
    return sorted(found, key=lambda invoice: invoice.id)


def page(
    session: Session,
    wanted: InvoiceFilter,
    *,
    limit: int,
    party: str | None = None,
    before_id: str | None = None,
    after_id: str | None = None,
) -> list[InvoiceRecord]:
    """Return up to `limit` invoices, newest first.

    They are older than `before_id`, or the ones that are next newer than `after_id`.
    """
    params: dict[str, Any] = {"limit": limit}
    conditions = ["1 = 1"]
    for name in _EQUAL:
        if getattr(wanted, name) is not None:
            # Most have ended there: their index would lead through all of them.
            plain = (name, getattr(wanted, name)) != ("state", "PAID")
            conditions.append(f"{f'i.{name}' if plain else f'(i.{name} || {_NOTHING})'} = :{name}")
            params[name] = getattr(wanted, name)
    named = {"party": party, "participant_id": wanted.participant_id}
    parties = {name: value for name, value in named.items() if value is not None}
    params |= parties
    # Few are in any other state: its own index finds them, whoever's they are.
    by_side = next(iter(parties), None) if wanted.state in (None, "PAID") else None
    for name in parties.keys() - {by_side}:
        conditions.append(f"(i.seller_id = :{name} OR i.buyer_id = :{name})")
    for name, comparison in (("issued_from", ">="), ("issued_to", "<=")):
        if getattr(wanted, name) is not None:
            conditions.append(f"i.issue_date {comparison} :{name}")
            params[name] = getattr(wanted, name)
    if before_id is not None:
        conditions.append("i.id < :before_id")
        params["before_id"] = before_id
    if after_id is not None:
        conditions.append("i.id > :after_id")
        params["after_id"] = after_id
    order = "ASC" if after_id is not None else "DESC"
    where = f"{' AND '.join(conditions)} ORDER BY i.id {order} LIMIT :limit"
    if by_side is not None:
        # Each side by its own index: their newest are among the newest of both.
        sides = " UNION ".join(
            f"SELECT * FROM (SELECT i.id FROM invoice i"
            f" WHERE i.{side}_id = :{by_side} AND {where}) AS as_{side}"
            for side in ("seller", "buyer")
        )
        where = f"i.id IN ({sides}) ORDER BY i.id {order} LIMIT :limit"
    statement = f"SELECT {COLUMNS} FROM invoice i WHERE {where}"
    rows = [InvoiceRecord(*row) for row in session.connection().execute(text(statement), params)]
    return rows[::-1] if after_id is not None else rows


def events(session: Session, invoice_id: str) -> list[InvoiceEventRecord]:
    """Return every move of an invoice, oldest first."""
    rows = session.connection().execute(_EVENTS, {"id": invoice_id})
    return [InvoiceEventRecord(*row) for row in rows]


def document(session: Session, sha256: str) -> StoredDocument:
    """Return the original bytes by their hash."""
    row = session.connection().execute(_DOCUMENT, {"sha256": sha256}).one_or_none()
    if row is None:
        raise NotFound("document", sha256)
    return StoredDocument(row.sha256, row.media_type, bytes(row.content))


def record_json(session: Session, invoice_id: str) -> str:
    """Return what was read from the document, as JSON text."""
    return str(session.connection().execute(_RECORD, {"id": invoice_id}).scalar_one())
