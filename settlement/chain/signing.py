"""Chain transactions as bytes: what is to be signed, signed bytes, and who signed them.

Pure; asks no node. With a key of ours the same fields give the same bytes (RFC 6979).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import coincurve

from settlement.chain import rlp
from settlement.chain.keccak import keccak
from settlement.chain.port import Address, Hash
from settlement.errors import Invalid

GAS_CAP = 16_777_216
"""The most gas one chain transaction may ask for. Source: EIP-7825."""

_TYPE = b"\x02"
_PLACES = {
    # Of each type: how many fields, and where nonce, tip, fee, gas, to, value and data stand.
    0: (9, (0, 1, 1, 2, 3, 4, 5)),
    1: (11, (1, 2, 2, 3, 4, 5, 6)),
    2: (12, (1, 2, 3, 4, 5, 6, 7)),
    3: (14, (1, 2, 3, 4, 5, 6, 7)),
    4: (13, (1, 2, 3, 4, 5, 6, 7)),
}
_CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A signer's address and its secret key; the key is not shown."""

    address: Address
    key: bytes = field(repr=False)

    @classmethod
    def of(cls, key: bytes) -> KeyPair:
        """Return the pair of a secret key of 32 bytes."""
        return cls(address_of(key), key)

    def sign(self, payload: bytes) -> bytes:
        """Return r, s and the parity (0 or 1), 65 bytes, over the payload's Keccak-256."""
        signature: bytes = coincurve.PrivateKey(self.key).sign_recoverable(
            keccak(payload), hasher=None
        )
        return signature


@dataclass(frozen=True, slots=True)
class UnsignedChainTx:
    """A chain transaction of type 2 before it is signed; `payload` is what gets hashed."""

    fields: tuple[bytes | tuple[()], ...] = field(repr=False)
    payload: bytes = field(repr=False)

    def with_signature(self, signature: bytes) -> tuple[bytes, Hash]:
        """Return the bytes that a node takes, and their hash; `signature` as `KeyPair.sign`'s."""
        parts = (
            rlp.integer(signature[64]),
            signature[:32].lstrip(b"\0"),
            signature[32:64].lstrip(b"\0"),
        )
        raw = _TYPE + rlp.encode([*self.fields, *parts])
        return raw, Hash("0x" + keccak(raw).hex())


@dataclass(frozen=True, slots=True)
class SignedChainTx:
    """What signed bytes say. `to` is None where a contract is created."""

    hash: Hash
    sender: Address
    chain_id: int
    nonce: int
    max_priority_fee_wei: int
    max_fee_wei: int
    gas_limit: int
    to: Address | None
    value: int
    data: bytes = field(repr=False)
    raw: bytes = field(repr=False)


def unsigned_eip1559(
    *,
    chain_id: int,
    nonce: int,
    to: Address | None,
    data: bytes,
    gas_limit: int,
    max_fee_wei: int,
    max_priority_fee_wei: int,
    value: int = 0,
) -> UnsignedChainTx:
    """Return a chain transaction of type 2 that a key can sign.

    Raises:
        Invalid: no chain id, a nonce or fee out of range, too much gas for one chain transaction.
    """
    _check(chain_id, nonce, gas_limit, max_fee_wei, max_priority_fee_wei, value)
    fields = (
        rlp.integer(chain_id),
        rlp.integer(nonce),
        rlp.integer(max_priority_fee_wei),
        rlp.integer(max_fee_wei),
        rlp.integer(gas_limit),
        bytes.fromhex(to[2:]) if to else b"",
        rlp.integer(value),
        data,
        (),
    )
    return UnsignedChainTx(fields, _TYPE + rlp.encode(fields))


def sign_eip1559(key: bytes, **fields: Any) -> tuple[bytes, Hash]:
    """Return signed bytes and their hash; the fields are those of `unsigned_eip1559`."""
    unsigned = unsigned_eip1559(**fields)
    return unsigned.with_signature(KeyPair(Address(""), key).sign(unsigned.payload))


def recovered(payload: bytes, signature: bytes) -> Address:
    """Return whose signature it is over a payload's Keccak-256.

    Raises:
        ValueError: not 65 bytes with a parity of 0 or 1, s in its upper half, or no signature.
    """
    if len(signature) != 65:
        raise ValueError(f"invalid signature: {len(signature)} bytes")
    return _signer(keccak(payload), signature[64:].lstrip(b"\0"), signature[:32], signature[32:64])


