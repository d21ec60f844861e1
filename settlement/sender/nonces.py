"""Nonces of ours that the chain says are used: each has to be one that we stored bytes for.

Reads and refuses; `heal` repairs.
"""

from __future__ import annotations

from sqlalchemy import Engine, text

from settlement import watcher
from settlement.chain.port import Address, ChainPort, SendOutcome
from settlement.errors import ChainContradicts
from settlement.store import reading
from settlement.store.bulk import rows

TRIES = 2
"""Times that the node has to call a nonce used: one word of one node may be of a passing branch."""

_NEXT = text("SELECT next_nonce FROM lane WHERE signer = :signer")
_REFUSED = (
    # Not the column alone: the index by nonce would lead through all that the lane ever sent.
    "SELECT DISTINCT +c.nonce AS nonce FROM chain_tx c JOIN attempt a ON a.chain_tx_id = c.id"
    " WHERE c.signer = :signer AND c.state IN ('SIGNED', 'SENT') AND a.outcome = :outcome"
    " AND a.send_count >= :tries"
    # One of ours may have been stored since the blocks were followed.
    " AND NOT EXISTS (SELECT 1 FROM attempt x JOIN receipt r ON r.tx_hash = x.hash"
    "   WHERE x.chain_tx_id = c.id) ORDER BY 1"
)
_REPAIR = "run `settle lane heal` to rebuild the records from the chain; nothing is sent before"


def require_own_nonces(engine: Engine, chain: ChainPort, signer: str) -> int:
    """Refuse to go on where the chain has more chain transactions of this signer than we claimed.

    Return how many it has mined.

    Raises:
        ChainContradicts: the key is used elsewhere, or an old backup was restored.
    """
    mined = chain.nonce(Address(signer))
    with reading(engine) as session:
        following = session.connection().execute(_NEXT, {"signer": signer}).scalar()
    if following is not None and mined > following:
        raise ChainContradicts(
            f"the chain has mined {mined} chain transactions of {signer}, our records know of"
            f" {following}: the key was used elsewhere, or an old backup was restored: {_REPAIR}"
        )
    return mined


def require_no_stolen_nonce(engine: Engine, chain: ChainPort, signer: str) -> None:
    """Refuse to go on where a nonce of ours was mined with bytes that we never stored.

    Judges only what the node refused as used, and only when every block up to the node's newest
    has been followed: until then one of our own attempts may be in a block not yet seen.

    Raises:
        ChainContradicts: the key is used elsewhere, or an old backup was restored.
    """
    with reading(engine) as session:
        used = {"signer": signer, "outcome": SendOutcome.NONCE_USED.value, "tries": TRIES}
        refused = [nonce for (nonce,) in rows(session, _REFUSED, used)]
        tip = watcher.head(session)
    if not refused:
        return
    require_own_nonces(engine, chain, signer)
    before, mined, after = chain.head(), chain.nonce(Address(signer)), chain.head()
    if tip is None or not before.hash == after.hash == tip.hash:
        return
    stolen = [nonce for nonce in refused if nonce < mined]
    if stolen:
        raise ChainContradicts(
            f"nonce {stolen[0]} of {signer} was mined with bytes that we never stored: the key was"
            f" used elsewhere, or an old backup was restored: {_REPAIR}"
        )
