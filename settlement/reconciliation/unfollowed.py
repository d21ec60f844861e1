"""Breaks of wallets that the chain has not made what they are to be, for too many blocks.

Looked for every so often; the admin's lane goes on meanwhile. Moves nothing.
"""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from settlement.reconciliation import breaks
from settlement.reconciliation.breaks import BreakKind, Finding
from settlement.store.bulk import rows

FOUND_MAX = 1_000

_DIFFERS = (
    "registry_standing s WHERE s.wanted <> s.actual"
    " AND s.differs_from_block + ? <= (SELECT number FROM cursor WHERE name = 'head')"
    # Where nobody's lane lists, only who is to be stopped and is not has to be looked at.
    " AND (s.wanted IN ('unlisted', 'frozen')"
    "  OR EXISTS (SELECT 1 FROM lane WHERE kind = 'admin'))"
)
_FOUND = (
    "SELECT s.wallet, s.contract, s.wanted, s.actual, s.differs_from_block, t.symbol,"
    " (SELECT o.participant_id FROM wallet o WHERE o.address = s.wallet)"
    f" FROM {_DIFFERS.replace('s WHERE', 's LEFT JOIN token t ON t.address = s.contract WHERE', 1)}"
    " AND NOT EXISTS (SELECT 1 FROM settlement_break k WHERE k.kind = 'unfollowed'"
    "  AND k.subject = s.wallet || ':' || s.contract"
    "  AND (k.closed_at IS NULL OR k.closed_by <> 'rail'))"
    f" ORDER BY s.wallet, s.contract LIMIT {FOUND_MAX}"
)
_STILL = f"SELECT s.wallet || ':' || s.contract FROM {_DIFFERS}"


def unfollowed(session: Session, now: datetime, blocks_max: int) -> tuple[int, int]:
    """Wallets that differ for `blocks_max` blocks; return how many breaks were (opened, closed)."""
    is_open = breaks.open_of(session, [BreakKind.UNFOLLOWED])
    still = {subject for (subject,) in rows(session, _STILL, (blocks_max,))} if is_open else set()
    done = [each for each in is_open if each.subject not in still]
    closed = breaks.close(session, done, "the chain has it as it is to be", now)
    found = [
        Finding(
            BreakKind.UNFOLLOWED,
            f"{wallet}:{contract}",
            f"{wallet} is to be {wanted} {f'in {symbol}' if symbol else 'on the rail'} and is"
            f" {actual} since block {since}",
            {"wanted": wanted, "actual": actual, "since_block": since, "token": symbol},
            party=owner,
        )
        for wallet, contract, wanted, actual, since, symbol, owner in rows(
            session, _FOUND, (blocks_max,)
        )
    ]
    return breaks.open_new(session, found, now), closed
