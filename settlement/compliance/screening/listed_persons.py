"""Persons whose fields have to be kept because they may be, or were found to be, listed.

Erases nobody: `settlement.participants.people` does.
"""

from __future__ import annotations

from sqlmodel import Session

from settlement.errors import Conflict
from settlement.store.bulk import rows

_HITS = (
    "SELECT h.id, h.state, (SELECT e.move FROM screening_hit_event e WHERE e.hit_id = h.id"
    " AND e.move IN ('confirmed', 'cleared') ORDER BY e.id DESC LIMIT 1)"
    " FROM screening_hit h WHERE h.participant_id = ? AND h.subject_kind = 'owner'"
    " AND h.subject_key = ? ORDER BY h.id"
)


def require_unlisted(session: Session, participant_id: str, person_id: str) -> None:
    """Return quietly if no hit on an owner has to stay open to proof.

    One that was confirmed counts although the list or the participant has changed since: what was
    blocked because of it is to be shown for ten years. Source: 31 CFR 501.601.

    Raises:
        Conflict: a hit is open, is confirmed, or was when it lapsed.
    """
    for hit_id, state, last_word in rows(session, _HITS, (participant_id, person_id)):
        if state in ("open", "confirmed"):
            raise Conflict(
                f"hit {hit_id} on {person_id} is {state}",
                field="person_id",
                repair="decide about the hit first; of whoever is listed the record is kept",
            )
        if state == "lapsed" and last_word == "confirmed":
            raise Conflict(
                f"hit {hit_id} on {person_id} was confirmed before it lapsed",
                field="person_id",
                repair="keep the record: what was blocked because of it has to be shown",
            )
