"""The chain transactions of a trace, with their moves and every attempt at each.

Asks no node.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlmodel import Session

from settlement.clock import from_micros
from settlement.money import Money, Unit
from settlement.trace.journey import AttemptStep, ChainTxStep, Move
from settlement.trace.reading import moment, moves, rows_of

_BATCHES = (
    "SELECT m.settlement_id, m.chain_tx_id FROM batch_member m"
    " JOIN chain_tx c ON c.id = m.chain_tx_id"
    " WHERE m.settlement_id IN :keys ORDER BY c.created_at, c.id"
)
_CHAIN_TXS = (
    "SELECT c.*, t.symbol, t.decimals FROM chain_tx c LEFT JOIN token t ON t.address = c.token"
    " WHERE c.id IN :keys ORDER BY c.created_at, c.id"
)
_ATTEMPTS = (
    "SELECT hash, chain_tx_id, kind, created_at, first_sent_at, last_sent_at, send_count, outcome"
    " FROM attempt WHERE chain_tx_id IN :keys ORDER BY chain_tx_id, created_seq"
)


def batches(session: Session, settlement_ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return, by settlement, the chain transactions that it had a place in, oldest first."""
    found: dict[str, list[str]] = defaultdict(list)
    for settlement_id, chain_tx_id in rows_of(session, _BATCHES, settlement_ids):
        found[settlement_id].append(chain_tx_id)
    return {key: tuple(ids) for key, ids in found.items()}


def chain_tx_of_attempt(session: Session, tx_hash: str) -> tuple[str, ...]:
    """Return the chain transaction that an attempt's hash belongs to, if any."""
    rows = rows_of(session, "SELECT chain_tx_id FROM attempt WHERE hash IN :keys", [tx_hash])
    return tuple(row.chain_tx_id for row in rows)


def chain_txs(
    session: Session, keys: Sequence[str], *, with_totals: bool
) -> tuple[ChainTxStep, ...]:
    """Return chain transactions, oldest first; `with_totals` shows what others in it are paid."""
    attempts: dict[str, list[Any]] = defaultdict(list)
    for row in rows_of(session, _ATTEMPTS, keys):
        attempts[row.chain_tx_id].append(row)
    moves_of = moves(session, "chain_tx", keys)
    return tuple(
        _chain_tx(row, attempts[row.id], moves_of.get(row.id, ()), with_totals)
        for row in rows_of(session, _CHAIN_TXS, keys)
    )


def _chain_tx(
    row: Any, attempts: list[Any], moves_of: tuple[Move, ...], with_totals: bool
) -> ChainTxStep:
    total = None
    if with_totals and row.symbol is not None:
        total = Money(row.total_minor, Unit(row.symbol, row.decimals))
    return ChainTxStep(
        id=row.id,
        signer=row.signer,
        nonce=row.nonce,
        kind=row.kind,
        state=row.state,
        outcome=row.outcome,
        member_count=row.member_count if with_totals else None,
        total=total,
        deadline=datetime.fromtimestamp(row.deadline, UTC),
        booking_depth=row.depth,
        block_number=row.block_number,
        block_hash=row.block_hash,
        tx_hash=row.tx_hash,
        moves=moves_of,
        attempts=tuple(
            AttemptStep(
                hash=attempt.hash,
                kind=attempt.kind,
                created_at=from_micros(attempt.created_at),
                first_sent_at=moment(attempt.first_sent_at),
                last_sent_at=moment(attempt.last_sent_at),
                send_count=attempt.send_count,
                outcome=attempt.outcome,
                mined=attempt.hash == row.tx_hash,
            )
            for attempt in attempts
        ),
    )
