"""Attempts: signed bytes, stored before they are sent; first ones, higher bids, declared cancels.

The signer decides whether it signs; here its answers are stored. Sends nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlmodel import Session

from settlement.clock import to_micros
from settlement.config import Settings
from settlement.registry.differences import DEAD
from settlement.sender.fees import Fees, first_fees, outbid
from settlement.sender.lanes import ADMIN, Lease, renew
from settlement.settlements.tracking import record_chain_tx
from settlement.signer import Refusal, Signature, SigningRequest
from settlement.store.bulk import insert_named, rows, rows_by_key, run_many

SIGN_AT_ONCE = 64
"""Chain transactions that one call to the signer carries."""

_UNSIGNED = (
    "SELECT id, kind, deadline, cancelling FROM chain_tx"
    " WHERE signer = :signer AND state = 'CLAIMED' ORDER BY nonce LIMIT :limit"
)
_STUCK = (
    "SELECT c.id, c.nonce, c.kind, c.deadline, c.cancelling, a.max_fee_wei, a.priority_fee_wei,"
    " a.outcome, a.sent_block, a.first_sent_at"
    " FROM chain_tx c JOIN attempt a ON a.chain_tx_id = c.id"
    " WHERE c.signer = :signer AND c.state IN ('SIGNED', 'SENT') AND a.created_seq ="
    " (SELECT MAX(created_seq) FROM attempt WHERE chain_tx_id = c.id)"
    # Not the column alone: the index by nonce would lead through all that the lane ever sent.
    " ORDER BY +c.nonce"
)
_DEAD_MEMBERS = (
    "SELECT DISTINCT c.id FROM chain_tx c JOIN batch_member m ON m.chain_tx_id = c.id AND m.live"
    " JOIN clearance l ON l.id = m.clearance_id"
    " WHERE c.signer = :signer AND c.state IN ('CLAIMED', 'SIGNED', 'SENT')"
    " AND (l.revoked_at IS NOT NULL OR l.expires_at <= :now)"
)
_DEAD_CHANGES = (
    "SELECT c.id FROM chain_tx c WHERE c.signer = :signer"
    f" AND c.state IN ('CLAIMED', 'SIGNED', 'SENT') AND {DEAD}"
)
_SEEN_AT = "SELECT seen_at FROM block WHERE canonical AND number = :number"
_STORED = "SELECT chain_tx_id, hash, created_seq FROM attempt WHERE chain_tx_id {keys}"
_SIGNED = "UPDATE chain_tx SET state = 'SIGNED' WHERE id = :id AND state = 'CLAIMED'"
_CANCELLING = "UPDATE chain_tx SET cancelling = true WHERE id = :id"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A signature to ask for, and what it will be an attempt at."""

    request: SigningRequest
    kind: str


class _Stuck(NamedTuple):
    """The newest attempt at a chain transaction that has bytes and is not mined."""

    id: str
    nonce: int
    kind: str
    deadline: int
    cancelling: bool
    max_fee_wei: int
    priority_fee_wei: int
    outcome: str | None
    sent_block: int | None
    first_sent_at: int


def first_attempts(
    session: Session,
    lease: Lease,
    settings: Settings,
    *,
    base_fee_wei: int,
    chain_time: int,
    now: datetime,
) -> list[Wanted]:
    """Return what has a nonce and no bytes yet, by nonce; a cancel for what died since."""
    fees = first_fees(
        base_fee_wei, priority_fee_wei=settings.priority_fee_wei, cap_wei=settings.fee_cap_wei
    )
    unsigned = {"signer": lease.signer, "limit": SIGN_AT_ONCE}
    found = rows(session, _UNSIGNED, unsigned)
    if not found:
        return []
    dead = _dead(session, lease, now)
    return [
        _wanted(
            key,
            kind,
            fees,
            as_cancel=cancelling or key in dead or (kind == "pay" and deadline <= chain_time),
        )
        for key, kind, deadline, cancelling in found
    ]


