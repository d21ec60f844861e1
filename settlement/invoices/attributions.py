"""What an invoice was paid by money that came outside the rail, and taking that back.

Guarded by the same rule as every payment (I16). Which money it was is `reconciliation.workbench`'s.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text
from sqlmodel import Session

from settlement import outbox
from settlement.clock import to_micros
from settlement.errors import Conflict
from settlement.invoices.amounts import InvoiceOverpaid
from settlement.outbox import OutboxEvent
from settlement.store import row_lock
from settlement.store.bulk import insert_rows

_PAY = text(
    "UPDATE invoice SET settled_minor = settled_minor + :claim_minor, version = version + 1,"
    " state = CASE WHEN settled_minor + :claim_minor - returned_minor"
    "   >= payable_minor - credited_minor THEN 'PAID' ELSE 'PARTLY_PAID' END"
    " WHERE id = :id AND state IN ('ACCEPTED', 'PARTLY_PAID') AND type_code NOT IN ('381', '383')"
    " AND settled_minor + in_flight_minor - returned_minor + :claim_minor"
    " <= payable_minor - credited_minor RETURNING state"
)
_TAKE_BACK = text(
    "UPDATE invoice SET settled_minor = settled_minor - :claim_minor, version = version + 1,"
    " state = CASE WHEN settled_minor = :claim_minor THEN 'ACCEPTED' ELSE 'PARTLY_PAID' END"
    " WHERE id = :id AND state IN ('PARTLY_PAID', 'PAID')"
    # What a return claim is to send back is not to be taken away under it.
    " AND settled_minor - :claim_minor >= returned_minor"
    "   + (SELECT COALESCE(SUM(r.payable_minor), 0) FROM invoice r"
    "   WHERE r.preceding_id = invoice.id AND r.type_code = '383'"
    "   AND r.state NOT IN ('PAID', 'CANCELLED')) RETURNING state"
)
_LOCK = "SELECT id FROM invoice WHERE id = :id"
_PAID = {"PAID": "paid", "PARTLY_PAID": "part_paid"}
_TAKEN_BACK = {"ACCEPTED": "unpaid", "PARTLY_PAID": "taken_back"}


class NothingToTakeBack(Conflict):
    """The invoice has not so much settled that was not returned already."""

    def __init__(self, invoice_id: str) -> None:
        super().__init__(
            f"invoice {invoice_id} has less settled than what is to be taken back",
            repair="read the invoice's sums and its return claims: undo a return before",
        )


def pay(
    session: Session,
    invoice_id: str,
    claim_minor: int,
    *,
    actor: str,
    reason: str,
    now: datetime,
) -> None:
    """Count `claim_minor` of the invoice's currency as settled.

    Raises:
        InvoiceOverpaid: less of it is open, or it is in no state to be paid.
    """
    values = {"id": invoice_id, "claim_minor": claim_minor}
    state = session.connection().execute(_PAY, values).scalar_one_or_none()
    if state is None:
        raise InvoiceOverpaid(1)
    _moved(session, invoice_id, _PAID[state], state, actor=actor, reason=reason, now=now)


def take_back(
    session: Session,
    invoice_id: str,
    claim_minor: int,
    *,
    actor: str,
    reason: str,
    now: datetime,
) -> None:
    """Undo `pay`: so much of the invoice is open again.

    Raises:
        NothingToTakeBack: a part of it was sent back since, or is claimed back.
    """
    values = {"id": invoice_id, "claim_minor": claim_minor}
    # Asked after the lock is held: a return claim that was made while it was waited for counts.
    session.connection().execute(text(_LOCK + row_lock(session, "invoice")), {"id": invoice_id})
    state = session.connection().execute(_TAKE_BACK, values).scalar_one_or_none()
    if state is None:
        raise NothingToTakeBack(invoice_id)
    _moved(session, invoice_id, _TAKEN_BACK[state], state, actor=actor, reason=reason, now=now)


def _moved(
    session: Session,
    invoice_id: str,
    move: str,
    state: str,
    *,
    actor: str,
    reason: str,
    now: datetime,
) -> None:
    insert_rows(
        session,
        "invoice_event",
        ("invoice_id", "move", "state", "actor", "reason", "at"),
        [(invoice_id, move, state, actor, reason, to_micros(now))],
    )
    outbox.record(session, [OutboxEvent(f"invoice.{move}", invoice_id)], now)
