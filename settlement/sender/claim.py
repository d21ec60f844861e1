"""Claiming: cleared settlements become batches with nonces, in one database transaction.

Signs nothing, sends nothing. A lost race changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import insert, text
from sqlmodel import Session

from settlement.chain.port import Address, SendOutcome
from settlement.chain.rail_abi import PaymentTerms, settle_calldata
from settlement.chain.signing import GAS_CAP
from settlement.clock import Ids, to_micros
from settlement.compliance.clearance import PAYABLE
from settlement.config import Settings
from settlement.sender.lanes import Lease, renew
from settlement.settlements.moves import move_where
from settlement.settlements.tracking import record_chain_tx
from settlement.store import row_lock
from settlement.store.bulk import insert_rows
from settlement.tables import ChainTx

GAS_BASE = 300_000
GAS_PER_PAYMENT = 162_000
"""Enough for a token call that burns its whole bound of 150,000: one never starves the rest."""

_MEMBER = ("chain_tx_id", "position", "settlement_id", "clearance_id", "live")
_IN_FLIGHT = text(
    "SELECT COUNT(*) FROM chain_tx WHERE signer = :signer AND state IN ('CLAIMED','SIGNED','SENT')"
)
_UNPAYABLE_GAS = text(
    "SELECT EXISTS (SELECT 1 FROM chain_tx c JOIN attempt a ON a.chain_tx_id = c.id"
    " WHERE c.signer = :signer AND c.state IN ('SIGNED', 'SENT') AND a.outcome = :outcome"
    " AND a.created_seq = (SELECT MAX(created_seq) FROM attempt WHERE chain_tx_id = c.id))"
)
_CLEARED = (
    "SELECT s.id, s.rail, s.token, s.debtor_wallet, s.creditor_wallet, s.sequence, s.amount_minor,"
    " s.reference, s.clearance_id, c.expires_at, t.decimals FROM settlement s"
    " JOIN clearance c ON c.id = s.clearance_id JOIN token t ON t.address = s.token"
    " WHERE s.state = 'CLEARED' AND s.execution_date <= :today AND c.revoked_at IS NULL"
    f" AND c.outcome IN {PAYABLE!r} AND c.expires_at > :now"
    " ORDER BY s.debtor_wallet, s.token, s.sequence LIMIT :limit"
)
_TAKE_NONCES = text(
    "UPDATE lane SET next_nonce = next_nonce + :count WHERE signer = :signer"
    " AND lease_owner = :owner AND lease_fence = :fence RETURNING next_nonce"
)


def claim(session: Session, lease: Lease, settings: Settings, *, ids: Ids, now: datetime) -> int:
    """Turn cleared settlements into batches by debtor and token; return how many settlements.

    Raises:
        LeaseLost: nothing is claimed.
    """
    if renew(session, lease, now).state != "active":
        return 0
    batches = _due(session, lease, settings, now)
    if not batches:
        return 0
    first = _take_nonces(session, lease, len(batches))
    chain_txs = [
        _chain_tx(batch, nonce, lease.signer, settings, ids=ids, now=now)
        for nonce, batch in enumerate(batches, start=first)
    ]
    session.connection().execute(insert(ChainTx.__table__), chain_txs)  # type: ignore[attr-defined]
    members = [
        (chain_tx["id"], position, row.id, row.clearance_id, True)
        for chain_tx, batch in zip(chain_txs, batches, strict=True)
        for position, row in enumerate(batch)
    ]
    insert_rows(session, "batch_member", _MEMBER, members)
    record_chain_tx(session, [row["id"] for row in chain_txs], "claim", now=now)
    moved = move_where(
        session,
        "claim",
        "m.settlement_id = settlement.id AND m.live AND m.chain_tx_id = x.id"
        " AND x.signer = :signer AND x.nonce >= :first",
        {"signer": lease.signer, "first": first},
        source="FROM batch_member m, chain_tx x",
        changes=", chain_tx_id = x.id",
        actor="rail",
        now=now,
    )
    assert len(moved) == len(members), "a settlement left CLEARED while it was locked"
    return len(members)


def _due(session: Session, lease: Lease, settings: Settings, now: datetime) -> list[list[Any]]:
    """Lock what is cleared and due; return it in batches, no more than the lane has room for."""
    connection = session.connection()
    in_flight = connection.execute(_IN_FLIGHT, {"signer": lease.signer}).scalar_one()
    room = settings.lane_in_flight_max - in_flight
    if room <= 0 or (in_flight and _lacks_gas_money(session, lease)):
        return []
    rows = connection.execute(
        text(_CLEARED + row_lock(session, "s")),
        {
            "today": now.date().isoformat(),
            "now": to_micros(now),
            "limit": settings.settlements_per_tick_max,
        },
    ).all()
    return _batches(rows, settings.batch_payments_max)[:room]


def _take_nonces(session: Session, lease: Lease, count: int) -> int:
    """Move the lane on by `count` nonces under its lease; return the first of them."""
    taken = {
        "count": count,
        "signer": lease.signer,
        "owner": lease.owner,
        "fence": lease.fence,
    }
    following: int = session.connection().execute(_TAKE_NONCES, taken).scalar_one()
    return following - count


def _lacks_gas_money(session: Session, lease: Lease) -> bool:
    """Whether the node refuses what is claimed already: more would only wait until it expires."""
    found = session.connection().execute(
        _UNPAYABLE_GAS, {"signer": lease.signer, "outcome": SendOutcome.NO_GAS_MONEY.value}
    )
    return bool(found.scalar())


def _batches(rows: Sequence[Any], payments_max: int) -> list[list[Any]]:
    """Group rows, sorted by debtor and token, into batches that the rail takes in one call."""
    batches = []
    for _, group in groupby(rows, key=lambda row: (row.debtor_wallet, row.token)):
        members = list(group)
        batches += [
            members[start : start + payments_max] for start in range(0, len(members), payments_max)
        ]
    return batches


def _chain_tx(
    batch: Sequence[Any], nonce: int, signer: str, settings: Settings, *, ids: Ids, now: datetime
) -> dict[str, Any]:
    first = batch[0]
    deadline = min(row.expires_at for row in batch) // 1_000_000
    total = sum(row.amount_minor for row in batch)
    payments = [
        PaymentTerms(row.sequence, row.creditor_wallet, row.amount_minor, row.reference)
        for row in batch
    ]
    return {
        "id": ids("ctx"),
        "signer": signer,
        "nonce": nonce,
        "kind": "pay",
        "to_address": first.rail,
        "calldata": settle_calldata(
            token=Address(first.token),
            debtor=Address(first.debtor_wallet),
            deadline=deadline,
            payments=payments,
        ),
        "token": first.token,
        "debtor_wallet": first.debtor_wallet,
        "deadline": deadline,
        "gas_limit": min(GAS_BASE + GAS_PER_PAYMENT * len(batch), GAS_CAP),
        "member_count": len(batch),
        "total_minor": total,
        "depth": settings.booking_depth(total // 10**first.decimals),
        "cancelling": False,
        "state": "CLAIMED",
        "created_at": to_micros(now),
    }
