"""Letting settlements be judged anew that were held for a wallet which nothing binds any more.

What else holds one holds it again by itself; what a person holds stays held.
"""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from settlement.compliance.policy import Policy
from settlement.registry.restrictions import restrictions
from settlement.settlements import control
from settlement.store.bulk import rows

FREED_MAX = 5_000
"""Settlements that one run frees; the rest waits for the next."""

_PREDICATE = "wallet_bound"
_HELD = (
    "SELECT s.id, s.token, s.debtor_wallet, s.creditor_wallet, c.verdicts FROM settlement s"
    " JOIN clearance c ON c.id = s.clearance_id WHERE s.state = 'HELD' ORDER BY s.id"
)


def unbind(session: Session, policy: Policy, now: datetime) -> int:
    """Release what was held because of a wallet that may pay and be paid again; return how many."""
    names = [f'"{rule.id}"' for rule in policy.rules if rule.predicate == _PREDICATE]
    held = [row for row in rows(session, _HELD) if any(name in row[4] for name in names)]
    if not held:
        return 0
    bound = restrictions(session, {wallet for row in held for wallet in row[2:4]})
    freed = [
        key
        for key, token, *wallets, _ in held
        if not any(each.holds_for(token) for wallet in wallets for each in bound.get(wallet, ()))
    ][:FREED_MAX]
    if freed:
        control.release(session, freed, actor="rail", now=now)
    return len(freed)
