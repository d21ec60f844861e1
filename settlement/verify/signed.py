"""Signed bytes of a chain transaction (EIP-1559), read by the checker's own code.

Recovers no signer: who signed is the node's to say, for what was mined.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Signed(NamedTuple):
    """What signed bytes say."""

    chain_id: int
    nonce: int
    tip_wei: int
    max_fee_wei: int
    to: str
    value: int
    data: bytes


def read(raw: bytes) -> Signed | None:
    """Return what the bytes say, None where they are no chain transaction of type 2."""
    if raw[:1] != b"\x02":
        return None
    try:
        fields, end = _item(raw, 1)
    except (IndexError, ValueError):
        return None
    if end != len(raw) or not isinstance(fields, list) or len(fields) != 12:
        return None
    if any(isinstance(part, list) for place, part in enumerate(fields) if place != 8):
        return None
    chain_id, nonce, tip, fee = (int.from_bytes(part, "big") for part in fields[:4])
    value = int.from_bytes(fields[6], "big")
    return Signed(chain_id, nonce, tip, fee, "0x" + fields[5].hex(), value, fields[7])


def _item(raw: bytes, place: int) -> tuple[Any, int]:
    """Return the item at a place, and where the next begins. Source: RLP, Yellow Paper B."""
    head = raw[place]
    if head < 0x80:
        return raw[place : place + 1], place + 1
    if head < 0xC0:
        start, end = _bounds(raw, place, head, 0x80)
        return raw[start:end], end
    start, end = _bounds(raw, place, head, 0xC0)
    items = []
    while start < end:
        item, start = _item(raw, start)
        items.append(item)
    if start != end:
        raise ValueError("a list is longer than its parts")
    return items, end


def _bounds(raw: bytes, place: int, head: int, base: int) -> tuple[int, int]:
    length, start = head - base, place + 1
    if length > 55:
        start = place + 1 + length - 55
        length = int.from_bytes(raw[place + 1 : start], "big")
    if start + length > len(raw):
        raise ValueError("an item is longer than the bytes")
    return start, start + length
