"""Letting the registry know of participants' states: who is active has its wallets listed.

Sends nothing: the admin's lane makes the chain follow.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from settlement import registry
from settlement.registry import Source
from settlement.store.bulk import rows, rows_by_key

_WALLETS = "SELECT w.address, p.state FROM wallet w JOIN participant p ON p.id = w.participant_id"


def follow_states(
    session: Session, participant_ids: Sequence[str], *, reason: str, actor: str, now: datetime
) -> None:
    """Want the wallets of these participants listed as their states say, and no others."""
    found = rows_by_key(session, f"{_WALLETS} WHERE p.id {{keys}} ORDER BY 1", participant_ids)
    _want(session, [(address, state) for address, state in found], reason, actor, now)


def follow_all(session: Session, *, reason: str, actor: str, now: datetime) -> None:
    """The same for everybody: for the moment in which there is a rail."""
    found = rows(session, f"{_WALLETS} ORDER BY 1")
    _want(session, [(address, state) for address, state in found], reason, actor, now)


def _want(
    session: Session, found: Sequence[tuple[str, str]], reason: str, actor: str, now: datetime
) -> None:
    for listed in (False, True):
        registry.want(
            session,
            [address for address, state in found if (state == "active") is listed],
            source=Source.PARTICIPANT, listed=listed, reason=reason, actor=actor, now=now,
        )  # fmt: skip
