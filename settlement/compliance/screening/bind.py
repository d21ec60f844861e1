"""What screening wants of wallets on the chain: off the rail, and let go again.

Decides nothing; the admin's lane makes it so.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlmodel import Session

from settlement import registry
from settlement.compliance.screening import records
from settlement.registry.standing import Source
from settlement.store.bulk import rows_by_key

_BOUND = (
    "SELECT DISTINCT wallet FROM registry_wish WHERE wallet {keys} AND source = 'screening'"
    " AND wanted = 'unlisted'"
)


def unlist(
    session: Session, wallets: Iterable[str], *, reason: str, actor: str, now: datetime
) -> None:
    """Want wallets off the rail: the contract itself refuses them then."""
    registry.want(
        session, wallets, source=Source.SCREENING, listed=False, reason=reason, actor=actor, now=now
    )


def let_go(
    session: Session, participant_ids: Iterable[str], *, reason: str, actor: str, now: datetime
) -> None:
    """Take back what screening has wanted of whom nothing stands against any more.

    Others may want their wallets off still.
    """
    keys = set(participant_ids)
    free = keys - records.stands_against(session, keys)
    bound = [row[0] for row in rows_by_key(session, _BOUND, records.wallets(session, free))]
    registry.want(
        session, bound, source=Source.SCREENING, listed=True, reason=reason, actor=actor, now=now
    )
