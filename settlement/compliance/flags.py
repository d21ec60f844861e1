"""Flags: what rules tell the supervisor without changing an outcome.

A sum over time is told once a day for its parties; anything else once for its settlement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlmodel import Session

from settlement.clock import to_micros
from settlement.compliance.policy import Facts, Policy, Verdict
from settlement.store.bulk import insert_rows

_COLUMNS = (
    "rule_id", "subject", "day", "settlement_id", "clearance_id", "found", "created_at",
)  # fmt: skip
_LISTED = text(
    "SELECT rule_id, subject, day, settlement_id, clearance_id, found, created_at"
    " FROM policy_flag WHERE created_at < :before"
    " AND (:settlement = '' OR settlement_id = :settlement)"
    " ORDER BY created_at DESC, rule_id, subject LIMIT :limit"
)


@dataclass(frozen=True, slots=True)
class Flag:
    """Something a supervisor should look at; `created_at` in microseconds."""

    rule_id: str
    subject: str
    day: str
    settlement_id: str
    clearance_id: str
    found: str
    created_at: int


def raise_all(
    session: Session,
    policy: Policy,
    told: Sequence[tuple[str, Facts, Sequence[Verdict]]],
    now: datetime,
) -> None:
    """Store the flags among what was found, each with the clearance that it was found for."""
    if not told:
        return
    at, day = to_micros(now), now.date().isoformat()
    summed_per = {rule.id: rule.windows[0].per for rule in policy.rules if rule.windows}
    rows = []
    for clearance_id, facts, findings in told:
        for each in findings:
            if each.is_flag:
                key = facts.settlement_id
                summed = _subject(summed_per.get(each.rule_id), facts)
                where = (summed, day) if summed else (key, "")
                rows.append((each.rule_id, *where, key, clearance_id, each.found, at))
    insert_rows(
        session, "policy_flag", _COLUMNS, rows, "ON CONFLICT (rule_id, subject, day) DO NOTHING"
    )


def listed(
    session: Session, *, before: int = 2**62, settlement_id: str = "", limit: int = 100
) -> list[Flag]:
    """Return flags raised before a moment, newest first; those of one settlement if it is named."""
    values = {"before": before, "settlement": settlement_id, "limit": limit}
    return [Flag(*row) for row in session.connection().execute(_LISTED, values)]


def _subject(per: str | None, facts: Facts) -> str:
    """Return whose sum it is; empty where the rule looks at the payment alone."""
    if per is None:
        return ""
    debtor, creditor = facts.pair.debtor.participant_id, facts.pair.creditor.participant_id
    return {"debtor": debtor, "creditor": creditor}.get(per, f"{debtor}>{creditor}")
