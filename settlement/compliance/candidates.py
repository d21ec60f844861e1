"""Settlements that are to be judged, and what their debtors' wallets may still spend.

Reads; decides nothing. Amounts are minor units of the token.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import text
from sqlmodel import Session

from settlement.chain.port import Address
from settlement.clock import from_micros, to_micros
from settlement.compliance.spent import SpentToday
from settlement.participants.mandates import Mandate, mandates
from settlement.states import SettlementState
from settlement.store import row_lock
from settlement.store.bulk import rows

# Whoever's KYB has ended is expired from that moment on, before anybody writes it down.
_STATE = (
    "CASE WHEN {0}.state = 'active' AND {0}.kyb_valid_until <= ? THEN 'expired' ELSE {0}.state END"
)
_CANDIDATES = (
    "SELECT s.id, s.token, s.debtor_wallet, s.creditor_wallet, s.amount_minor, s.reference,"
    f" {_STATE.format('d')}, d.name AS debtor_name, d.country AS debtor_country,"
    f" {_STATE.format('c')}, c.name AS creditor_name, c.country AS creditor_country,"
    " wd.participant_id AS debtor_owner, wc.participant_id AS creditor_owner,"
    " s.debtor_id, s.creditor_id, s.invoice_id, s.claim_minor, t.listed, t.symbol, t.decimals,"
    " t.currency, i.currency AS invoice_currency, s.execution_date, s.clearance_id"
    " FROM settlement s JOIN participant d ON d.id = s.debtor_id"
    " JOIN participant c ON c.id = s.creditor_id JOIN token t ON t.address = s.token"
    " JOIN invoice i ON i.id = s.invoice_id"
    " LEFT JOIN wallet wd ON wd.address = s.debtor_wallet"
    " LEFT JOIN wallet wc ON wc.address = s.creditor_wallet"
    " WHERE s.state IN ({states}) AND s.execution_date <= ?"
    " AND s.approved_by IS NOT NULL ORDER BY s.id LIMIT ?"
)
# The newest block's: a chain's time never runs backwards.
_CHAIN_TIME = "SELECT timestamp FROM block WHERE canonical ORDER BY number DESC LIMIT 1"
_UNDER_WAY = text(
    "SELECT debtor_wallet, token, state, CAST(SUM(amount_minor) AS BIGINT) AS minor"
    " FROM settlement"
    # Under review: nobody knows whether it was paid, so it counts as if it could be.
    " WHERE state IN ('CLEARED', 'CLAIMED', 'SUBMITTED', 'CONFIRMING', 'NEEDS_REVIEW')"
    " GROUP BY debtor_wallet, token, state"
)

INSTRUCTED = "'INSTRUCTED'"
NOT_FINAL = "'CLEARED', 'CLAIMED', 'SUBMITTED', 'CONFIRMING', 'BOOKED'"
"""States in which a clearance that dies keeps the payment from the chain: what is mined may be
orphaned, and would be sent again."""
PairKey = tuple[str, str, str, str, str, str]
"""What tells one way to pay from another: parties, wallets, token, and the invoice's currency."""


class Candidate(NamedTuple):
    """A settlement that waits for its clearance, with what is known of its parties."""

    id: str
    token: Address
    debtor_wallet: Address
    creditor_wallet: Address
    amount_minor: int
    reference: str
    debtor_state: str
    debtor_name: str
    debtor_country: str
    creditor_state: str
    creditor_name: str
    creditor_country: str
    debtor_owner: str | None
    creditor_owner: str | None
    debtor_id: str
    creditor_id: str
    invoice_id: str
    claim_minor: int
    listed: bool
    symbol: str
    decimals: int
    currency: str
    invoice_currency: str
    execution_date: str
    clearance_id: str | None

    @property
    def pair_key(self) -> PairKey:
        """What it shares with other payments."""
        return (
            self.debtor_id, self.creditor_id, self.debtor_wallet, self.creditor_wallet,
            self.token, self.invoice_currency,
        )  # fmt: skip


@dataclass(slots=True)
class Purse:
    """What one debtor's wallet may still spend of one token, as a run of clearances uses it up."""

    mandate: Mandate | None
    left_today_minor: int
    funds_minor: int

    def spend(self, minor: int) -> None:
        """Count an allowed payment against both."""
        self.left_today_minor -= minor
        self.funds_minor -= minor


def chain_time(session: Session) -> datetime:
    """Return the newest stored block's time: by it the chain judges days and deadlines."""
    newest = rows(session, _CHAIN_TIME)
    return from_micros(newest[0][0] * 1_000_000 if newest else 0)


def candidates(
    session: Session, *, now: datetime, limit: int, states: str = INSTRUCTED
) -> list[Candidate]:
    """Return, locked, the settlements that are due and in one of `states`, oldest first."""
    statement = _CANDIDATES.replace("{states}", states) + row_lock(session, "s")
    at = to_micros(now)
    found = rows(session, statement, (at, at, now.date().isoformat(), limit))
    return [Candidate._make(row) for row in found]


def purses(
    session: Session,
    waiting: Sequence[Candidate],
    booked: Mapping[tuple[str, str], int],
    spent_today: SpentToday,
) -> dict[tuple[str, str], Purse]:
    """Return per (wallet, token) the live mandate, what its day has left, and the funds.

    Funds are what is `booked` on the wallet less all that is under way and not booked yet.
    """
    connection = session.connection()
    seconds = int(chain_time(session).timestamp())
    spent = spent_today.read(session, seconds)
    due: dict[tuple[str, str], int] = {}
    for row in connection.execute(_UNDER_WAY):
        key = (row.debtor_wallet, row.token)
        due[key] = due.get(key, 0) + row.minor
        if row.state != SettlementState.CONFIRMING:  # Its log is among those of the day already.
            spent[key] = spent.get(key, 0) + row.minor
    live = {
        (each.debtor_wallet, each.token): each
        for each in mandates(session)
        if each.expires_at > seconds
    }
    found: dict[tuple[str, str], Purse] = {}
    for key in {(row.debtor_wallet, row.token) for row in waiting}:
        mandate = live.get(key)
        left = (mandate.cap_per_day_minor if mandate else 0) - spent.get(key, 0)
        found[key] = Purse(mandate, max(left, 0), booked[key] - due.get(key, 0))
    return found
