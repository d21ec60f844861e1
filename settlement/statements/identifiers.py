"""Ids in messages that are made from ours: always the same, and one for each."""

from __future__ import annotations

from uuid import UUID

from settlement.clock import uuid_bytes


def message_key(settlement_id: str) -> str:
    """Return the 32 hexadecimal digits of a settlement's id."""
    return uuid_bytes(settlement_id).hex()


def uetr(settlement_id: str) -> str:
    """Return a payment's Unique End-to-end Transaction Reference.

    ISO 20022 asks for a UUID of version 4; ours is of version 7. All other bits stay as they are,
    so that no two settlements share one and a person sees which is which.
    Source: ISO 20022, UUIDv4Identifier.
    """
    digits = bytearray(uuid_bytes(settlement_id))
    digits[6] = (digits[6] & 0x0F) | 0x40
    digits[8] = (digits[8] & 0x3F) | 0x80
    return str(UUID(bytes=bytes(digits)))
