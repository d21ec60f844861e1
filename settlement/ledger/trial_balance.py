"""The trial balance: the whole journal added up, against zero and against the kept sums."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text
from sqlmodel import Session

from settlement.ledger.balances import SUM_HALVES, whole
from settlement.ledger.entries import PENDING, POSTED

_FROM_POSTINGS = text(
    f"SELECT a.code, a.kind, a.owner, a.unit, p.phase, {SUM_HALVES} FROM posting p"
    " JOIN account a ON a.id = p.account_id GROUP BY a.code, a.kind, a.owner, a.unit, p.phase"
)
_KEPT = text(
    "SELECT a.code, b.posted_high, b.posted_minor, b.expected_minor - b.reserved_minor"
    " FROM balance b JOIN account a ON a.id = b.account_id"
)


@dataclass(frozen=True, slots=True)
class TrialRow:
    """One account: money posted, and the net of what is set aside of it and for it."""

    code: str
    kind: str
    owner: str
    unit: str
    posted_minor: int
    pending_minor: int


@dataclass(frozen=True, slots=True)
class TrialBalance:
    """Every account that was ever posted to, and the sum per unit, which must be zero."""

    rows: tuple[TrialRow, ...]
    sums: dict[str, int]
    drifted: tuple[str, ...]
    """Codes whose kept sums are not what the postings add up to."""

    @property
    def is_balanced(self) -> bool:
        """Whether every unit sums to zero and no kept sum has drifted."""
        return not any(self.sums.values()) and not self.drifted


def trial_balance(session: Session) -> TrialBalance:
    """Add up the whole journal; reads every posting."""
    accounts: dict[tuple[str, str, str, str], dict[str, int]] = {}
    sums: dict[str, int] = {}
    for code, kind, owner, unit, phase, high, low in session.execute(_FROM_POSTINGS):
        minor = whole(high, low)
        accounts.setdefault((code, kind, owner, unit), {})[phase] = minor
        sums[unit] = sums.get(unit, 0) + minor
    rows = tuple(
        TrialRow(*key, phases.get(POSTED, 0), phases.get(PENDING, 0))
        for key, phases in sorted(accounts.items())
    )
    kept = {
        code: (whole(high, low), pending) for code, high, low, pending in session.execute(_KEPT)
    }
    added = {row.code: (row.posted_minor, row.pending_minor) for row in rows}
    drifted = sorted(
        code for code in added.keys() | kept.keys() if added.get(code) != kept.get(code)
    )
    return TrialBalance(rows, sums, tuple(drifted))
