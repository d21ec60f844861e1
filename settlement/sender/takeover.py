"""What is done with a lane that was just taken, before anything is claimed or signed on it.

Under the lane's lease; each step may be repeated, and killed in the middle. Sends nothing itself.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine, text
from sqlmodel import Session

from settlement.chain.port import Address, ChainPort
from settlement.clock import Ids
from settlement.sender import lanes, recovery
from settlement.sender.lanes import Lease
from settlement.sender.nonces import require_own_nonces
from settlement.settlements.tracking import record_chain_tx
from settlement.store import reading, transaction

_CLAIMED = text("SELECT nonce FROM chain_tx WHERE signer = :signer AND nonce >= :mined")
_FIRST = text("SELECT MIN(nonce) FROM chain_tx WHERE signer = :signer")
_SEND_AGAIN = text(
    "UPDATE attempt SET sent_block = NULL FROM chain_tx c WHERE c.id = attempt.chain_tx_id"
    " AND c.signer = :signer AND c.state IN ('SIGNED', 'SENT') AND attempt.sent_block IS NOT NULL"
)


def take_over(engine: Engine, chain: ChainPort, lease: Lease, *, ids: Ids, now: datetime) -> None:
    """Compare nonces with the chain, fill gaps, and let what is unmined go out again in order.

    A lane that is halted rests: whoever resumes it has looked at it.

    Raises:
        LeaseLost: another worker has the lane by now.
        ChainContradicts: the chain has more of this signer than we claimed.
        ChainUnreachable: the node did not answer.
    """
    with reading(engine) as session:
        if lanes.held(session, lease).state == "halted":
            return
    mined = require_own_nonces(engine, chain, lease.signer)
    with transaction(engine) as session:
        row = lanes.renew(session, lease, now)
        _fill_gaps(session, lease, mined, row.next_nonce, ids=ids, now=now)
        # What the one before us sent may be in no pool any more. The stored bytes, not new ones.
        session.connection().execute(_SEND_AGAIN, {"signer": lease.signer})


def _fill_gaps(
    session: Session, lease: Lease, mined: int, next_nonce: int, *, ids: Ids, now: datetime
) -> None:
    """Let no-ops take nonces that are given out and belong to nothing: those after them wait."""
    values = {"signer": lease.signer, "mined": mined}
    first = session.connection().execute(_FIRST, {"signer": lease.signer}).scalar()
    if first is None:
        return  # Nothing was ever claimed: where the lane began is not a gap.
    claimed = set(session.connection().execute(_CLAIMED, values).scalars())
    noops = [
        recovery.a_noop(Address(lease.signer), nonce, ids=ids, now=now)
        for nonce in range(max(mined, first), next_nonce)
        if nonce not in claimed
    ]
    recovery.insert_chain_txs(session, noops)
    keys = [str(noop["id"]) for noop in noops]
    record_chain_tx(session, keys, "claim", now=now, reason="it closes a gap in the nonces")
