"""What seller and buyer may do with an issued invoice: accept, query, reject, cancel.

All or nothing over a list of any length, in a handful of statements. Paying is not its business.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, text
from sqlmodel import Session

from settlement import ledger, outbox
from settlement.clock import to_micros
from settlement.errors import Forbidden, NotFound
from settlement.invoices.errors import (
    CreditNoteHasNoMoves,
    NotTheBuyer,
    NotTheSeller,
    ReasonMissing,
)
from settlement.states import INVOICE_MOVES, InvoiceState, advance
from settlement.store.bulk import chunks, insert_alike, rows_by_key

REASON_MAX = 500

_CHUNK = 5000
_ANNOUNCED = {
    "accept": "invoice.accepted",
    "query": "invoice.queried",
    "reject": "invoice.rejected",
    "cancel": "invoice.cancelled",
}
_ROWS = (
    "SELECT id, seller_id, buyer_id, currency, payable_minor, issue_date, state, type_code, number"
    " FROM invoice WHERE id {keys} ORDER BY id"
)


class _Row(NamedTuple):
    """An invoice that is to be moved; it begins as a ledger's claim does."""

    id: str
    seller_id: str
    buyer_id: str
    currency: str
    payable_minor: int
    issue_date: str
    state: str
    type_code: str
    number: str


_MOVE = text(
    "UPDATE invoice SET state = :state, reason = :reason, version = version + 1 WHERE id IN :ids"
).bindparams(bindparam("ids", expanding=True))


def accept(
    session: Session,
    ids: Sequence[str],
    actor: str,
    now: datetime,
    *,
    buyer_id: str | None = None,
) -> None:
    """Accept invoices for their buyer: from now on they are owed, and booked as such.

    `buyer_id` restricts to invoices of that buyer.

    Raises:
        NotFound, NotTheBuyer, IllegalMove, CreditNoteHasNoMoves: nothing is accepted.
    """
    for rows in _chunks(session, ids):
        _check_buyer(rows, buyer_id)
        _check_moves(rows, "accept")
        _move(session, rows, "accept", None, actor=actor, now=now)
        claims = [ledger.Claim._make(row[:6]) for row in rows]
        ledger.post(session, [ledger.entries.accept(claim) for claim in claims], now)


def query(
    session: Session,
    ids: Sequence[str],
    actor: str,
    now: datetime,
    *,
    reason: str,
    buyer_id: str | None = None,
) -> None:
    """Let the buyer ask about invoices before it accepts or rejects them.

    Raises:
        ReasonMissing, NotFound, NotTheBuyer, IllegalMove, CreditNoteHasNoMoves: nothing is changed.
    """
    words = _words(reason, "query")
    for rows in _chunks(session, ids):
        _check_buyer(rows, buyer_id)
        _check_moves(rows, "query")
        _move(session, rows, "query", words, actor=actor, now=now)


def reject(
    session: Session,
    ids: Sequence[str],
    actor: str,
    now: datetime,
    *,
    reason: str,
    buyer_id: str | None = None,
) -> None:
    """Let the buyer refuse invoices for good.

    Raises:
        ReasonMissing, NotFound, NotTheBuyer, IllegalMove, CreditNoteHasNoMoves: nothing is changed.
    """
    words = _words(reason, "reject")
    for rows in _chunks(session, ids):
        _check_buyer(rows, buyer_id)
        _check_moves(rows, "reject")
        _move(session, rows, "reject", words, actor=actor, now=now)


def cancel(
    session: Session,
    ids: Sequence[str],
    actor: str,
    now: datetime,
    *,
    reason: str,
    seller_id: str | None = None,
) -> None:
    """Let the seller withdraw invoices that were not accepted.

    Raises:
        ReasonMissing, NotFound, NotTheSeller, IllegalMove, CreditNoteHasNoMoves: nothing changes.
    """
    words = _words(reason, "cancel")
    for rows in _chunks(session, ids):
        for row in rows:
            if seller_id not in (None, row.seller_id):
                raise _refusal(row, seller_id, NotTheSeller(row.number))
        _check_moves(rows, "cancel")
        _move(session, rows, "cancel", words, actor=actor, now=now)


def _words(reason: str, move: str) -> str:
    words = reason.strip()
    if not 0 < len(words) <= REASON_MAX or not words.isprintable():
        raise ReasonMissing(move)
    return words


def _chunks(session: Session, ids: Sequence[str]) -> Iterator[list[_Row]]:
    """Yield the invoices, locked, some thousand at a time.

    Raises:
        NotFound: one does not exist.
    """
    locked = " FOR UPDATE" if session.connection().dialect.name == "postgresql" else ""
    # In one order everywhere: two callers with the same invoices never wait for each other.
    for chunk in chunks(sorted(set(ids)), _CHUNK):
        found = [_Row._make(row) for row in rows_by_key(session, _ROWS + locked, chunk)]
        if len(found) != len(chunk):
            raise NotFound("invoice", min(set(chunk) - {row.id for row in found}))
        yield found


def _check_buyer(rows: Sequence[_Row], buyer_id: str | None) -> None:
    if buyer_id is None:
        return
    for row in rows:
        if row.buyer_id != buyer_id:
            raise _refusal(row, buyer_id, NotTheBuyer(row.id))


def _refusal(row: _Row, caller: str | None, known: Forbidden) -> Forbidden | NotFound:
    """To a stranger the invoice does not exist; the other side is told why."""
    return known if caller in (row.seller_id, row.buyer_id) else NotFound("invoice", row.id)


def _check_moves(rows: Sequence[_Row], move: str) -> None:
    for row in rows:
        if row.type_code == "381":
            raise CreditNoteHasNoMoves(row.id, move)
        advance(INVOICE_MOVES, InvoiceState(row.state), move, noun="invoice", key=row.id)


def _move(
    session: Session,
    rows: Sequence[_Row],
    move: str,
    reason: str | None,
    *,
    actor: str,
    now: datetime,
) -> None:
    """Set the state, write the events, tell the outside, for rows that are locked and checked."""
    (end,) = {to for (_, name), to in INVOICE_MOVES.items() if name == move}
    ids = [row[0] for row in rows]
    moved = session.connection().execute(_MOVE, {"state": end.value, "reason": reason, "ids": ids})
    assert moved.rowcount == len(ids), f"{move}: {moved.rowcount} of {len(ids)} invoices moved"
    event = {
        "move": move, "state": end.value, "actor": actor, "reason": reason, "at": to_micros(now),
    }  # fmt: skip
    insert_alike(session, "invoice_event", "invoice_id", ids, event)
    outbox.record_alike(session, _ANNOUNCED[move], ids, now)
