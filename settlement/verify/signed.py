"""Signed bytes of a chain transaction, of any type, read by the checker's own code.

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


_KINDS = {
    # By its first byte: how many fields, and where those of `Signed` stand; 0 is the oldest type.
    0: (9, (6, 0, 1, 1, 3, 4, 5)),
    1: (11, (0, 1, 2, 2, 4, 5, 6)),
    2: (12, (0, 1, 2, 3, 5, 6, 7)),
    3: (14, (0, 1, 2, 3, 5, 6, 7)),
    4: (13, (0, 1, 2, 3, 5, 6, 7)),
}


def read(raw: bytes) -> Signed | None:
    """Return what the bytes say, None where they are no chain transaction."""
    kind = raw[0] if raw and raw[0] < 0x80 else 0
    count, places = _KINDS.get(kind, (0, ()))
    try:
        fields, end = _item(raw, 1 if kind else 0)
    except (IndexError, ValueError):
        return None
    if end != len(raw) or not isinstance(fields, list) or len(fields) != count:
        return None
    wanted = [fields[place] for place in places]
    if any(isinstance(part, list) for part in wanted):
        return None
    chain_id, nonce, tip, fee = (int.from_bytes(part, "big") for part in wanted[:4])
    if not kind:
        chain_id = max(chain_id - 35, 0) // 2  # It is in v. Source: EIP-155.
    to, value, called = wanted[4:]
    return Signed(chain_id, nonce, tip, fee, "0x" + to.hex(), int.from_bytes(value, "big"), called)


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
