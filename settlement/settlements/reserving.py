"""What a settlement reserves while it may be paid: its part of the invoice, and room in limits.

Taken when it is instructed, or tried again; given back once, when it ends without payment. Funds
are reserved elsewhere, at clearance.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Protocol

from sqlmodel import Session

from settlement.compliance import limits
from settlement.compliance.limits import Payment
from settlement.invoices import amounts
from settlement.store.bulk import rows_by_key

_TERMS = (
    "SELECT id, debtor_id, creditor_id, token, amount_minor, execution_date FROM settlement"
    " WHERE id {keys} ORDER BY id"
)


class Reserving(Protocol):
    """A settlement and its part of an invoice."""

    @property
    def id(self) -> str: ...
    @property
    def invoice_id(self) -> str: ...
    @property
    def claim_minor(self) -> int: ...


def take_room(session: Session, made: Sequence[dict[str, Any]], now: datetime) -> None:
    """Reserve room in limits for settlements that were just stored.

    Raises:
        LimitExceeded: one of them has not enough left.
    """
    payments = [
        Payment(
            row["id"], row["debtor_id"], row["creditor_id"], row["token"], row["amount_minor"],
            date.fromisoformat(row["execution_date"]),
        )
        for row in made
    ]  # fmt: skip
    limits.take(session, payments, now)


def take_again(session: Session, ended: Sequence[Reserving], now: datetime) -> None:
    """Reserve once more for settlements that had given all back. A past date counts as today.

    Raises:
        InvoiceOverpaid, LimitExceeded: one of them has not enough left; nothing is taken.
    """
    amounts.take(session, [(row.invoice_id, row.claim_minor) for row in ended])
    limits.take(session, _payments(session, ended, now), now)


def count_again(session: Session, ended: Sequence[Reserving], now: datetime) -> None:
    """Take for what the chain has paid already: no limit refuses it any more.

    Raises:
        InvoiceOverpaid: its invoice was instructed anew.
    """
    amounts.take(session, [(row.invoice_id, row.claim_minor) for row in ended])
    limits.count(session, _payments(session, ended, now), now)


def give_back(session: Session, ended: Sequence[Reserving], now: datetime) -> None:
    """Free what settlements held: they have ended without payment, for good."""
    amounts.release(session, [(row.invoice_id, row.claim_minor) for row in ended])
    limits.release(session, [row.id for row in ended], now)


def _payments(session: Session, ended: Sequence[Reserving], now: datetime) -> list[Payment]:
    today = now.date()
    return [
        Payment(key, debtor, creditor, token, minor, max(date.fromisoformat(day), today))
        for key, debtor, creditor, token, minor, day in rows_by_key(
            session, _TERMS, [row.id for row in ended]
        )
    ]
