"""`SettlementRail` in Python: the same judgement in the same order, the same logs.

For a chain in memory. The contract's own tests prove the contract; the port suite compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from settlement.chain.memory.contract import (
    Arguments,
    Frame,
    Function,
    Reverted,
    answer_number,
    as_address,
    require,
    topic_of,
)
from settlement.chain.memory.registry import Registry
from settlement.chain.port import Address
from settlement.chain.rail_abi import (
    BALANCE_OF,
    MANDATE_REVOKED,
    MANDATE_SET,
    REJECTED,
    SETTLED,
    Rejection,
    address_word,
    selector,
    word,
)

TOKEN_GAS = 150_000
GAS_NEEDED = 180_000
_AMOUNT_LIMIT = 2**63
_BASE_LIMIT = 2**64 - 2**32
_DAY_SECONDS = 86_400
_EXPIRY_LIMIT = 2**40
_BATCH_GAS = 12_000
_PAYMENT_GAS = 1_500
_TRANSFER_FROM = selector("transferFrom(address,address,uint256)")
_PAY_CHECKED = selector("payChecked(address,address,address,uint256)")


@dataclass(slots=True)
class _Batch:
    """What holds for every payment of a batch."""

    token: Address
    debtor: Address
    is_checked: bool
    refusal: Rejection | None
    cap_per_payment: int
    left_today: int


class Rail(Registry):
    """Storage beside the registry's: mandate (caps and expiry), spent (day and sum), settled."""

    def settle(self, frame: Frame, words: Arguments) -> bytes:
        """Pay a batch."""
        require(not frame.load("paused") and frame.load("operator", frame.sender))
        token, debtor = words.address(0), words.address(1)
        deadline, base = words.number(2), words.number(3)
        start, count = words.list_start(4)
        require(frame.block.timestamp <= deadline and count and base <= _BASE_LIMIT)
        # The list must be there as a whole before anything is judged.
        words.number(start + 2 * count - 1)
        frame.gas.use(_BATCH_GAS)
        batch = self._open(frame, token, debtor)
        spent = 0
        for place in range(start, start + 2 * count, 2):
            spent += self._settle_one(
                frame, batch, base, words.number(place), words.hash(place + 1)
            )
        if spent:
            day = frame.block.timestamp // _DAY_SECONDS
            before = self._spent_today(frame, debtor, token)
            frame.store("spent", debtor, token, value=(day, before + spent))
        return b""

    def pay_checked(self, frame: Frame, words: Arguments) -> bytes:
        """Pay one payment in a checked token, or revert it alone."""
        require(frame.sender == frame.this)
        token, debtor, creditor = words.address(0), words.address(1), words.address(2)
        amount = words.number(3)
        before = [_balance(frame, token, holder) for holder in (debtor, creditor)]
        require(_transfer_from(frame, token, debtor, creditor, amount, frame.gas.left))
        after = [_balance(frame, token, holder) for holder in (debtor, creditor)]
        require(before[0] - after[0] == amount and after[1] - before[1] == amount)
        return b""

    def set_mandate(self, frame: Frame, words: Arguments) -> bytes:
        """Set the caller's mandate; what was taken today still counts."""
        token = words.address(0)
        caps = (words.number(1, 64), words.number(2, 64))
        expiry = words.number(3, 64)
        require(frame.load("kind", token))
        require(all(0 < cap < _AMOUNT_LIMIT for cap in caps))
        require(frame.block.timestamp <= expiry < _EXPIRY_LIMIT)
        frame.store("mandate", frame.sender, token, value=(*caps, expiry))
        topics = (MANDATE_SET, topic_of(frame.sender), topic_of(token))
        frame.emit(topics, word(caps[0]), word(caps[1]), word(expiry))
        return b""

    def revoke_mandate(self, frame: Frame, words: Arguments) -> bytes:
        """End the caller's mandate."""
        token = words.address(0)
        frame.store("mandate", frame.sender, token, value=(0, 0, 0))
        frame.emit((MANDATE_REVOKED, topic_of(frame.sender), topic_of(token)))
        return b""

    def mandate_of(self, frame: Frame, words: Arguments) -> bytes:
        """Return a mandate and what it leaves for the block's day."""
        debtor, token = words.address(0), words.address(1)
        per_payment, per_day, expiry = frame.load("mandate", debtor, token, default=(0, 0, 0))
        left = max(per_day - self._spent_today(frame, debtor, token), 0)
        if frame.block.timestamp > expiry:
            left = 0
        return b"".join(answer_number(each) for each in (per_payment, per_day, expiry, left))

    def is_settled(self, frame: Frame, words: Arguments) -> bytes:
        """Return whether a debtor's sequence has been paid."""
        return answer_number(frame.load("settled", words.address(0), words.number(1)))

    def _open(self, frame: Frame, token: Address, debtor: Address) -> _Batch:
        kind = frame.load("kind", token)
        require(kind == 2 or (kind == 1 and self.listed_code_is_unchanged(frame, token)))
        per_payment, per_day, expiry = frame.load("mandate", debtor, token, default=(0, 0, 0))
        refusal = None
        if not frame.load("participant", debtor):
            refusal = Rejection.DEBTOR_NOT_LISTED
        elif not per_day:
            refusal = Rejection.MANDATE_MISSING
        elif frame.block.timestamp > expiry:
            refusal = Rejection.MANDATE_EXPIRED
        left = max(per_day - self._spent_today(frame, debtor, token), 0)
        return _Batch(token, debtor, kind == 2, refusal, per_payment, left)

    def _settle_one(
        self, frame: Frame, batch: _Batch, base: int, terms: int, reference: str
    ) -> int:
        """Make or reject one payment and say so; return what was paid."""
        frame.gas.use(_PAYMENT_GAS)
        creditor = as_address(terms >> 96)
        amount = terms >> 32 & (2**64 - 1)
        sequence = base + (terms & (2**32 - 1))
        code = self._judge(frame, batch, sequence, creditor, amount)
        if code is None:
            code = self._pay(frame, batch, sequence, creditor, amount)
        topics = (topic_of(batch.debtor), topic_of(sequence), reference)
        words = (address_word(batch.token), address_word(creditor), word(amount))
        if code is None:
            frame.emit((SETTLED, *topics), *words)
            return amount
        frame.emit((REJECTED, *topics), *words, word(code))
        return 0

    def _judge(
        self, frame: Frame, batch: _Batch, sequence: int, creditor: Address, amount: int
    ) -> Rejection | None:
        if frame.load("settled", batch.debtor, sequence):
            return Rejection.ALREADY_SETTLED
        if not 0 < amount < _AMOUNT_LIMIT:
            return Rejection.AMOUNT_INVALID
        if batch.refusal is not None:
            return batch.refusal
        if not frame.load("participant", creditor) or creditor == batch.debtor:
            return Rejection.CREDITOR_NOT_LISTED
        if amount > batch.cap_per_payment:
            return Rejection.OVER_PAYMENT_CAP
        return Rejection.OVER_DAY_CAP if amount > batch.left_today else None

    def _pay(
        self, frame: Frame, batch: _Batch, sequence: int, creditor: Address, amount: int
    ) -> Rejection | None:
        if frame.gas.left < GAS_NEEDED:
            raise Reverted
        # Settled before any token moves; free again if the token refuses.
        frame.store("settled", batch.debtor, sequence, value=1)
        if batch.is_checked:
            words = [address_word(each) for each in (batch.token, batch.debtor, creditor)]
            data = bytes.fromhex(_PAY_CHECKED[2:] + "".join(words) + word(amount))
            paid = frame.call(frame.this, data, TOKEN_GAS) is not None
        else:
            paid = _transfer_from(frame, batch.token, batch.debtor, creditor, amount, TOKEN_GAS)
        if not paid:
            frame.store("settled", batch.debtor, sequence, value=0)
            return Rejection.TOKEN_REFUSED
        batch.left_today -= amount
        return None

    def _spent_today(self, frame: Frame, debtor: Address, token: Address) -> int:
        day, spent = frame.load("spent", debtor, token, default=(0, 0))
        return int(spent) if day == frame.block.timestamp // _DAY_SECONDS else 0

    functions: ClassVar[dict[bytes, Function]] = {}


