"""Healing a lane whose records lost touch with the chain: an old backup, or a key used elsewhere.

Rebuilds from the chain and the signer's memory; sends nothing and pays nobody. What was paid in the
lost time then ends by the ordinary steps of the worker.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, text
from sqlmodel import Session

from settlement import watcher
from settlement.chain.port import Address, ChainPort, Hash
from settlement.chain.signing import read_signed
from settlement.clock import Ids
from settlement.config import Settings
from settlement.errors import ChainContradicts, ChainUnreachable
from settlement.sender import recovery
from settlement.sender.lanes import Lease, lock_all, renew, set_state
from settlement.settlements import tracking
from settlement.settlements.tracking import record_chain_tx
from settlement.store import reading, transaction

FOLLOWS_MAX = 100_000
"""Passes of the watcher until every block is stored."""
LOOKS_MAX = 20
"""Times that a moving chain is looked at until nonce and blocks agree."""

_UNRECORDED = text(
    "SELECT r.tx_hash, r.block_number, b.timestamp FROM receipt r"
    " JOIN block b ON b.hash = r.block_hash AND b.canonical"
    " WHERE r.sender = :signer AND NOT EXISTS (SELECT 1 FROM attempt a WHERE a.hash = r.tx_hash)"
    " ORDER BY r.block_number, r.tx_index"
)
_OLDEST_OPEN = text(
    "SELECT MIN(nonce) FROM chain_tx WHERE signer = :signer AND state IN"
    " ('CLAIMED', 'SIGNED', 'SENT')"
)
_SEQUENCES = text(
    "INSERT INTO settlement_sequence (debtor_wallet, next_sequence)"
    " SELECT debtor, MAX(sequence) + 1 FROM chain_log"
    " WHERE name IN ('Settled', 'Rejected') AND sequence IS NOT NULL GROUP BY debtor"
    " ON CONFLICT (debtor_wallet) DO UPDATE SET next_sequence = excluded.next_sequence"
    " WHERE excluded.next_sequence > settlement_sequence.next_sequence"
)
_UNKNOWN = text(
    "SELECT l.tx_hash, l.debtor, l.creditor, l.token, l.amount_minor, l.sequence, l.reference"
    " FROM chain_log l JOIN block b ON b.hash = l.block_hash AND b.canonical"
    " WHERE l.name = 'Settled' AND l.pair_index IS NOT NULL"
    " AND NOT EXISTS (SELECT 1 FROM settlement s WHERE s.reference = l.reference)"
    " ORDER BY l.block_number, l.log_index"
)
_NEXT_NONCE = text(
    "UPDATE lane SET next_nonce = :following WHERE signer = :signer AND next_nonce < :following"
)
_CLOSE_UNSIGNED = text(
    "UPDATE chain_tx SET cancelling = true WHERE signer = :signer AND state = 'CLAIMED'"
    " AND nonce <= :last"
)


@dataclass(frozen=True, slots=True)
class UnknownPayment:
    """The chain shows that the rail paid it, and no settlement of ours has its reference."""

    tx_hash: Hash
    debtor_wallet: Address
    creditor_wallet: Address
    token: Address
    amount_minor: int
    sequence: int
    reference: str


@dataclass(frozen=True, slots=True)
class Healed:
    """What was written down anew, and what a person has to look at."""

    mined: int
    """Chain transactions of the signer that the records did not have."""
    recovered: tuple[str, ...]
    """Settlements that the chain shows in batches which the records had lost."""
    closed: int
    """Nonces that were signed in the lost time and never mined: no-ops will take them."""
    unknown: tuple[UnknownPayment, ...]
    unplaced: tuple[str, ...]
    """Settlements in those batches that do not fit the invoice, or another batch holds them."""
    next_nonce: int
    state: str
    """The lane's: active, or paused where something has to be looked at."""


