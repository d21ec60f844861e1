"""The rail's and the token's words on the wire: selectors, topics, calldata, references; by hand.

Pure encoding and decoding; asks no node. The shapes are those of `contracts/src/interfaces`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from settlement.chain.keccak import keccak
from settlement.chain.port import Address, Hash


class Rejection(IntEnum):
    """Why the rail did not make one payment of a batch. Source: ISettlementRail.Rejection."""

    ALREADY_SETTLED = 1
    MANDATE_MISSING = 2
    MANDATE_EXPIRED = 3
    OVER_PAYMENT_CAP = 4
    OVER_DAY_CAP = 5
    DEBTOR_NOT_LISTED = 6
    CREDITOR_NOT_LISTED = 7
    TOKEN_REFUSED = 8
    AMOUNT_INVALID = 9


@dataclass(frozen=True, slots=True)
class PaymentTerms:
    """One payment of a batch as the rail takes it."""

    sequence: int
    creditor: Address
    amount_minor: int
    reference: Hash


@dataclass(frozen=True, slots=True)
class SettleCall:
    """A call of `settle`, taken apart."""

    token: Address
    debtor: Address
    deadline: int
    payments: tuple[PaymentTerms, ...]


def topic(signature: str) -> str:
    """Return topic 0 of an event signature."""
    return "0x" + keccak(signature.encode()).hex()


def selector(signature: str) -> str:
    """Return the first four bytes that call a function, with `0x`."""
    return "0x" + keccak(signature.encode())[:4].hex()


TRANSFER = topic("Transfer(address,address,uint256)")
SETTLED = topic("Settled(address,uint256,bytes32,address,address,uint256)")
REJECTED = topic("Rejected(address,uint256,bytes32,address,address,uint256,uint8)")
MANDATE_SET = topic("MandateSet(address,address,uint64,uint64,uint64)")
MANDATE_REVOKED = topic("MandateRevoked(address,address)")
PARTICIPANT_LISTED = topic("ParticipantListed(address)")
PARTICIPANT_UNLISTED = topic("ParticipantUnlisted(address)")
FROZEN = topic("Frozen(address)")
UNFROZEN = topic("Unfrozen(address)")

SETTLE = selector("settle(address,address,uint256,uint256,(uint256,bytes32)[])")
BALANCE_OF = selector("balanceOf(address)")
TOTAL_SUPPLY = selector("totalSupply()")
ALLOWANCE = selector("allowance(address,address)")
MANDATE_OF = selector("mandateOf(address,address)")

_DOMAIN = keccak(b"settlement-rail/v1")


def word(value: int) -> str:
    """Return 32 bytes of an unsigned integer as hexadecimal without `0x`."""
    return f"{value:064x}"


def address_word(address: str) -> str:
    """Return an address as a 32-byte word without `0x`."""
    return address[2:].rjust(64, "0")


def settle_calldata(
    *, token: Address, debtor: Address, deadline: int, payments: Sequence[PaymentTerms]
) -> bytes:
    """Return the call that pays a batch; sequences travel as offsets from the lowest one.

    Raises:
        ValueError: sequences more than 2^32 - 1 apart.
    """
    base = min(payment.sequence for payment in payments)
    head = [
        SETTLE[2:],
        address_word(token),
        address_word(debtor),
        word(deadline),
        word(base),
        word(5 * 32),
        word(len(payments)),
    ]
    for payment in payments:
        offset = payment.sequence - base
        if offset >= 2**32:
            raise ValueError(f"sequence {payment.sequence} is too far from {base} for one batch")
        head.append(
            f"{payment.creditor[2:]}{payment.amount_minor:016x}{offset:08x}{payment.reference[2:]}"
        )
    return bytes.fromhex("".join(head))


def read_settle(calldata: bytes) -> SettleCall | None:
    """Return the batch that a call pays; None where `settle_calldata` would not make that call."""
    if calldata[:4].hex() != SETTLE[2:] or len(calldata) < 4 + 6 * 32:
        return None
    words = [calldata[place : place + 32] for place in range(4, len(calldata), 32)]
    token, debtor = (Address("0x" + each[12:].hex()) for each in words[:2])
    deadline, base = (int.from_bytes(each, "big") for each in words[2:4])
    payments = []
    for terms, reference in zip(words[6::2], words[7::2], strict=False):
        numbers = int.from_bytes(terms[20:], "big")
        payments.append(
            PaymentTerms(
                sequence=base + (numbers & (2**32 - 1)),
                creditor=Address("0x" + terms[:20].hex()),
                amount_minor=numbers >> 32,
                reference=Hash("0x" + reference.hex()),
            )
        )
    call = SettleCall(token, debtor, deadline, tuple(payments))
    made = payments and settle_calldata(
        token=token, debtor=debtor, deadline=deadline, payments=payments
    )
    return call if made == calldata else None


def payment_reference(
    prefix: bytes,
    *,
    sequence: int,
    creditor: Address,
    amount_minor: int,
    document_hash: str,
    settlement_uuid: bytes,
) -> Hash:
    """Return the 32-byte reference that commits to a payment's terms.

    `prefix` is `reference_prefix(...)`.
    """
    tail = (
        sequence.to_bytes(32, "big")
        + bytes.fromhex(creditor[2:].rjust(64, "0"))
        + amount_minor.to_bytes(32, "big")
        + bytes.fromhex(document_hash)
        + settlement_uuid.rjust(32, b"\0")
    )
    return Hash("0x" + keccak(prefix + tail).hex())


def reference_prefix(*, chain_id: int, rail: Address, token: Address, debtor: Address) -> bytes:
    """Return the part of a reference's preimage that all payments of one debtor and token share."""
    return (
        _DOMAIN
        + chain_id.to_bytes(32, "big")
        + bytes.fromhex(address_word(rail))
        + bytes.fromhex(address_word(token))
        + bytes.fromhex(address_word(debtor))
    )
