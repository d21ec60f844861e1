"""Keccak-256 by the fastest implementation at hand.

Knows one function; anything that is hashed by other rules (SHA-256 of documents) is not here.
"""

from __future__ import annotations

import sha3


def keccak(preimage: bytes) -> bytes:
    """Return the 32 bytes of Keccak-256, Ethereum's hash (not NIST's SHA3-256)."""
    return sha3.keccak_256(preimage).digest()
