"""One lane's way from cleared to sent: claim, sign, send, look after what is stuck.

Each step is one database transaction or one network call; a crash between any two is harmless.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, text

from settlement.chain.port import ChainPort, SendOutcome
from settlement.clock import Ids
from settlement.config import Settings
from settlement.errors import ChainContradicts
from settlement.sender import attempts, broadcast
from settlement.sender.claim import claim
from settlement.sender.lanes import Lease, set_state
from settlement.signer import Signer
from settlement.store import reading, transaction

ROUNDS_MAX = 64
"""Rounds of signing and of sending in one call; the rest waits for the next."""

_HIGHEST_USED = text(
    "SELECT l.next_nonce, (SELECT COUNT(*) FROM chain_tx c WHERE c.signer = l.signer"
    " AND c.nonce < :mined AND c.state IN ('CLAIMED', 'SIGNED', 'SENT')) AS unseen"
    " FROM lane l WHERE l.signer = :signer"
)
_REFUSED_NONCE = text(
    "SELECT COUNT(*) FROM chain_tx c JOIN attempt a ON a.chain_tx_id = c.id"
    " WHERE c.signer = :signer AND c.state IN ('SIGNED', 'SENT') AND a.outcome = :outcome"
)


@dataclass(slots=True)
class Moved:
    """What one call did: settlements claimed, chain transactions signed and sent."""

    claimed: int = 0
    signed: int = 0
    sent: int = 0


@dataclass(frozen=True, slots=True)
class Lane:
    """A signer's lane, under a lease."""

    engine: Engine
    chain: ChainPort
    signer: Signer
    lease: Lease
    settings: Settings

    def advance(self, *, ids: Ids, now: datetime) -> Moved:
        """Claim, sign and send what is due.

        Raises:
            LeaseLost: another worker goes on from what is stored.
            ChainContradicts: a nonce of ours was used by somebody else.
        """
        moved = Moved()
        with transaction(self.engine) as session:
            moved.claimed = claim(session, self.lease, self.settings, ids=ids, now=now)
        if not moved.claimed and not self._unfinished():
            return moved
        head = self.chain.head()
        for _ in range(ROUNDS_MAX):
            signed = self._sign(head.base_fee_wei, head.number, head.timestamp, now)
            moved.signed += signed
            if not signed:
                break
        for _ in range(ROUNDS_MAX):
            sent = self._send(head.number, head.timestamp, now)
            moved.sent += sent
            if not sent:
                break
        self._check_nonce()
        return moved

    def _unfinished(self) -> bool:
        with reading(self.engine) as session:
            return bool(
                session.connection()
                .execute(
                    text(
                        "SELECT EXISTS (SELECT 1 FROM chain_tx WHERE signer = :signer"
                        " AND state IN ('CLAIMED', 'SIGNED', 'SENT'))"
                    ),
                    {"signer": self.lease.signer},
                )
                .scalar()
            )

    def _sign(self, base_fee_wei: int, head: int, chain_time: int, now: datetime) -> int:
        with reading(self.engine) as session:
            wanted = attempts.first_attempts(
                session, self.lease, self.settings,
                base_fee_wei=base_fee_wei, chain_time=chain_time, now=now,
            ) or attempts.further_attempts(
                session, self.lease, self.settings,
                base_fee_wei=base_fee_wei, head=head, chain_time=chain_time, now=now,
            )  # fmt: skip
        if not wanted:
            return 0
        answers = self.signer.sign([each.request for each in wanted], now)
        with transaction(self.engine) as session:
            refusals = attempts.store(session, self.lease, wanted, answers, now)
        if refusals:
            # What may not be signed is for a person: a nonce must not be skipped.
            reason = f"the signer refused {refusals[0].chain_tx_id}: {refusals[0].reason}"
            with transaction(self.engine) as session:
                set_state(session, self.lease.signer, "halted", reason)
        return len(wanted) - len(refusals)

    def _send(self, head: int, chain_time: int, now: datetime) -> int:
        with reading(self.engine) as session:
            outgoing = broadcast.due(
                session, self.lease, self.settings, head=head, chain_time=chain_time, now=now
            )
        if not outgoing:
            return 0
        answers = self.chain.send([each.raw for each in outgoing])
        with transaction(self.engine) as session:
            broadcast.mark(session, self.lease, outgoing, answers, head=head, now=now)
        return len(outgoing)

    def _check_nonce(self) -> None:
        """Where the node says that a nonce is used, it has to be one of ours that was mined.

        Raises:
            ChainContradicts: the chain has more nonces of this signer than were ever claimed.
        """
        with reading(self.engine) as session:
            refused = (
                session.connection()
                .execute(
                    _REFUSED_NONCE,
                    {"signer": self.lease.signer, "outcome": SendOutcome.NONCE_USED.value},
                )
                .scalar_one()
            )
        if refused:
            require_own_nonces(self.engine, self.chain, self.lease.signer)


def require_own_nonces(engine: Engine, chain: ChainPort, signer: str) -> None:
    """Refuse to go on where the chain knows more of this signer than we do.

    Raises:
        ChainContradicts: the key is used elsewhere, or an old backup was restored.
    """
    mined = chain.nonce(signer)  # type: ignore[arg-type]
    with reading(engine) as session:
        row = (
            session.connection()
            .execute(_HIGHEST_USED, {"signer": signer, "mined": mined})
            .one_or_none()
        )
    if row is not None and mined > row.next_nonce:
        raise ChainContradicts(
            f"the chain has mined {mined} chain transactions of {signer}, our records know of"
            f" {row.next_nonce}: the key was used elsewhere, or an old backup was restored."
            " Run `settle lane heal` to rebuild the records from the chain; nothing is sent before"
        )
