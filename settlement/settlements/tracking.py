"""Following chain transactions: seen in a block, orphaned by a reorg. Provisional until `finality`.

Reads only facts that the watcher stored; asks no node.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlmodel import Session

from settlement.chain.rail_abi import Rejection
from settlement.clock import to_micros
from settlement.errors import ChainContradicts
from settlement.settlements.moves import move_where
from settlement.states import CHAIN_TX_MOVES, ChainTxState, sources
from settlement.store.bulk import insert_rows, rows, run_many

_NOTHING_SEEN = (
    ", outcome = NULL, outcome_code = NULL, block_number = NULL, block_hash = NULL,"
    " tx_hash = NULL, log_index = NULL"
)

_SEE_CHAIN_TX = (
    "UPDATE chain_tx SET state = 'SEEN', tx_hash = r.tx_hash, block_number = r.block_number,"
    " block_hash = r.block_hash, outcome = CASE WHEN a.kind IN ('cancel', 'foreign')"
    " THEN 'replaced'"
    " WHEN r.status = 0 THEN 'reverted' ELSE 'done' END"
    " FROM attempt a JOIN receipt r ON r.tx_hash = a.hash"
    " JOIN block b ON b.hash = r.block_hash AND b.canonical"
    " WHERE a.chain_tx_id = chain_tx.id AND chain_tx.state IN ('SIGNED', 'SENT')"
    " RETURNING chain_tx.id"
)

_SEE_MEMBERS = """
    FROM (
        SELECT s.id, c.outcome AS tx_outcome, c.block_number, c.block_hash, c.tx_hash,
               l.name, l.code, l.pair_index, l.log_index
        FROM chain_tx c
        JOIN batch_member m ON m.chain_tx_id = c.id AND m.live
        JOIN settlement s ON s.id = m.settlement_id
        -- By reference: a batch has hundreds of logs, a reference one or two.
        LEFT JOIN chain_log l ON l.reference = s.reference
             AND (l.block_hash || '') = c.block_hash AND (l.tx_hash || '') = c.tx_hash
             AND l.name IN ('Settled', 'Rejected')
        WHERE c.state = 'SEEN' AND s.state IN ('CLAIMED', 'SUBMITTED')
    ) x
"""
_SEEN_COLUMNS = """,
    block_number = x.block_number, block_hash = x.block_hash, tx_hash = x.tx_hash,
    log_index = x.log_index, outcome_code = x.code,
    outcome = CASE
        WHEN x.tx_outcome <> 'done' THEN x.tx_outcome
        WHEN x.name = 'Settled' AND x.pair_index IS NOT NULL THEN 'paid'
        WHEN x.name = 'Settled' THEN 'unpaired'
        WHEN x.name = 'Rejected' THEN 'rejected'
        ELSE 'missing' END
"""

_ALREADY_SETTLED = text(
    "SELECT s.id, s.reference, l.reference AS other, l.block_number, l.block_hash, l.tx_hash,"
    " l.log_index, l.pair_index FROM settlement s"
    " LEFT JOIN (SELECT g.* FROM chain_log g JOIN block b ON b.hash = g.block_hash AND b.canonical"
    "   WHERE g.name = 'Settled') l ON l.debtor = s.debtor_wallet AND l.sequence = s.sequence"
    " WHERE s.state = 'CONFIRMING' AND s.outcome = 'rejected' AND s.outcome_code = :already"
)
_PAID_ELSEWHERE = text(
    "UPDATE settlement SET outcome = 'paid', outcome_code = NULL, block_number = :block_number,"
    " block_hash = :block_hash, tx_hash = :tx_hash, log_index = :log_index,"
    " version = version + 1 WHERE id = :id AND state = 'CONFIRMING'"
)

_ORPHANED_CHAIN_TX = (
    "UPDATE chain_tx SET state = 'SENT', outcome = NULL, tx_hash = NULL, block_number = NULL,"
    " block_hash = NULL FROM block b WHERE b.hash = chain_tx.block_hash AND NOT b.canonical"
    " AND chain_tx.state = 'SEEN' RETURNING chain_tx.id"
)
_RESEND_AT_ONCE = (
    "UPDATE attempt SET sent_block = NULL FROM chain_tx c"
    " WHERE c.id = attempt.chain_tx_id AND c.id = :id"
)
_CHAIN_TX_EVENT = ("chain_tx_id", "move", "state", "reason", "at")


def see(session: Session, now: datetime) -> int:
    """Move what stands in a canonical block to SEEN and CONFIRMING; return how many settlements.

    Raises:
        ChainContradicts: a sequence of ours was paid under another reference.
    """
    seen = [key for (key,) in rows(session, _SEE_CHAIN_TX)]
    record_chain_tx(session, seen, "see", now=now)
    moved = move_where(
        session,
        "seen",
        "settlement.id = x.id",
        {},
        changes=_SEEN_COLUMNS,
        source=_SEE_MEMBERS,
        actor="chain",
        now=now,
    )
    if moved:
        _follow_already_settled(session)
    return len(moved)


def unwind(session: Session, now: datetime) -> int:
    """Return to SENT and SUBMITTED what stood in a block that is canonical no more."""
    orphaned = [key for (key,) in rows(session, _ORPHANED_CHAIN_TX)]
    record_chain_tx(session, orphaned, "orphan", now=now)
    if orphaned:
        # The node forgets what a reorg threw out: the stored bytes go out again at once.
        run_many(session, _RESEND_AT_ONCE, [{"id": key} for key in orphaned])
    moved = move_where(
        session,
        "orphaned",
        "b.hash = settlement.block_hash AND NOT b.canonical",
        {},
        changes=_NOTHING_SEEN,
        source="FROM block b",
        actor="chain",
        now=now,
        reason="its block was orphaned",
    )
    return len(moved)


def record_chain_tx(
    session: Session,
    chain_tx_ids: Sequence[str],
    move: str,
    *,
    now: datetime,
    reason: str | None = None,
) -> None:
    """Write the event rows of chain transactions that made `move`."""
    if not chain_tx_ids:
        return
    ends = set(sources(CHAIN_TX_MOVES, move).values()) or {ChainTxState.CLAIMED}
    (end,) = ends  # A move that starts nowhere is the first one: the claim.
    at = to_micros(now)
    insert_rows(
        session,
        "chain_tx_event",
        _CHAIN_TX_EVENT,
        [(key, move, end.value, reason, at) for key in chain_tx_ids],
    )


def _follow_already_settled(session: Session) -> None:
    """`AlreadySettled` reopens nothing: the payment that came first is looked up and counts."""
    found = (
        session.connection()
        .execute(_ALREADY_SETTLED, {"already": int(Rejection.ALREADY_SETTLED)})
        .all()
    )
    for row in found:
        if row.other is not None and row.other != row.reference:
            raise ChainContradicts(
                f"settlement {row.id}: the rail says that its sequence is paid, under reference"
                f" {row.other} in chain transaction {row.tx_hash}. Somebody else used the sequence,"
                " or an old backup was restored: nothing more is sent on this lane"
            )
        if row.other is None or row.pair_index is None:
            continue  # The other log is not here yet, or not a payment: reviewed when final.
        session.connection().execute(_PAID_ELSEWHERE, dict(row._mapping))
