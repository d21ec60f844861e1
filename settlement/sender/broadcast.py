"""Broadcasting stored bytes, and what each answer means. Never builds, never signs.

Only bytes that are in `attempt` are ever sent; the same bytes again where the answer is unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from settlement.chain.port import SendAnswer, SendOutcome
from settlement.clock import to_micros
from settlement.config import Settings
from settlement.registry.differences import DEAD
from settlement.sender.lanes import Lease, renew, set_state
from settlement.settlements.moves import move_where
from settlement.settlements.tracking import record_chain_tx
from settlement.store.bulk import rows, rows_by_key, run_many

SEND_AT_ONCE = 64
"""Attempts that one call to the node carries."""

RETRY_AFTER = timedelta(seconds=5)
"""How long an attempt rests that the node did not take, or of which nobody knows."""

_DUE = (
    "SELECT a.hash, a.raw, a.chain_tx_id, c.nonce, c.state FROM chain_tx c"
    " JOIN attempt a ON a.chain_tx_id = c.id"
    " WHERE c.signer = :signer AND c.state IN ('SIGNED', 'SENT')"
    " AND a.created_seq = (SELECT MAX(created_seq) FROM attempt WHERE chain_tx_id = c.id)"
    # What the node did not take is tried again even if no block comes.
    " AND (a.sent_block IS NULL OR a.sent_block <= :resend_before"
    "   OR a.outcome <> 'accepted' AND a.last_sent_at <= :retry_before)"
    # Paid bytes go out only while every clearance in them lives; a cancel may always go.
    " AND (a.kind <> 'pay' OR c.deadline > :chain_time AND NOT EXISTS ("
    "   SELECT 1 FROM batch_member m JOIN clearance l ON l.id = m.clearance_id"
    "   WHERE m.chain_tx_id = c.id AND m.live"
    "   AND (l.revoked_at IS NOT NULL OR l.expires_at <= :now)))"
    # Nor does a change of the registry go out that is not wanted any more.
    f" AND (a.kind <> 'admin' OR NOT ({DEAD}))"
    # Not the column alone: the index by nonce would lead through all that the lane ever sent.
    " ORDER BY +c.nonce LIMIT :limit"
)
_ANSWERED = (
    "UPDATE attempt SET first_sent_at = COALESCE(first_sent_at, :at), last_sent_at = :at,"
    " sent_block = :head, send_count = send_count + 1, outcome = :outcome, message = :message"
    " WHERE hash = :hash"
)
_SENT = (
    # One that the watcher saw mined meanwhile is further already.
    "UPDATE chain_tx SET state = 'SENT' WHERE id {keys} AND state = 'SIGNED' RETURNING id"
)

_HALTS = {SendOutcome.MALFORMED}


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Stored bytes that are due to be sent."""

    hash: str
    raw: bytes
    chain_tx_id: str
    nonce: int
    first: bool


def due(
    session: Session,
    lease: Lease,
    settings: Settings,
    *,
    head: int,
    chain_time: int,
    now: datetime,
) -> list[Outgoing]:
    """Return what was never sent, or not seen for some blocks since, in order of nonces."""
    values = {
        "signer": lease.signer,
        "resend_before": head - settings.resend_after_blocks,
        "retry_before": to_micros(now - RETRY_AFTER),
        "chain_time": chain_time,
        "now": to_micros(now),
        "limit": SEND_AT_ONCE,
    }
    return [
        Outgoing(key, bytes(raw), chain_tx_id, nonce, state == "SIGNED")
        for key, raw, chain_tx_id, nonce, state in rows(session, _DUE, values)
    ]


def mark(
    session: Session,
    lease: Lease,
    sent: Sequence[Outgoing],
    answers: Sequence[SendAnswer],
    *,
    head: int,
    now: datetime,
) -> None:
    """Store what the node answered; what it calls malformed halts the lane for a person.

    Raises:
        LeaseLost: another worker goes on from the stored bytes; nothing is marked here.
    """
    renew(session, lease, now)
    if not sent:
        return
    run_many(
        session,
        _ANSWERED,
        [
            {
                "hash": each.hash,
                "at": to_micros(now),
                "head": head,
                "outcome": answer.outcome.value,
                "message": answer.message[:500] or None,
            }
            for each, answer in zip(sent, answers, strict=True)
        ],
    )
    firsts = [each.chain_tx_id for each in sent if each.first]
    if firsts:
        moved = [key for (key,) in rows_by_key(session, _SENT, firsts)]
        record_chain_tx(session, moved, "send", now=now)
        move_where(
            session,
            "submit",
            "c.id = settlement.chain_tx_id AND c.signer = :signer AND c.state = 'SENT'",
            {"signer": lease.signer},
            source="FROM chain_tx c",
            actor="rail",
            now=now,
        )
    for each, answer in zip(sent, answers, strict=True):
        if answer.outcome in _HALTS:
            reason = f"nonce {each.nonce}: the node says {answer.message[:200]!r}"
            set_state(session, lease.signer, "halted", reason)
