"""Holds whose cause was a hit that a person has judged since, or that has lapsed: released.

The release is to INSTRUCTED: everything is judged anew, and held or refused where a rule says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Session

from settlement.approvals import Approval
from settlement.compliance.screening import deciding, records
from settlement.compliance.screening.exposure import exposures
from settlement.settlements.moves import move_each
from settlement.store import row_lock
from settlement.store.bulk import rows

KIND = "screening"
"""The kind of request by which a second person agrees that a hit is cleared."""
_WORDS = "%waits for a person%"
"""What the policy says of a hit that is open."""
RELEASED_MAX = 500
"""Settlements that one run releases."""

# Held by the policy because of a hit, and neither party has one that waits any more.
_JUDGED = (
    "SELECT s.id, s.debtor_id, s.creditor_id FROM settlement s"
    " JOIN settlement_event e ON e.settlement_id = s.id"
    " WHERE s.state = 'HELD' AND e.actor = 'policy' AND e.move = 'hold'"
    " AND e.id = (SELECT MAX(last.id) FROM settlement_event last WHERE last.settlement_id = s.id)"
    " AND s.reason LIKE ?"
    " AND NOT EXISTS (SELECT 1 FROM screening_hit h WHERE h.state = 'open'"
    "   AND (h.participant_id IN (s.debtor_id, s.creditor_id)"
    "   OR (h.subject_kind <> 'owner' AND h.participant_id IN (SELECT o.owner_participant_id"
    "     FROM participant_owner o WHERE o.live"
    "     AND o.participant_id IN (s.debtor_id, s.creditor_id)))))"
    " AND s.id > ? ORDER BY s.id LIMIT ?"
)


def hit_now(session: Session, approval: Approval) -> Mapping[str, Any] | None:
    """Return what whoever approves a clearing would be shown now; None: it waits no more."""
    found = records.hit(session, approval.subject, lock=row_lock(session, "h"))
    if found.state not in ("open", "confirmed"):
        return None
    return deciding.clearing_terms(found, str(approval.terms["reason"]))


def clear_hit(session: Session, approval: Approval, now: datetime) -> None:
    """Clear a hit on which two people agree, and let go what it alone has held."""
    terms = approval.terms
    deciding.clear(
        session, approval.subject, reason=str(terms["reason"]),
        actor=f"{approval.maker_role}:{approval.maker}", now=now,
        seen=(str(terms["subject_hash"]), str(terms["entry_hash"])),
    )  # fmt: skip
    release_judged(session, now)


def release_judged(session: Session, now: datetime, *, most: int = RELEASED_MAX) -> list[str]:
    """Release up to `most` such settlements; return their ids."""
    released: list[str] = []
    after = ""
    while len(released) < most:
        found = rows(session, _JUDGED + row_lock(session, "s"), (_WORDS, after, RELEASED_MAX))
        if not found:
            break
        after = found[-1][0]
        against = exposures(session, {party for _, *parties in found for party in parties})
        # Owners of owners may still have one.
        free = [key for key, *parties in found if not any(against[each].open for each in parties)]
        released += free[: most - len(released)]
    waiting = [{"id": key, "reason": "nothing of it waits any more"} for key in released]
    changes = ", reason = NULL, clearance_id = NULL"
    move_each(session, "release", waiting, actor="rail", now=now, changes=changes)
    return released
