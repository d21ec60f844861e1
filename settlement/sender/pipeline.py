"""One lane's way from claimed to sent: sign, send, look after what is stuck.

Each step is one database transaction or one network call; a crash between any two is harmless.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Engine

from settlement.chain.port import BlockRef, ChainPort
from settlement.config import Settings
from settlement.errors import Retryable
from settlement.sender import attempts, broadcast, concerns
from settlement.sender.attempts import Wanted
from settlement.sender.lanes import Lease, end_draining, held, renew, set_state
from settlement.sender.nonces import require_no_stolen_nonce
from settlement.signer import Refusal, Signature, Signer
from settlement.store import reading, transaction
from settlement.store.bulk import chunks, rows

SIGN_IN_ONE_CALL = 16
"""Chain transactions that the signer is asked for; the next ones while these are sent."""

ROUNDS_MAX = 64
"""Rounds of signing and of sending in one call; the rest waits for the next."""

_WORK = (
    "SELECT l.state, EXISTS (SELECT 1 FROM chain_tx c WHERE c.signer = l.signer"
    " AND c.state IN ('CLAIMED', 'SIGNED', 'SENT')) AS unfinished"
    " FROM lane l WHERE l.signer = :signer"
)


@dataclass(slots=True)
class Moved:
    """What one call did: chain transactions signed and sent."""

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

    def advance(self, now: datetime) -> Moved:
        """Sign and send what is due. A halted lane rests; one that drains may come to its end.

        Raises:
            LeaseLost: another worker goes on from what is stored.
            SignerUnreachable, and what else a signer says: what is stored was sent all the same.
            ChainContradicts: a nonce of ours was used by somebody else.
        """
        moved = Moved()
        if not self._has_work(now):
            self._note(None, now)
            return moved
        head = self.chain.head()
        unsigned: Retryable | None = None
        try:
            for _ in range(ROUNDS_MAX):
                if not self._sign(moved, head, now):
                    break
        except Retryable as error:
            unsigned = error
        for _ in range(ROUNDS_MAX):
            if not self._send(moved, head, now):
                break
        require_no_stolen_nonce(self.engine, self.chain, self.lease.signer)
        self._note(head, now)
        if unsigned is not None:
            raise unsigned
        return moved

    def _note(self, head: BlockRef | None, now: datetime) -> None:
        """Let the lane say what keeps it from getting on; a write only where that is news."""
        signer, words = self.lease.signer, None
        with reading(self.engine) as session:
            if head is not None:
                words = concerns.concern(
                    session, signer, self.settings, base_fee_wei=head.base_fee_wei
                )
            words = words or concerns.resting(session, self.lease)
            if not concerns.is_news(session, signer, words):
                return
        with transaction(self.engine) as session:
            renew(session, self.lease, now)
            concerns.note(session, signer, words)

    def _has_work(self, now: datetime) -> bool:
        with reading(self.engine) as session:
            ((state, unfinished),) = rows(session, _WORK, {"signer": self.lease.signer})
        if state == "draining" and not unfinished:
            with transaction(self.engine) as session:
                renew(session, self.lease, now)
                end_draining(session, self.lease.signer)
        return bool(unfinished) and state != "halted"

    def _sign(self, moved: Moved, head: BlockRef, now: datetime) -> bool:
        """Sign and store what lacks bytes; of many, send the first while the next are signed."""
        with reading(self.engine) as session:
            wanted = attempts.first_attempts(
                session, self.lease, self.settings,
                base_fee_wei=head.base_fee_wei, chain_time=head.timestamp, now=now,
            ) or attempts.further_attempts(
                session, self.lease, self.settings, base_fee_wei=head.base_fee_wei,
                head=head.number, chain_time=head.timestamp, now=now,
            )  # fmt: skip
        if not wanted:
            return False
        for asked, answers in self._answered(wanted, now):
            if not self._store(asked, answers, now):
                return False
            moved.signed += len(asked)
            if len(asked) < len(wanted):
                self._send(moved, head, now)
        return True

    def _store(
        self, asked: Sequence[Wanted], answers: Sequence[Signature | Refusal], now: datetime
    ) -> bool:
        """Store signed bytes; False where the signer refused some and the lane was halted."""
        with transaction(self.engine) as session:
            refusals = attempts.store(session, self.lease, asked, answers, now)
            if refusals:
                # What may not be signed is for a person: a nonce must not be skipped.
                reason = f"the signer refused {refusals[0].chain_tx_id}: {refusals[0].reason}"
                set_state(session, self.lease.signer, "halted", reason)
        return not refusals

    def _answered(
        self, wanted: Sequence[Wanted], now: datetime
    ) -> Iterator[tuple[list[Wanted], list[Signature | Refusal]]]:
        """Yield the signer's answers call by call, asking for the next in a thread meanwhile."""
        first, *others = chunks(wanted, SIGN_IN_ONE_CALL)
        if not others:
            yield self._ask(first, now)
            return
        with ThreadPoolExecutor(1, thread_name_prefix="signing") as ahead:
            coming = ahead.submit(self._ask, first, now)
            for following in others:
                answered = coming.result()
                coming = ahead.submit(self._ask, following, now)
                yield answered
            yield coming.result()

    def _ask(
        self, wanted: Sequence[Wanted], now: datetime
    ) -> tuple[list[Wanted], list[Signature | Refusal]]:
        """Ask the signer; where a clearance ended since we looked, ask for a cancel instead."""
        asked = list(wanted)
        answers = self.signer.sign([each.request for each in asked], now)
        ended = [
            place
            for place, answer in enumerate(answers)
            if isinstance(answer, Refusal) and answer.ended
        ]
        for place in ended:
            asked[place] = Wanted(replace(asked[place].request, as_cancel=True), "cancel")
        if ended:
            again = self.signer.sign([asked[place].request for place in ended], now)
            for place, answer in zip(ended, again, strict=True):
                answers[place] = answer
        return asked, answers

    def _send(self, moved: Moved, head: BlockRef, now: datetime) -> bool:
        """Send stored bytes that are due, as many as one call takes; False where nothing is."""
        with reading(self.engine) as session:
            # Who has lost the lane sends nothing more, not even what is stored.
            if held(session, self.lease).state == "halted":
                return False
            outgoing = broadcast.due(
                session, self.lease, self.settings,
                head=head.number, chain_time=head.timestamp, now=now,
            )  # fmt: skip
        if not outgoing:
            return False
        answers = self.chain.send([each.raw for each in outgoing])
        with transaction(self.engine) as session:
            broadcast.mark(session, self.lease, outgoing, answers, head=head.number, now=now)
        moved.sent += len(outgoing)
        return True