def further_attempts(
    session: Session,
    lease: Lease,
    settings: Settings,
    *,
    base_fee_wei: int,
    head: int,
    chain_time: int,
    now: datetime,
) -> list[Wanted]:
    """Return higher bids for what is stuck or priced out, cancels for what may not be paid now."""
    stuck = [_Stuck._make(row) for row in rows(session, _STUCK, {"signer": lease.signer})]
    if not stuck:
        return []
    dead = _dead(session, lease, now)
    patience = _seen_at(session, head + 1 - settings.bump_after_blocks)
    wanted = []
    for row in stuck:
        expired = row.kind == "pay" and row.deadline <= chain_time
        must_cancel = not row.cancelling and (row.id in dead or expired)
        if not must_cancel and not _outbid_due(row, patience, base_fee_wei):
            continue
        fees = outbid(
            Fees(row.max_fee_wei, row.priority_fee_wei),
            base_fee_wei,
            priority_fee_wei=settings.priority_fee_wei,
            cap_wei=settings.fee_cap_wei,
        )
        if fees is None and must_cancel:
            fees = Fees(settings.fee_cap_wei, min(row.priority_fee_wei, settings.fee_cap_wei))
        if fees is not None:  # At the cap the best attempt is sent again and again.
            as_cancel = must_cancel or row.cancelling
            wanted.append(_wanted(row.id, row.kind, fees, as_cancel=as_cancel))
    return wanted[:SIGN_AT_ONCE]


def store(
    session: Session,
    lease: Lease,
    wanted: Sequence[Wanted],
    answers: Sequence[Signature | Refusal],
    now: datetime,
) -> list[Refusal]:
    """Store the signed bytes; return the refusals.

    Raises:
        LeaseLost: nothing is stored, and nothing of it will ever be sent.
    """
    renew(session, lease, now)
    stored = rows_by_key(session, _STORED, [each.request.chain_tx_id for each in wanted])
    known = {digest for _, digest, _ in stored}
    newest: dict[str, int] = {}
    for key, _, seq in stored:
        newest[key] = max(seq, newest.get(key, 0))
    made: list[dict[str, Any]] = []
    refusals = []
    for each, answer in zip(wanted, answers, strict=True):
        assert answer.chain_tx_id == each.request.chain_tx_id, "answers come in order"
        if isinstance(answer, Refusal):
            refusals.append(answer)
            continue
        if answer.hash in known:
            continue  # The signer gave again what it signed last: we have it already.
        made.append(
            {
                "hash": answer.hash,
                "chain_tx_id": answer.chain_tx_id,
                "created_seq": newest.get(answer.chain_tx_id, 0) + 1,
                "kind": each.kind,
                "raw": answer.raw,
                "max_fee_wei": answer.max_fee_wei or each.request.max_fee_wei,
                "priority_fee_wei": answer.priority_fee_wei or each.request.priority_fee_wei,
                "created_at": to_micros(now),
                "send_count": 0,
            }
        )
    if made:
        insert_named(session, "attempt", made)
        firsts = [row["chain_tx_id"] for row in made if row["created_seq"] == 1]
        run_many(session, _SIGNED, [{"id": key} for key in firsts])
        record_chain_tx(session, firsts, "sign", now=now)
        cancels = [{"id": row["chain_tx_id"]} for row in made if row["kind"] == "cancel"]
        run_many(session, _CANCELLING, cancels)
    return refusals


def _dead(session: Session, lease: Lease, now: datetime) -> set[str]:
    """Return the chain transactions whose payments or changes are not to be any more."""
    signer = {"signer": lease.signer}
    if lease.kind == ADMIN:
        return {key for (key,) in rows(session, _DEAD_CHANGES, signer)}
    values = {**signer, "now": to_micros(now)}
    return {key for (key,) in rows(session, _DEAD_MEMBERS, values)}


def _seen_at(session: Session, number: int) -> int:
    """Return when the block of that height was first seen; 0 where it is not stored."""
    found = rows(session, _SEEN_AT, {"number": number})
    return found[0][0] if found else 0


def _outbid_due(row: _Stuck, patience: int, base_fee_wei: int) -> bool:
    """Whether an attempt bids too little, or was sent before the block at which patience ends."""
    if row.outcome in ("underpriced", "underpriced_replacement"):
        return True
    if row.max_fee_wei < base_fee_wei:
        return True
    return row.sent_block is not None and row.first_sent_at < patience


def _wanted(chain_tx_id: str, kind: str, fees: Fees, *, as_cancel: bool) -> Wanted:
    return Wanted(
        SigningRequest(chain_tx_id, fees.max_fee_wei, fees.priority_fee_wei, as_cancel),
        "cancel" if as_cancel else kind,
    )
