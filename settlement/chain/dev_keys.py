"""The keys that every anvil gives money to: known to all, worth nothing, good for demos and tests.

Knows no chain. Source: BIP-39 (mnemonic to seed), BIP-32 (seed to keys), BIP-44 (the path).
"""

from __future__ import annotations

import hashlib
import hmac

import coincurve

from settlement.chain.signing import KeyPair

ANVIL_MNEMONIC = "test test test test test test test test test test test junk"

_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_HARDENED = 1 << 31
_PATH = (44 + _HARDENED, 60 + _HARDENED, _HARDENED, 0)


def dev_keys(count: int, mnemonic: str = ANVIL_MNEMONIC) -> list[KeyPair]:
    """Return the first `count` key pairs of a mnemonic, in anvil's order."""
    seed = hashlib.pbkdf2_hmac("sha512", mnemonic.encode(), b"mnemonic", 2048)
    master = hmac.digest(b"Bitcoin seed", seed, "sha512")
    key, chain_code = master[:32], master[32:]
    for index in _PATH:
        key, chain_code = _child(key, chain_code, index)
    return [KeyPair.of(_child(key, chain_code, index)[0]) for index in range(count)]


def _child(key: bytes, chain_code: bytes, index: int) -> tuple[bytes, bytes]:
    public = coincurve.PrivateKey(key).public_key.format()
    parent = b"\0" + key if index >= _HARDENED else public
    mixed = hmac.digest(chain_code, parent + index.to_bytes(4, "big"), "sha512")
    secret = (int.from_bytes(mixed[:32], "big") + int.from_bytes(key, "big")) % _ORDER
    return secret.to_bytes(32, "big"), mixed[32:]
