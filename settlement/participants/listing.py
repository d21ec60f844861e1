"""Letting the registry know of participants' states: who is active has its wallets listed.

Sends nothing: the admin's lane makes the chain follow.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from settlement import registry
from settlement.clock import to_micros
from settlement.registry import Source
from settlement.store.bulk import rows, rows_by_key

# What was given up, or is still cooling off, is not to be paid: not by the chain either.
_WALLETS = (
    "SELECT w.address, p.state = 'active' AND w.retired_at IS NULL AND w.usable_from IS NOT NULL"
    " AND w.usable_from <= {now} FROM wallet w JOIN participant p ON p.id = w.participant_id"
)


def follow_states(
    session: Session, participant_ids: Sequence[str], *, reason: str, actor: str, now: datetime
) -> None:
    """Want the wallets of these participants listed as their states say, and no others."""
    query = f"{_wallets(now)} WHERE p.id {{keys}} ORDER BY 1"
    found = rows_by_key(session, query, participant_ids)
    _want(session, [(address, bool(may)) for address, may in found], reason, actor, now)


def follow_all(session: Session, *, reason: str, actor: str, now: datetime) -> None:
    """The same for everybody: for the moment in which there is a rail."""
    found = rows(session, f"{_wallets(now)} ORDER BY 1")
    _want(session, [(address, bool(may)) for address, may in found], reason, actor, now)


def _wallets(now: datetime) -> str:
    # `{keys}` comes before every `?`: the moment is a number of ours, put into the text.
    return _WALLETS.replace("{now}", str(to_micros(now)))


def _want(
    session: Session, found: Sequence[tuple[str, bool]], reason: str, actor: str, now: datetime
) -> None:
    for listed in (False, True):
        registry.want(
            session,
            [address for address, may in found if may is listed],
            source=Source.PARTICIPANT, listed=listed, reason=reason, actor=actor, now=now,
        )  # fmt: skip
