"""The signer in this process: reads intent, members, clearances on its own connection, and signs.

Builds the call anew from the members; what is stored as calldata is only compared with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, bindparam, text

from settlement.chain.keccak import keccak
from settlement.chain.port import Address
from settlement.chain.rail_abi import (
    PaymentTerms,
    payment_reference,
    reference_prefix,
    settle_calldata,
)
from settlement.chain.signing import KeyPair, sign_eip1559
from settlement.clock import to_micros, uuid_bytes
from settlement.compliance.clearance import PAYABLE
from settlement.signer.port import Refusal, Signature, SigningRequest
from settlement.signer.slots import SlotStore
from settlement.store import reading

_NOOP_GAS = 21_000

_INTENTS = text(
    "SELECT id, signer, nonce, kind, to_address, calldata, token, debtor_wallet, deadline,"
    " gas_limit, member_count FROM chain_tx WHERE id IN :ids"
).bindparams(bindparam("ids", expanding=True))
_MEMBERS = text(
    "SELECT m.chain_tx_id, s.id, s.rail, s.token, s.debtor_wallet, s.creditor_wallet, s.sequence,"
    " s.amount_minor, s.reference, s.document_sha256, c.settlement_id AS cleared_id, c.outcome,"
    " c.expires_at, c.revoked_at, c.debtor_wallet AS cleared_debtor,"
    " c.creditor_wallet AS cleared_creditor, c.token AS cleared_token,"
    " c.amount_minor AS cleared_minor, c.reference AS cleared_reference"
    " FROM batch_member m JOIN settlement s ON s.id = m.settlement_id"
    " LEFT JOIN clearance c ON c.id = m.clearance_id"
    " WHERE m.chain_tx_id IN :ids AND m.live ORDER BY m.chain_tx_id, m.position"
).bindparams(bindparam("ids", expanding=True))


@dataclass(frozen=True, slots=True)
class SigningLimits:
    """What this signer signs for at all."""

    chain_id: int
    rail: Address
    max_fee_wei: int
    gas_limit: int


class NotCovered(Exception):
    """No live clearance covers what is asked; inside this module only."""

    ended = False


class Ended(NotCovered):
    """It was covered, until a clearance expired or was revoked."""

    ended = True


class IntentSigner:
    """Implements `Signer` with a key in memory. The engine must be a connection of its own."""

    def __init__(
        self, engine: Engine, keys: KeyPair, slots: SlotStore, limits: SigningLimits
    ) -> None:
        self._engine, self._keys, self._slots, self._limits = engine, keys, slots, limits

    @property
    def address(self) -> Address:
        """The signer's address."""
        return self._keys.address

    def signed_through(self) -> int | None:
        """See `Signer.signed_through`."""
        return self._slots.highest(self.address)

    def sign(self, requests: Sequence[SigningRequest], now: datetime) -> list[Signature | Refusal]:
        """Sign each request that live clearances cover; refuse the others, with the reason."""
        ids = [request.chain_tx_id for request in requests]
        with reading(self._engine) as session:
            connection = session.connection()
            intents = {row.id: row for row in connection.execute(_INTENTS, {"ids": ids})}
            members: dict[str, list[Any]] = {}
            for row in connection.execute(_MEMBERS, {"ids": ids}):
                members.setdefault(row.chain_tx_id, []).append(row)
        answers: dict[int, Signature | Refusal] = {}
        ready: list[tuple[int, SigningRequest, Any, bytes]] = []
        for place, request in enumerate(requests):
            try:
                intent = self._intent(intents.get(request.chain_tx_id), request)
                data = (
                    b""
                    if request.as_cancel
                    else self._data(intent, members.get(request.chain_tx_id, []), now)
                )
                ready.append((place, request, intent, data))
            except NotCovered as error:
                answers[place] = Refusal(request.chain_tx_id, str(error), error.ended)
        wanted = [
            (intent.nonce, keccak(intent.to_address.encode() + data).hex(), request.as_cancel)
            for _, request, intent, data in ready
        ]
        refusals = self._slots.take(self.address, wanted) if wanted else []
        for (place, request, intent, data), refusal in zip(ready, refusals, strict=True):
            answers[place] = (
                Refusal(request.chain_tx_id, refusal)
                if refusal
                else self._signature(request, intent, data)
            )
        return [answers[place] for place in range(len(requests))]

    def _intent(self, intent: Any, request: SigningRequest) -> Any:
        """Check what does not depend on members."""
        if intent is None:
            raise NotCovered("no such chain transaction is stored")
        if intent.signer != self.address:
            raise NotCovered(f"it belongs to the lane of {intent.signer}")
        if not 0 < request.priority_fee_wei <= request.max_fee_wei <= self._limits.max_fee_wei:
            raise NotCovered(f"a fee of {request.max_fee_wei} wei is outside this signer's limit")
        if intent.gas_limit > self._limits.gas_limit:
            raise NotCovered(f"{intent.gas_limit} gas is outside this signer's limit")
        return intent

    def _data(self, intent: Any, members: Sequence[Any], now: datetime) -> bytes:
        """Build the call from the members, each covered by a live clearance.

        Raises:
            NotCovered: a clearance is missing, dead, or for other terms; the stored call differs.
        """
        if intent.kind == "noop":
            return b""
        if intent.kind != "pay" or intent.to_address != self._limits.rail:
            raise NotCovered("only payments through the rail are signed here")
        if not members or len(members) != intent.member_count:
            raise NotCovered(f"{len(members)} of {intent.member_count} members are live")
        deadline = intent.deadline
        if deadline * 1_000_000 <= to_micros(now):
            raise Ended("its deadline has passed")
        prefix = reference_prefix(
            chain_id=self._limits.chain_id,
            rail=self._limits.rail,
            token=intent.token,
            debtor=intent.debtor_wallet,
        )
        payments = [self._payment(intent, member, prefix, deadline) for member in members]
        data = settle_calldata(
            token=intent.token, debtor=intent.debtor_wallet, deadline=deadline, payments=payments
        )
        if data != intent.calldata:
            raise NotCovered("the stored call is not what its members say")
        return data

    def _payment(self, intent: Any, member: Any, prefix: bytes, deadline: int) -> PaymentTerms:
        if member.outcome not in PAYABLE:
            raise NotCovered(f"settlement {member.id} has no clearance that allows it")
        if member.revoked_at is not None:
            raise Ended(f"the clearance of {member.id} was revoked")
        if member.expires_at < deadline * 1_000_000:
            raise NotCovered(f"the clearance of {member.id} expires before the deadline")
        terms = (
            member.id,
            member.debtor_wallet,
            member.creditor_wallet,
            member.token,
            member.amount_minor,
            member.reference,
        )
        cleared = (
            member.cleared_id,
            member.cleared_debtor,
            member.cleared_creditor,
            member.cleared_token,
            member.cleared_minor,
            member.cleared_reference,
        )
        if terms != cleared or (member.token, member.debtor_wallet, member.rail) != (
            intent.token,
            intent.debtor_wallet,
            self._limits.rail,
        ):
            raise NotCovered(f"the clearance of {member.id} is for other terms")
        reference = payment_reference(
            prefix,
            sequence=member.sequence,
            creditor=member.creditor_wallet,
            amount_minor=member.amount_minor,
            document_hash=member.document_sha256,
            settlement_uuid=uuid_bytes(member.id),
        )
        if reference != member.reference:
            raise NotCovered(f"the reference of {member.id} does not commit to its terms")
        return PaymentTerms(member.sequence, member.creditor_wallet, member.amount_minor, reference)

    def _signature(self, request: SigningRequest, intent: Any, data: bytes) -> Signature:
        noop = request.as_cancel or intent.kind == "noop"
        raw, tx_hash = sign_eip1559(
            self._keys.key,
            chain_id=self._limits.chain_id,
            nonce=intent.nonce,
            to=self.address if noop else intent.to_address,
            data=data,
            gas_limit=_NOOP_GAS if noop else intent.gas_limit,
            max_fee_wei=request.max_fee_wei,
            max_priority_fee_wei=request.priority_fee_wei,
        )
        return Signature(request.chain_tx_id, tx_hash, raw)
