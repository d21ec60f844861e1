"""How much of an invoice is in flight, settled or free again; the one place that moves these sums.

Knows no chain. The database itself refuses a sum above what is payable (I16).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session

from settlement import outbox
from settlement.clock import to_micros
from settlement.errors import Conflict
from settlement.invoices import returns
from settlement.states import INVOICE_MOVES, InvoiceState
from settlement.store.bulk import insert_alike, rows, run_many


class InvoiceOverpaid(Conflict):
    """The invoice has less left to pay than was asked for, or is in no state to be paid."""

    def __init__(self, count: int) -> None:
        super().__init__(
            f"{count} of the invoices asked for have less left to pay than that, or cannot be paid",
            field="amount",
            repair="read the invoice's open amount and its settlements in flight again",
        )


_TAKE = (
    "UPDATE invoice SET in_flight_minor = in_flight_minor + :claim_minor, version = version + 1"
    " WHERE id = :invoice_id AND state IN ('ACCEPTED', 'PARTLY_PAID') AND type_code <> '381'"
    " AND settled_minor + in_flight_minor - returned_minor + :claim_minor"
    " <= payable_minor - credited_minor"
)
_RELEASE = (
    "UPDATE invoice SET in_flight_minor = in_flight_minor - :claim_minor, version = version + 1"
    " WHERE id = :invoice_id"
)
_SETTLE = (
    "UPDATE invoice SET in_flight_minor = in_flight_minor - x.claim_minor,"
    " settled_minor = settled_minor + x.claim_minor, version = version + 1,"
    " state = CASE WHEN settled_minor + x.claim_minor - returned_minor"
    "   >= payable_minor - credited_minor THEN :paid ELSE :part_paid END"
    " FROM (SELECT invoice_id, CAST(SUM(claim_minor) AS BIGINT) AS claim_minor FROM settlement s"
    "   JOIN block b ON b.hash = s.block_hash AND b.canonical"
    "   WHERE s.state = 'BOOKED' AND s.block_number <= :final GROUP BY invoice_id) x"
    " WHERE invoice.id = x.invoice_id AND invoice.state IN ('ACCEPTED', 'PARTLY_PAID')"
    " RETURNING invoice.id, invoice.state"
)


def take(session: Session, claims: Sequence[tuple[str, int]]) -> None:
    """Reserve `(invoice id, minor units of its currency)`; all or nothing.

    Raises:
        InvoiceOverpaid: one of them has less left, or is not ACCEPTED or PARTLY_PAID.
    """
    changed = run_many(session, _TAKE, _in_order(claims))
    if changed != len(claims):
        raise InvoiceOverpaid(len(claims) - changed)


def release(session: Session, claims: Sequence[tuple[str, int]]) -> None:
    """Give back what `take` reserved: the settlement ended without payment, finally."""
    run_many(session, _RELEASE, _in_order(claims))


def settle(session: Session, *, final: int, now: datetime) -> int:
    """Count as settled what BOOKED settlements up to block `final` paid; return invoices moved."""
    paid = INVOICE_MOVES[(InvoiceState.ACCEPTED, "paid")]
    part_paid = INVOICE_MOVES[(InvoiceState.ACCEPTED, "part_paid")]
    ends = {"final": final, "paid": paid.value, "part_paid": part_paid.value}
    moved = rows(session, _SETTLE, ends)
    by_state: dict[str, list[str]] = {paid.value: [], part_paid.value: []}
    for key, state in moved:
        by_state[state].append(key)
    for move, state in (("paid", paid), ("part_paid", part_paid)):
        ids = by_state[state.value]
        event = {"move": move, "state": state.value, "actor": "rail", "at": to_micros(now)}
        insert_alike(session, "invoice_event", "invoice_id", ids, event)
        outbox.record_alike(session, f"invoice.{move}", ids, now)
    returns.count_returned(session, by_state[paid.value], now)
    return len(moved)


def _in_order(claims: Sequence[tuple[str, int]]) -> list[dict[str, Any]]:
    """Return rows by invoice: two who lock the same ones never wait for each other in a ring."""
    return [
        {"invoice_id": invoice_id, "claim_minor": minor} for invoice_id, minor in sorted(claims)
    ]
