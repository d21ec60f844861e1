"""The bloom filter of a block's header: which addresses and topics its logs can hold.

Knows neither receipts nor nodes. Source: Ethereum Yellow Paper, 4.4.3 (the function M3:2048).
"""

from __future__ import annotations

from collections.abc import Iterable
from struct import Struct

from settlement.chain.keccak import keccak

_THREE_NUMBERS = Struct(">HHH").unpack_from
_BITS = 2048
_DIGITS = bytes((48, 49)) + bytes(254)


def bloom(words: Iterable[str]) -> int:
    """Return the filter of these addresses and topics (0x text), its highest bit first."""
    flags = bytearray(_BITS)
    for word in words:
        one, two, three = _THREE_NUMBERS(keccak(bytes.fromhex(word[2:])))
        flags[one & 2047] = flags[two & 2047] = flags[three & 2047] = 1
    flags.reverse()
    return int(flags.translate(_DIGITS), 2)


def may_hold(filter_bits: int, word: str) -> bool:
    """Say whether logs behind a filter can name an address or topic; no is certain."""
    wanted = bloom((word,))
    return filter_bits & wanted == wanted