def heal(
    engine: Engine,
    chain: ChainPort,
    lease: Lease,
    settings: Settings,
    *,
    ids: Ids,
    now: datetime,
    signed_through: int | None = None,
) -> Healed:
    """Bring a lane's records to where the chain is. Safe to run again.

    `signed_through`: the highest nonce in the signer's own memory.

    Raises:
        LeaseLost: another worker holds the lane; nothing is written.
        ChainUnreachable: the node cannot give its blocks or the signer's chain transactions.
        ForeignChain, ReorgTooDeep: this is not the chain of these records.
    """
    found = _unrecorded(engine, chain, lease, settings, now)
    with transaction(engine) as session:
        renew(session, lease, now)
        placed = [recovery.record(session, each, settings, ids=ids, now=now) for each in found]
        session.execute(_SEQUENCES)
        recovery.raise_sequences(session, [each.signed for each in found])
        if found:
            following = max(each.signed.nonce for each in found) + 1
            session.execute(_NEXT_NONCE, {"signer": lease.signer, "following": following})
        closed = _close(session, lease, signed_through, ids=ids, now=now)
        unknown = tuple(UnknownPayment(*row) for row in session.execute(_UNKNOWN))
        recovered = tuple(key for each in placed for key in each.recovered)
        unplaced = tuple(key for each in placed for key in each.unplaced)
        state, reason = "active", None
        if unknown or unplaced:
            state = "paused"
            reason = (
                f"healed; {len(unknown)} payments on the chain have no record and"
                f" {len(unplaced)} settlements could not be placed: look, then resume"
            )
        set_state(session, lease.signer, state, reason)
        row = renew(session, lease, now)
    _see(engine, now)
    return Healed(len(found), recovered, closed, unknown, unplaced, row.next_nonce, state)


def _see(engine: Engine, now: datetime) -> None:
    """Let what was written down stand in its block: the lane's worker may go on at once.

    What contradicts our records the worker finds as well, and halts with the reason.
    """
    with suppress(ChainContradicts), transaction(engine) as session:
        lock_all(session)
        tracking.see(session, now)


def _unrecorded(
    engine: Engine, chain: ChainPort, lease: Lease, settings: Settings, now: datetime
) -> list[recovery.Mined]:
    """Follow the chain to its end and return what was mined of the signer and is not stored."""
    signer = Address(lease.signer)
    for _ in range(LOOKS_MAX):
        _follow(engine, chain, settings, now)
        with reading(engine) as session:
            rows = session.execute(_UNRECORDED, {"signer": signer}).all()
            oldest = session.execute(_OLDEST_OPEN, {"signer": signer}).scalar()
            next_nonce = _next_nonce(session, signer)
        first = next_nonce if oldest is None else min(oldest, next_nonce)
        raws = chain.raw_transactions([Hash(row.tx_hash) for row in rows])
        for row, raw in zip(rows, raws, strict=True):
            if raw is None:
                raise ChainUnreachable(
                    f"the node does not give the signed bytes of {row.tx_hash}, which is of"
                    f" {signer} and in block {row.block_number}"
                )
        mined = [
            recovery.Mined(read_signed(raw), row.timestamp)
            for raw, row in zip(raws, rows, strict=True)
            if raw is not None
        ]
        # What the signer did before its lane was opened is none of the lane's.
        mined = [each for each in mined if each.signed.nonce >= first]
        highest = max((each.signed.nonce + 1 for each in mined), default=next_nonce)
        if chain.nonce(signer) <= max(highest, next_nonce):
            return mined
    raise ChainUnreachable("the chain moves faster than it can be read: try again")


def _follow(engine: Engine, chain: ChainPort, settings: Settings, now: datetime) -> None:
    for _ in range(FOLLOWS_MAX):
        with suppress(watcher.HeadMoved):  # A worker follows beside us: it came first.
            if not watcher.follow(engine, chain, settings, now).new_blocks:
                return


def _next_nonce(session: Session, signer: Address) -> int:
    found = session.execute(
        text("SELECT next_nonce FROM lane WHERE signer = :signer"), {"signer": signer}
    )
    return int(found.scalar_one())


def _close(
    session: Session, lease: Lease, signed_through: int | None, *, ids: Ids, now: datetime
) -> int:
    """Let no-ops take what the signer signed in the lost time: it signs nothing else there."""
    if signed_through is None:
        return 0
    values = {"signer": lease.signer, "last": signed_through}
    session.execute(_CLOSE_UNSIGNED, values)
    first = _next_nonce(session, Address(lease.signer))
    noops = [
        recovery.a_noop(lease.signer, nonce, ids=ids, now=now)
        for nonce in range(first, signed_through + 1)
    ]
    recovery.insert_chain_txs(session, noops)
    record_chain_tx(session, [str(row["id"]) for row in noops], "claim", now=now)
    session.execute(_NEXT_NONCE, {"signer": lease.signer, "following": signed_through + 1})
    return len(noops)
