"""Who may not pay or be paid now, because of what is wanted on the chain or is not there yet.

Reads; decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlmodel import Session

from settlement.registry.standing import Standing
from settlement.store.bulk import rows, rows_by_key

_RESTRICTED = (
    "SELECT s.wallet, s.contract, s.wanted, s.actual FROM registry_standing s"
    " WHERE s.wallet {keys} AND (s.wanted IN ('unlisted', 'frozen') OR s.wanted <> s.actual)"
)
_REASONS = (
    "SELECT wallet, contract, source, reason FROM registry_wish"
    " WHERE wallet {keys} AND wanted IN ('unlisted', 'frozen') ORDER BY source"
)
_HAS_LANE = "SELECT EXISTS (SELECT 1 FROM lane WHERE kind = 'admin')"


@dataclass(frozen=True, slots=True)
class Restriction:
    """Why a wallet may neither pay nor be paid: on the rail, or in one token alone."""

    wallet: str
    contract: str
    standing: Standing
    words: str
    """Begins with what the wallet is or is to be: it has no address in it."""

    def holds_for(self, token: str) -> bool:
        """Whether it stands against payments in a token."""
        on_rail = self.standing in (Standing.LISTED, Standing.UNLISTED)
        return on_rail or self.contract == token


def restrictions(session: Session, wallets: Iterable[str]) -> dict[str, tuple[Restriction, ...]]:
    """Return, per wallet, what binds it. Two queries, whatever their number; usually one.

    A wallet that is to be listed and is not there yet is bound too, where an admin's lane lists.
    """
    found = rows_by_key(session, _RESTRICTED, set(wallets))
    if not found:
        return {}
    reasons: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for wallet, contract, source, reason in rows_by_key(
        session, _REASONS, {wallet for wallet, *_ in found}
    ):
        reasons.setdefault((wallet, contract), []).append((source, reason))
    has_lane = bool(rows(session, _HAS_LANE)[0][0])
    bound: dict[str, tuple[Restriction, ...]] = {}
    for wallet, contract, wanted, actual in found:
        whys = reasons.get((wallet, contract), [])
        if Standing(wanted).binds:
            words = f"is to be {wanted} ({'; '.join(f'{side}: {why}' for side, why in whys)})"
        elif has_lane:
            words = f"is {actual} on the chain until the admin's lane has made it {wanted}"
        else:
            continue
        one = Restriction(wallet, contract, Standing(wanted), words)
        bound[wallet] = (*bound.get(wallet, ()), one)
    return bound
