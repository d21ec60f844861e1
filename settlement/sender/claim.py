"""Claiming: cleared settlements become batches with nonces, in one database transaction.

Signs nothing, sends nothing. A lost race changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple

from sqlmodel import Session

from settlement.chain.port import Address, Hash, SendOutcome
from settlement.chain.rail_abi import PaymentTerms, settle_calldata
from settlement.chain.signing import GAS_CAP
from settlement.clock import Ids, to_micros
from settlement.compliance.clearance import PAYABLE
from settlement.config import Settings
from settlement.sender.lanes import Lease, renew, take_nonces
from settlement.settlements.moves import move_where
from settlement.settlements.tracking import record_chain_tx
from settlement.store import row_lock
from settlement.store.bulk import insert_named, insert_rows, rows

GAS_BASE = 300_000
GAS_PER_PAYMENT = 162_000
"""Enough for a token call that burns its whole bound of 150,000: one never starves the rest."""

_MEMBER = ("chain_tx_id", "position", "settlement_id", "clearance_id", "live")
_IN_FLIGHT = (
    "SELECT COUNT(*) FROM chain_tx WHERE signer = :signer AND state IN ('CLAIMED','SIGNED','SENT')"
)
_UNPAYABLE_GAS = (
    "SELECT EXISTS (SELECT 1 FROM chain_tx c JOIN attempt a ON a.chain_tx_id = c.id"
    " WHERE c.signer = :signer AND c.state IN ('SIGNED', 'SENT') AND a.outcome = :outcome"
    " AND a.created_seq = (SELECT MAX(created_seq) FROM attempt WHERE chain_tx_id = c.id))"
)
_CLEARED = (
    "SELECT s.id, s.rail, s.token, s.debtor_wallet, s.creditor_wallet, s.sequence, s.amount_minor,"
    " s.reference, s.clearance_id, c.expires_at, t.decimals FROM settlement s"
    " JOIN clearance c ON c.id = s.clearance_id JOIN token t ON t.address = s.token"
    " WHERE s.state = 'CLEARED' AND s.execution_date <= ? AND c.revoked_at IS NULL"
    f" AND c.outcome IN {PAYABLE!r} AND c.expires_at > ?"
    # Ids grow with time: who waits longest goes first, wherever its wallet's address sorts.
    " ORDER BY s.id LIMIT ?"
)
_WORKED = (
    "SELECT COUNT(*) FROM lane WHERE kind = 'operator' AND state = 'active' AND lease_until >= :now"
)


class _Cleared(NamedTuple):
    """A settlement that may be paid now."""

    id: str
    rail: str
    token: str
    debtor_wallet: str
    creditor_wallet: Address
    sequence: int
    amount_minor: int
    reference: Hash
    clearance_id: str
    expires_at: int
    decimals: int


@dataclass(slots=True)
class _Open:
    """A lane that takes more, and the batches that are dealt to it."""

    lease: Lease
    in_flight: int
    batches: list[list[_Cleared]] = field(default_factory=list)

    @property
    def load(self) -> int:
        return self.in_flight + len(self.batches)


def claim(
    session: Session, leases: Sequence[Lease], settings: Settings, *, ids: Ids, now: datetime
) -> int:
    """Turn cleared settlements into batches by debtor and token; return how many settlements.

    The oldest go first, each batch to the lane with the least in flight; there it stays for the
    life of this claim.

    Raises:
        LeaseLost: nothing is claimed, on no lane.
    """
    lanes = _open_lanes(session, leases, settings, now)
    if not lanes:
        return 0
    batches = _due(session, settings, now)
    return sum(
        _claim_on(session, lane.lease, lane.batches, settings, ids=ids, now=now)
        for lane in _dealt(batches[: _share(session, len(batches), lanes, now)], lanes, settings)
    )


def _open_lanes(
    session: Session, leases: Sequence[Lease], settings: Settings, now: datetime
) -> list[_Open]:
    """Lock the lanes, always in the same order; return those that are active and have room."""
    found = []
    for lease in sorted(leases, key=lambda lease: lease.signer):
        if renew(session, lease, now).state != "active":
            continue
        ((in_flight,),) = rows(session, _IN_FLIGHT, {"signer": lease.signer})
        if in_flight >= settings.lane_in_flight_max:
            continue
        if in_flight and _lacks_gas_money(session, lease):
            continue
        found.append(_Open(lease, in_flight))
    return found


def _due(session: Session, settings: Settings, now: datetime) -> list[list[_Cleared]]:
    """Lock what is cleared and due, and nobody else's; return it in batches, the oldest first."""
    lock = row_lock(session, "s")
    statement = _CLEARED + (f"{lock} SKIP LOCKED" if lock else "")
    values = (now.date().isoformat(), to_micros(now), settings.settlements_per_tick_max)
    cleared = [_Cleared._make(row) for row in rows(session, statement, values)]
    return _batches(cleared, settings.batch_payments_max)


def _share(session: Session, count: int, lanes: Sequence[_Open], now: datetime) -> int:
    """Return how many of `count` batches are for these lanes, beside those of other workers."""
    ((worked,),) = rows(session, _WORKED, {"now": to_micros(now)})
    return -(-count * len(lanes) // max(worked, len(lanes)))


def _dealt(
    batches: Sequence[list[_Cleared]], lanes: list[_Open], settings: Settings
) -> list[_Open]:
    """Give each batch to the lane with the least in flight, as long as one has room."""
    for batch in batches:
        lane = min(lanes, key=lambda lane: lane.load)  # The first of equals: always the same one.
        if lane.load >= settings.lane_in_flight_max:
            break
        lane.batches.append(batch)
    return [lane for lane in lanes if lane.batches]


def _claim_on(
    session: Session,
    lease: Lease,
    batches: Sequence[list[_Cleared]],
    settings: Settings,
    *,
    ids: Ids,
    now: datetime,
) -> int:
    """Give batches their nonces and fix their members; return how many."""
    first = take_nonces(session, lease, len(batches))
    chain_txs = [
        _chain_tx(batch, nonce, lease.signer, settings, ids=ids, now=now)
        for nonce, batch in enumerate(batches, start=first)
    ]
    insert_named(session, "chain_tx", chain_txs)
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


def _lacks_gas_money(session: Session, lease: Lease) -> bool:
    """Whether the node refuses what is claimed already: more would only wait until it expires."""
    values = {"signer": lease.signer, "outcome": SendOutcome.NO_GAS_MONEY.value}
    return bool(rows(session, _UNPAYABLE_GAS, values)[0][0])


def _batches(cleared: Sequence[_Cleared], payments_max: int) -> list[list[_Cleared]]:
    """Group rows into batches that the rail takes in one call; the one with the oldest first."""
    batches = []
    ordered = sorted(cleared, key=lambda row: (row.debtor_wallet, row.token, row.sequence))
    for _, group in groupby(ordered, key=lambda row: (row.debtor_wallet, row.token)):
        members = list(group)
        batches += [
            members[start : start + payments_max] for start in range(0, len(members), payments_max)
        ]
    return sorted(batches, key=lambda batch: min(row.id for row in batch))


def _chain_tx(
    batch: Sequence[_Cleared],
    nonce: int,
    signer: str,
    settings: Settings,
    *,
    ids: Ids,
    now: datetime,
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