def _transfer_from(
    frame: Frame, token: Address, debtor: Address, creditor: Address, amount: int, gas: int
) -> bool:
    """Ask a token to move money; true if it returned nothing or exactly true."""
    words = address_word(debtor) + address_word(creditor) + word(amount)
    answer = frame.call(token, bytes.fromhex(_TRANSFER_FROM[2:] + words), gas)
    if answer is None:
        return False
    return not answer or (len(answer) >= 32 and int.from_bytes(answer[:32], "big") == 1)


def _balance(frame: Frame, token: Address, holder: Address) -> int:
    answer = frame.call(token, bytes.fromhex(BALANCE_OF[2:] + address_word(holder)))
    require(answer is not None and len(answer) >= 32)
    assert answer is not None
    return int.from_bytes(answer[:32], "big")


Rail.functions = {
    bytes.fromhex(selector(signature)[2:]): function
    for signature, function in {
        "settle(address,address,uint256,uint256,(uint256,bytes32)[])": Rail.settle,
        "payChecked(address,address,address,uint256)": Rail.pay_checked,
        "setMandate(address,uint64,uint64,uint64)": Rail.set_mandate,
        "revokeMandate(address)": Rail.revoke_mandate,
        "mandateOf(address,address)": Rail.mandate_of,
        "isSettled(address,uint256)": Rail.is_settled,
        "listToken(address,uint8)": Rail.list_token,
        "unlistToken(address)": Rail.unlist_token,
        "listParticipants(address[])": Rail.list_participants,
        "unlistParticipants(address[])": Rail.unlist_participants,
        "setOperator(address,bool)": Rail.set_operator,
        "pause()": Rail.pause,
        "unpause()": Rail.unpause,
        "transferOwnership(address)": Rail.transfer_ownership,
        "acceptOwnership()": Rail.accept_ownership,
        "owner()": Rail.owner,
        "pendingOwner()": Rail.pending_owner,
        "tokenKind(address)": Rail.token_kind,
        "isParticipant(address)": Rail.is_participant,
        "isOperator(address)": Rail.is_operator,
        "paused()": Rail.paused,
    }.items()
}