def read_eip1559(raw: bytes) -> SignedChainTx:
    """Return what signed bytes of type 2 say, and who signed them.

    Raises:
        ValueError: not such bytes, or no valid signature.
    """
    if raw[:1] != _TYPE:
        raise ValueError("failed to decode signed transaction: not of type 2")
    fields = rlp.decode(raw[1:])
    if not isinstance(fields, list) or len(fields) != 12 or fields[8] != []:
        raise ValueError("failed to decode signed transaction: not twelve fields")
    plain = [part for part in fields if isinstance(part, bytes)]
    if len(plain) != 11 or any(part[:1] == b"\0" for part in (*plain[:5], plain[6], *plain[8:])):
        raise ValueError("failed to decode signed transaction: a number with leading zeros")
    chain_id, nonce, tip, max_fee, gas = (int.from_bytes(part, "big") for part in plain[:5])
    to, value, data, parity, r, s = plain[5:]
    if len(to) not in (0, 20) or len(r) > 32 or len(s) > 32 or len(parity) > 1:
        raise ValueError("failed to decode signed transaction: a field of a wrong length")
    digest = keccak(_TYPE + rlp.encode(fields[:9]))
    return SignedChainTx(
        hash=Hash("0x" + keccak(raw).hex()),
        sender=_signer(digest, parity, r, s),
        chain_id=chain_id,
        nonce=nonce,
        max_priority_fee_wei=tip,
        max_fee_wei=max_fee,
        gas_limit=gas,
        to=Address("0x" + to.hex()) if to else None,
        value=int.from_bytes(value, "big"),
        data=data,
        raw=raw,
    )


def read_signed(raw: bytes) -> SignedChainTx:
    """Return what signed bytes of any type say, and who signed them: others use other types.

    A gas price counts as both fees. Source: EIP-155, EIP-2718, EIP-2930, EIP-1559, EIP-4844,
    EIP-7702.

    Raises:
        ValueError: not such bytes, or no valid signature.
    """
    kind = raw[0] if raw and raw[0] < 0x80 else 0
    prefix = raw[:1] if kind else b""
    fields = rlp.decode(raw[len(prefix) :])
    count, places = _PLACES.get(kind, (0, ()))
    if not isinstance(fields, list) or len(fields) != count:
        raise ValueError("failed to decode signed transaction: not the fields of its type")
    parity, r, s = (_plain(part) for part in fields[-3:])
    unsigned, chain_id = fields[:-3], b""
    if kind:
        chain_id = _plain(fields[0])
    else:
        parity, chain_id = _of_v(int.from_bytes(parity, "big"))
        unsigned += [chain_id, b"", b""] if chain_id else []
    nonce, tip, max_fee, gas, to, value, data = (_plain(fields[place]) for place in places)
    return SignedChainTx(
        hash=Hash("0x" + keccak(raw).hex()),
        sender=_signer(keccak(prefix + rlp.encode(unsigned)), parity, r, s),
        chain_id=int.from_bytes(chain_id, "big"),
        nonce=int.from_bytes(nonce, "big"),
        max_priority_fee_wei=int.from_bytes(tip, "big"),
        max_fee_wei=int.from_bytes(max_fee, "big"),
        gas_limit=int.from_bytes(gas, "big"),
        to=Address("0x" + to.hex()) if to else None,
        value=int.from_bytes(value, "big"),
        data=data,
        raw=raw,
    )


def address_of(key: bytes) -> Address:
    """Return the address that a secret key signs for."""
    return _address(coincurve.PrivateKey(key).public_key)


def created_address(sender: Address, nonce: int) -> Address:
    """Return where a contract lands that `sender` creates at `nonce`."""
    preimage = rlp.encode([bytes.fromhex(sender[2:]), rlp.integer(nonce)])
    return Address("0x" + keccak(preimage)[12:].hex())


def _plain(part: rlp.Item) -> bytes:
    if isinstance(part, bytes):
        return part
    raise ValueError("failed to decode signed transaction: a list where bytes should be")


def _of_v(v: int) -> tuple[bytes, bytes]:
    """Return the parity and the chain id that a v holds; no chain id before EIP-155."""
    parity = 1 - v % 2 if v >= 35 else v - 27
    if parity not in (0, 1):
        raise ValueError(f"invalid signature: v is {v}")
    return rlp.integer(parity), rlp.integer((v - 35) // 2) if v >= 35 else b""


def _signer(digest: bytes, parity: bytes, r: bytes, s: bytes) -> Address:
    if parity not in (b"", b"\x01") or int.from_bytes(s, "big") > _CURVE_ORDER // 2:
        raise ValueError("invalid signature: not in its one accepted form")
    signature = r.rjust(32, b"\0") + s.rjust(32, b"\0") + (parity or b"\0")
    try:
        key = coincurve.PublicKey.from_signature_and_message(signature, digest, hasher=None)
    except Exception as error:  # coincurve raises a bare Exception here.
        raise ValueError(f"invalid signature: {error}") from error
    return _address(key)


def _address(key: coincurve.PublicKey) -> Address:
    return Address("0x" + keccak(key.format(compressed=False)[1:])[12:].hex())


def _check(
    chain_id: int, nonce: int, gas_limit: int, max_fee_wei: int, tip_wei: int, value: int
) -> None:
    if not chain_id or chain_id < 1:
        raise Invalid("no chain transaction is signed without a chain id", field="chain_id")
    if not 0 <= nonce < 2**63:
        raise Invalid(f"the nonce {nonce} is outside 0 … 2^63 - 1", field="nonce")
    if not 0 < gas_limit <= GAS_CAP:
        raise Invalid(f"the gas limit {gas_limit} is outside 1 … {GAS_CAP}", field="gas_limit")
    if not 0 <= tip_wei <= max_fee_wei < 2**128:
        raise Invalid(f"the tip {tip_wei} is above the fee {max_fee_wei}", field="max_fee_wei")
    if not 0 <= value < 2**256:
        raise Invalid(f"the value {value} is out of range", field="value")
