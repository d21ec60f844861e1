"""The token's runtime code as it stands on a chain: compiled, with its immutable places filled.

Pure. What stands where follows from the compiled code; a test compares it with a real chain's.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import orjson

from settlement.chain.keccak import keccak
from settlement.chain.port import Address

_DOMAIN_TYPE = keccak(
    b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)
_VERSION = "1"


@cache
def _compiled() -> tuple[bytes, tuple[tuple[int, int], ...]]:
    path = files("settlement.chain").joinpath("artifacts", "SettlementToken.json")
    found = orjson.loads(path.read_bytes())
    places = tuple((start, length) for start, length in found["immutablePlaces"])
    return bytes.fromhex(found["deployedBytecode"][2:]), places


def token_runtime_code(*, name: str, address: Address, chain_id: int) -> bytes:
    """Return a token's code on a chain. Source: the immutables of OpenZeppelin's EIP712."""
    code, places = _compiled()
    filled = bytearray(code)
    values = _immutables(name, address, chain_id)
    for (start, length), value in zip(places, values, strict=True):
        filled[start : start + length] = value
    return bytes(filled)


def _immutables(name: str, address: Address, chain_id: int) -> tuple[bytes, ...]:
    """Return the values in the order in which the compiled code holds them."""
    this = bytes.fromhex(address[2:]).rjust(32, b"\0")
    chain = chain_id.to_bytes(32, "big")
    hashed_name, hashed_version = keccak(name.encode()), keccak(_VERSION.encode())
    domain = keccak(_DOMAIN_TYPE + hashed_name + hashed_version + chain + this)
    return (
        _short_text(name),
        _short_text(_VERSION),
        this,
        domain,
        hashed_name,
        hashed_version,
        chain,
    )


def _short_text(value: str) -> bytes:
    content = value.encode()
    if len(content) > 31:
        raise ValueError(f"{value!r} is longer than the 31 bytes that a short string holds")
    return content.ljust(31, b"\0") + bytes((len(content),))
