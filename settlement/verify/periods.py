"""Closed periods, a part of I7: two people, without a gap, and the books that they agreed on.

What is posted later has a later value date, so that a period's trial balance never changes.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from datetime import date, timedelta
from hashlib import sha256

from settlement.verify.database import Database
from settlement.verify.findings import Finding

_HALF = 2**32
_CLOSED = (
    "SELECT id, first_date, last_date, trial_sha256, closed_by, approved_by FROM accounting_period"
    " WHERE state = 'closed' ORDER BY last_date"
)
_MOVED = (
    f"SELECT e.value_date, a.code, SUM(p.amount_minor / {_HALF}),"
    f" SUM(p.amount_minor - p.amount_minor / {_HALF} * {_HALF}) FROM journal_entry e"
    " JOIN posting p ON p.entry_seq = e.seq JOIN account a ON a.id = p.account_id"
    " WHERE p.phase = 'posted' AND e.value_date <="
    " (SELECT MAX(last_date) FROM accounting_period WHERE state = 'closed')"
    " GROUP BY e.value_date, a.code ORDER BY e.value_date"
)


def judge_periods(database: Database, finding: Finding) -> int:
    """Bring forward closed periods that are not what two people agreed on; return how many."""
    periods = database.rows(_CLOSED)
    moved = database.stream(_MOVED) if periods else iter(())
    waiting = next(moved, None)
    sums: dict[str, int] = defaultdict(int)
    follows = None
    for name, first, last, agreed, closed_by, approved_by in periods:
        while waiting is not None and waiting[0] <= last:
            sums[waiting[1]] += int(waiting[2]) * _HALF + int(waiting[3])
            waiting = next(moved, None)
        if not approved_by or closed_by == approved_by:
            finding.against(f"period {name}: closed by {closed_by}, approved by {approved_by}")
        if follows is not None and first != follows:
            finding.against(f"period {name} begins on {first}, its first day is {follows}")
        follows = (date.fromisoformat(last) + timedelta(days=1)).isoformat()
        if _hash(sums) != agreed:
            finding.against(f"period {name}: the books up to {last} are not those it was closed on")
    return len(periods)


def _hash(sums: Mapping[str, int]) -> str:
    trial = sorted([code, str(minor)] for code, minor in sums.items() if minor)
    return sha256(json.dumps(trial, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()
