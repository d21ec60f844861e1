"""Ending the clearances of those whom something new stands against: nothing is signed for them.

Moves no settlement: whoever clears finds that it has none any more, and judges it anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlmodel import Session

from settlement.compliance import clearance
from settlement.compliance.screening.ownership import owned_by
from settlement.states import IN_FLIGHT
from settlement.store.bulk import rows_by_key

OPEN = ", ".join(f"'{state}'" for state in sorted(IN_FLIGHT))
_STOPPED = f"SELECT id FROM settlement WHERE {{side}} {{keys}} AND state IN ({OPEN}) ORDER BY id"


def stop(session: Session, participant_ids: Iterable[str], now: datetime) -> list[str]:
    """End the clearances of all open payments of participants, and of those whom they own.

    Return these settlements' ids.
    """
    keys = owned_by(session, participant_ids)
    settlements = sorted(
        {
            row[0]
            for side in ("debtor_id", "creditor_id")
            for row in rows_by_key(session, _STOPPED.replace("{side}", side), keys)
        }
    )
    clearance.revoke(session, settlements, now)
    return settlements
