"""Declaring a trade: kept, and what the policy held back for want of it is judged anew.

What a person holds stays held.
"""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from settlement.compliance import trades
from settlement.compliance.trades import Declaration
from settlement.settlements import control
from settlement.store.bulk import rows

# The last hold's actor: a person's hold is a person's to lift.
_HELD_BY_POLICY = (
    "SELECT s.id FROM settlement s WHERE s.invoice_id = ? AND s.state = 'HELD'"
    " AND (SELECT e.actor FROM settlement_event e WHERE e.settlement_id = s.id"
    " ORDER BY e.id DESC LIMIT 1) = 'policy'"
)


def declare(
    session: Session,
    invoice_id: str,
    participant_id: str,
    declaration: Declaration,
    *,
    actor: str,
    now: datetime,
) -> None:
    """Keep what a party says of a trade. Raises as `trades.declare`."""
    trades.declare(session, invoice_id, participant_id, declaration, actor=actor, now=now)
    held = [key for (key,) in rows(session, _HELD_BY_POLICY, (invoice_id,))]
    if held:
        control.release(session, held, actor="rail", now=now)
