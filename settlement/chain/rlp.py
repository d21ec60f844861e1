"""Recursive length prefix: how Ethereum writes down byte strings and lists of them.

Pure; knows no chain transaction. Source: Ethereum Yellow Paper, appendix B.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

Item: TypeAlias = "bytes | list[Item]"

MAX_DEPTH = 4


def integer(value: int) -> bytes:
    """Return an unsigned integer as RLP wants it: big-endian, shortest, zero as nothing."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def encode(item: bytes | Sequence[object]) -> bytes:
    """Return the encoding of a byte string or of a list of such."""
    if isinstance(item, bytes):
        if len(item) == 1 and item[0] < 0x80:
            return item
        return _prefix(0x80, len(item)) + item
    body = b"".join(encode(part) for part in item)  # type: ignore[arg-type]
    return _prefix(0xC0, len(body)) + body


def decode(encoded: bytes) -> Item:
    """Return what was encoded.

    Raises:
        ValueError: not one whole item in its shortest form, or nested deeper than `MAX_DEPTH`.
    """
    item, end = _decode_at(encoded, 0, MAX_DEPTH)
    if end != len(encoded):
        raise ValueError(f"rlp: {len(encoded) - end} bytes too many")
    return item


def _prefix(base: int, length: int) -> bytes:
    if length < 56:
        return bytes((base + length,))
    size = integer(length)
    return bytes((base + 55 + len(size),)) + size


def _decode_at(encoded: bytes, start: int, depth: int) -> tuple[Item, int]:
    if start >= len(encoded):
        raise ValueError("rlp: ends too early")
    first = encoded[start]
    if first < 0x80:
        return encoded[start : start + 1], start + 1
    base = 0x80 if first < 0xC0 else 0xC0
    begin, length = _extent(encoded, start, first - base)
    end = begin + length
    if end > len(encoded):
        raise ValueError("rlp: ends too early")
    if base == 0x80:
        if length == 1 and encoded[begin] < 0x80:
            raise ValueError("rlp: a single byte in a long form")
        return encoded[begin:end], end
    if depth == 0:
        raise ValueError("rlp: nested too deep")
    items: list[Item] = []
    while begin < end:
        item, begin = _decode_at(encoded, begin, depth - 1)
        items.append(item)
    if begin != end:
        raise ValueError("rlp: an item reaches beyond its list")
    return items, end


def _extent(encoded: bytes, start: int, code: int) -> tuple[int, int]:
    """Return where the payload begins and how long it is."""
    if code < 56:
        return start + 1, code
    begin = start + 1 + code - 55
    length = int.from_bytes(encoded[start + 1 : begin], "big")
    if length < 56 or encoded[start + 1] == 0:
        raise ValueError("rlp: a length in a long form")
    return begin, length
