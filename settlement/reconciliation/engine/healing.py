"""What the engine's classifier finds becomes breaks; those whose cause is gone are closed.

Says nothing of what is left over: `classifying` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlmodel import Session

from settlement.reconciliation import breaks
from settlement.reconciliation.engine.classifying import KINDS, classify, is_found_here
from settlement.store.bulk import rows_by_key

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def tell_breaks(session: Session, now: datetime) -> tuple[int, int]:
    """Open what is found, close what has healed; return how many of each."""
    found = classify(session, now, (now - _EPOCH).days)
    stands = {(each.kind, each.subject) for each in found}
    about = {each.subject for each in found}
    gone = [
        each
        for each in breaks.open_of(session, KINDS)
        if is_found_here(each.kind, each.subject) and (each.kind, each.subject) not in stands
    ]
    worked = _worked_on(session, [each.id for each in gone])
    gone = [each for each in gone if each.id not in worked]
    turned = [each for each in gone if each.subject in about]
    healed = [each for each in gone if each.subject not in about]
    closed = breaks.close(session, turned, "it is another kind of break now", now)
    closed += breaks.close(session, healed, "nothing is left over of it", now)
    return breaks.open_new(session, found, now), closed


def _worked_on(session: Session, break_ids: Sequence[str]) -> set[str]:
    """Return those of which people have dealt with a part of the money: the rest is theirs too."""
    found = rows_by_key(
        session,
        "SELECT DISTINCT break_id FROM break_effect WHERE break_id {keys} AND live"
        " AND amount_minor IS NOT NULL",
        break_ids,
    )
    return {key for (key,) in found}
