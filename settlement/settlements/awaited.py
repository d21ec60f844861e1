"""Holds whose cause was a date, a payee's change or a party's file, and is over: released.

The release is to INSTRUCTED: everything is judged anew, and held again where another rule holds.
"""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from settlement.clock import to_micros
from settlement.settlements.moves import move_each
from settlement.store import row_lock
from settlement.store.bulk import rows

RELEASED_MAX = 500
"""Settlements that one run releases."""

# Held by the policy, not by a person; and what it may have waited for ended after it was held.
_OVER = (
    "SELECT s.id FROM settlement s JOIN settlement_event e ON e.settlement_id = s.id"
    " WHERE s.state = 'HELD' AND e.actor = 'policy' AND e.move = 'hold'"
    " AND e.id = (SELECT MAX(last.id) FROM settlement_event last WHERE last.settlement_id = s.id)"
    " AND (EXISTS (SELECT 1 FROM wallet w WHERE w.address IN (s.debtor_wallet, s.creditor_wallet)"
    "   AND w.retired_at IS NULL AND w.usable_from > e.at AND w.usable_from <= ?)"
    " OR EXISTS (SELECT 1 FROM participant_change c"
    "   WHERE c.participant_id IN (s.debtor_id, s.creditor_id) AND ("
    "   (c.state = 'effective' AND c.usable_from > e.at AND c.usable_from <= ?)"
    "   OR (c.state IN ('refused', 'withdrawn') AND c.decided_at > e.at)))"
    " OR EXISTS (SELECT 1 FROM participant_event p"
    "   WHERE p.participant_id IN (s.debtor_id, s.creditor_id) AND p.at > e.at"
    "   AND p.move IN ('renew', 'reinstate')))"
    " ORDER BY s.id LIMIT ?"
)


def release_awaited(session: Session, now: datetime, *, most: int = RELEASED_MAX) -> list[str]:
    """Release up to `most` such settlements; return their ids."""
    at = to_micros(now)
    found = rows(session, _OVER + row_lock(session, "s"), (at, at, most))
    released = [key for (key,) in found]
    why = "the wallet may be used now, or a party's change or renewal is done"
    waiting = [{"id": key, "reason": why} for key in released]
    changes = ", reason = NULL, clearance_id = NULL"
    move_each(session, "release", waiting, actor="rail", now=now, changes=changes)
    return released
