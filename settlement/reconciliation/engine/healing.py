"""What the engine's classifier finds becomes breaks; those whose cause is gone are closed.

Says nothing of what is left over: `classifying` does.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlmodel import Session

from settlement.reconciliation import breaks
from settlement.reconciliation.engine.classifying import KINDS, classify, is_found_here

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
    turned = [each for each in gone if each.subject in about]
    healed = [each for each in gone if each.subject not in about]
    closed = breaks.close(session, turned, "it is another kind of break now", now)
    closed += breaks.close(session, healed, "nothing is left over of it", now)
    return breaks.open_new(session, found, now), closed
