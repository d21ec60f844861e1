"""Breaks: what does not agree, with its reason; opened once, closed when it has healed.

Finds nothing by itself: `matching` and `tie_out` say what they found.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

import orjson
from sqlalchemy import text
from sqlmodel import Session

from settlement.clock import to_micros
from settlement.store.bulk import insert_rows, rows_by_key


class BreakKind(StrEnum):
    """What kind of disagreement a break is."""

    MISSING_ON_CHAIN = "missing_on_chain"
    """Booked or settled, or an entry, without one canonical Settled log and its Transfer."""
    MISSING_IN_LEDGER = "missing_in_ledger"
    """Paid on the chain, and no entry for it."""
    UNPAIRED = "unpaired"
    """The rail says settled, and the token did not move exactly that: not paid."""
    AMOUNT = "amount"
    """The same settlement with another amount."""
    PAYEE = "payee"
    """The same settlement with another creditor, debtor, token or sequence."""
    DUPLICATE = "duplicate"
    """One settlement with two Settled logs, or two entries."""
    NOT_BOOKED = "not_booked"
    """Paid on the chain and in the ledger, final, and the settlement stands elsewhere."""
    UNMATCHED = "unmatched"
    """Nothing above, and still no match."""
    UNKNOWN_SETTLEMENT = "unknown_settlement"
    """The rail settled under a reference that no settlement has."""
    UNATTRIBUTED_DEPOSIT = "unattributed_deposit"
    """A wallet of ours received tokens that no settlement explains."""
    UNATTRIBUTED_WITHDRAWAL = "unattributed_withdrawal"
    """A wallet of ours paid tokens that no settlement explains."""
    REJECTED = "rejected"
    """The rail refused the payment, and that is final."""
    REORGED = "reorged"
    """A booked payment was thrown out by a reorg and has not come back."""
    TIE_OUT = "tie_out"
    """A balance of the ledger is not the chain's at a final block."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not agree. `detail` becomes JSON: texts and whole numbers."""

    kind: BreakKind
    subject: str
    reason: str
    detail: Mapping[str, str | int | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OpenBreak:
    """A break that has not healed yet."""

    id: str
    kind: BreakKind
    subject: str


def open_of(session: Session, kinds: Collection[BreakKind]) -> list[OpenBreak]:
    """Return the open breaks of these kinds, oldest first."""
    rows = rows_by_key(
        session,
        "SELECT id, kind, subject FROM settlement_break WHERE kind {keys} AND closed_at IS NULL"
        " ORDER BY id",
        [kind.value for kind in kinds],
    )
    return [OpenBreak(key, BreakKind(kind), subject) for key, kind, subject in rows]


def open_new(session: Session, findings: Sequence[Finding], now: datetime) -> int:
    """Open a break for each finding that has none open; return how many."""
    is_open = {(each.kind, each.subject) for each in open_of(session, {f.kind for f in findings})}
    fresh = {
        (each.kind, each.subject): each
        for each in findings
        if (each.kind, each.subject) not in is_open
    }
    at = to_micros(now)
    insert_rows(
        session,
        "settlement_break",
        ("id", "kind", "subject", "reason", "detail", "opened_at"),
        [
            (
                _id(each, at),
                each.kind.value,
                each.subject,
                each.reason,
                orjson.dumps(dict(each.detail)).decode(),
                at,
            )
            for each in fresh.values()
        ],
        "ON CONFLICT (subject, kind) WHERE closed_at IS NULL DO NOTHING",
    )
    return len(fresh)


def close(session: Session, healed: Sequence[OpenBreak], reason: str, now: datetime) -> int:
    """Close breaks that have healed; return how many."""
    if healed:
        session.connection().execute(
            text(
                "UPDATE settlement_break SET closed_at = :at, closed_reason = :reason"
                " WHERE id = :id AND closed_at IS NULL"
            ),
            [{"id": each.id, "reason": reason, "at": to_micros(now)} for each in healed],
        )
    return len(healed)


def _id(finding: Finding, at: int) -> str:
    """Return an id in order of time: microseconds, then what the break is about."""
    about = sha256(f"{finding.kind}|{finding.subject}".encode()).hexdigest()
    return f"brk_{at:014x}{about[:18]}"
