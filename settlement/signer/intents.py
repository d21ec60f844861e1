"""The signer itself: reads intent, members, clearances on its own connection, and signs.

Builds the call anew from the members; what is stored as calldata is only compared with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from settlement.chain.keccak import keccak
from settlement.chain.port import Address
from settlement.chain.signing import UnsignedChainTx, unsigned_eip1559
from settlement.signer import coverage, registry
from settlement.signer.coverage import NotCovered
from settlement.signer.limits import CHANGES, SigningLimits, in_minor
from settlement.signer.port import (
    KeyHolder,
    Refusal,
    Signature,
    SignatureInvalid,
    SigningRequest,
)
from settlement.signer.records import HasUrl, Intent, Member, Records
from settlement.signer.slots import SlotStore, Spending, Taken, Wanted

__all__ = ["IntentSigner", "SigningLimits"]

_NOOP_GAS = 21_000


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request that may be signed, if the slot allows it."""

    place: int
    intent: Intent
    calldata: bytes
    wanted: Wanted


class IntentSigner:
    """Implements `Signer` in this process. The records must be a connection of its own."""

    def __init__(
        self, records: Records | HasUrl, key: KeyHolder, slots: SlotStore, limits: SigningLimits
    ) -> None:
        self._records = records if isinstance(records, Records) else Records.beside(records)
        self._key, self._slots, self._limits = key, slots, limits

    @property
    def address(self) -> Address:
        """The signer's address."""
        return self._key.address

    def close(self) -> None:
        """Close the connection to the records."""
        self._records.close()

    def signed_through(self) -> int | None:
        """See `Signer.signed_through`."""
        return self._slots.highest(self.address)

    def sign(self, requests: Sequence[SigningRequest], now: datetime) -> list[Signature | Refusal]:
        """Sign each request that live clearances cover; refuse the others, with the reason.

        Raises:
            Retryable: records, memory or key cannot be reached; nothing has left the signer.
        """
        keys = [each.chain_tx_id for each in requests]
        intents, members = self._records.intents(keys)
        changes = self._records.changes(keys) if self._limits.signs == CHANGES else {}
        answers: dict[int, Signature | Refusal] = {}
        asked: list[_Asked] = []
        for place, request in enumerate(requests):
            key = request.chain_tx_id
            try:
                intent = coverage.require_own(intents.get(key), request, self.address, self._limits)
                fees = (request.max_fee_wei, request.priority_fee_wei)
                if request.as_cancel or intent.kind == "noop":
                    asked.append(_Asked(place, intent, b"", Wanted(intent.nonce, "", *fees)))
                elif self._limits.signs == CHANGES:
                    calldata = registry.call(intent, changes.get(key, ()), self._limits)
                    asked.append(self._asked(place, intent, calldata, fees, None))
                else:
                    asked.append(self._payment(place, intent, members.get(key, ()), fees, now))
            except NotCovered as error:
                answers[place] = Refusal(key, str(error), error.ended)
        answers |= self._signed(asked, now.astimezone(UTC).date().isoformat())
        return [answers[place] for place in range(len(requests))]

    def _payment(
        self,
        place: int,
        intent: Intent,
        members: Sequence[Member],
        fees: tuple[int, int],
        now: datetime,
    ) -> _Asked:
        calldata = coverage.call(intent, members, self._limits, now)
        total = coverage.require_within(intent, members, self._limits)
        return self._asked(place, intent, calldata, fees, self._spending(intent, total))

    def _asked(
        self,
        place: int,
        intent: Intent,
        calldata: bytes,
        fees: tuple[int, int],
        spending: Spending | None,
    ) -> _Asked:
        content = f"{intent.to_address}:{intent.gas_limit}:".encode() + calldata
        wanted = Wanted(intent.nonce, keccak(content).hex(), *fees, spending)
        return _Asked(place, intent, calldata, wanted)

    def _spending(self, intent: Intent, total_minor: int) -> Spending:
        assert intent.token and intent.debtor_wallet and intent.decimals is not None
        # Another number of decimals would move every limit by powers of ten.
        known = self._slots.pinned(f"decimals:{intent.token}", str(intent.decimals))
        if known != str(intent.decimals):
            raise NotCovered(f"{intent.token} had {known} decimals when this signer first saw it")
        amounts = self._limits.of(intent.token)
        return Spending(
            intent.token,
            intent.debtor_wallet,
            total_minor,
            in_minor(amounts.day_units, intent.decimals),
            in_minor(amounts.debtor_day_units, intent.decimals),
        )

    def _signed(self, asked: Sequence[_Asked], day: str) -> dict[int, Signature | Refusal]:
        """Take the slots, sign, remember: in this order, so that nothing leaves unremembered."""
        if not asked:
            return {}
        answers: dict[int, Signature | Refusal] = {}
        ready: list[tuple[_Asked, Taken, UnsignedChainTx, bytes]] = []
        slots = self._slots.take(self.address, [each.wanted for each in asked], day)
        for each, taken in zip(asked, slots, strict=True):
            if isinstance(taken, str):
                answers[each.place] = Refusal(each.intent.id, taken)
                continue
            unsigned = self._unsigned(each, taken)
            try:
                signature = taken.signature or self._key.sign(unsigned.payload)
            except SignatureInvalid as error:
                answers[each.place] = Refusal(each.intent.id, str(error))
                continue
            ready.append((each, taken, unsigned, signature))
        kept = self._slots.keep(
            self.address, [(each.wanted, taken, made) for each, taken, _, made in ready]
        )
        for (each, taken, unsigned, _), signature in zip(ready, kept, strict=True):
            raw, tx_hash = unsigned.with_signature(signature)
            answers[each.place] = Signature(
                each.intent.id, tx_hash, raw, taken.max_fee_wei, taken.priority_fee_wei
            )
        return answers

    def _unsigned(self, asked: _Asked, taken: Taken) -> UnsignedChainTx:
        noop = asked.wanted.is_cancel
        return unsigned_eip1559(
            chain_id=self._limits.chain_id,
            nonce=asked.intent.nonce,
            to=self.address if noop else Address(asked.intent.to_address),
            data=asked.calldata,
            gas_limit=_NOOP_GAS if noop else asked.intent.gas_limit,
            max_fee_wei=taken.max_fee_wei,
            max_priority_fee_wei=taken.priority_fee_wei,
        )
