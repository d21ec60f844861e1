"""A contract wallet for tests: compiled for anvil, and the same rules in Python for memory.

It takes what its owner's key signed as its own. One that `talks` answers more than it should.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import coincurve

from settlement.chain.keccak import keccak
from settlement.chain.memory.contract import Frame, Reverted
from settlement.chain.port import Address, Hash
from settlement.chain.rail_abi import address_word, word
from settlement.chain.signing import created_address
from settlement.participants.proofs import IS_VALID_SIGNATURE, MAGIC
from tests.chain.worlds import ADMIN, World

CODE = Path(__file__).with_name("contract_wallet.hex").read_text().strip()
"""`contract_wallet.sol`, compiled: optimizer on, no metadata."""
_CODE_HASH = Hash("0x" + "77" * 32)
NO = "ffffffff" + "0" * 56


@dataclass(frozen=True)
class PythonWallet:
    """The contract's rules, for a chain in memory."""

    owner: Address
    talks: bool
    code_hash: Hash

    def run(self, frame: Frame, data: bytes) -> bytes:
        if "0x" + data[:4].hex() != IS_VALID_SIGNATURE:
            raise Reverted
        digest, size = data[4:36], int.from_bytes(data[68:100], "big")
        signature = data[100 : 100 + size]
        if size != 65 or _signer(digest, signature) != self.owner:
            return bytes.fromhex(NO)
        return bytes.fromhex(MAGIC[2:]) + (bytes(31) + b"\1" if self.talks else b"")


def put(world: World, owner: Address, *, talks: bool = False) -> Address:
    """Put a contract wallet of `owner` on the world's chain; return its address."""
    if hasattr(world.chain, "_state"):
        address = created_address(owner, 1_000 + talks)
        world.chain._state.put(("contract", address), PythonWallet(owner, talks, _CODE_HASH))
        world.controls.mine()
        return address
    nonce = world.chain.nonce(ADMIN.address)
    code = bytes.fromhex(CODE + address_word(owner) + word(int(talks)))
    (receipt,) = world.mined(world.sign(ADMIN, None, code))
    assert receipt.status == 1
    return created_address(ADMIN.address, nonce)


def _signer(digest: bytes, signature: bytes) -> Address | None:
    parity = signature[64] - 27 if signature[64] >= 27 else signature[64]
    try:
        key = coincurve.PublicKey.from_signature_and_message(
            signature[:64] + bytes([parity]), digest, hasher=None
        )
    except Exception:  # noqa: BLE001 - coincurve raises a bare Exception here.
        return None
    return Address("0x" + keccak(key.format(compressed=False)[1:])[12:].hex())
