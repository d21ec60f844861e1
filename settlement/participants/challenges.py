"""What is signed to prove that an address is somebody's: a text, or typed data. Pure.

Both say the same: who, which address, which chain and rail, once, until when. Neither can be
mistaken for a payment. Source: EIP-191, EIP-712, ERC-4361.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from settlement.chain.keccak import keccak
from settlement.chain.port import Address
from settlement.clock import iso
from settlement.participants.addresses import checksummed

STATEMENT = "I prove that this wallet is held for participant {participant_id}. It moves no money."
DOMAIN_NAME = "settlement rail"
DOMAIN_VERSION = "1"

_DOMAIN_TYPE = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
_PROOF_TYPE = (
    "WalletProof(address wallet,string participant,string domain,string challenge,string nonce,"
    "uint256 issuedAt,uint256 expiresAt)"
)
_SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Challenge:
    """A stored challenge; moments in microseconds, of whole seconds."""

    id: str
    participant_id: str
    address: Address
    chain_id: int
    rail: Address
    """The contract that the typed data names."""
    domain: str
    nonce: str
    kind: str
    provider: str | None
    issued_at: int
    expires_at: int
    used_at: int | None


def message(challenge: Challenge) -> str:
    """Return the text that a wallet shows and signs. Source: ERC-4361."""
    return "\n".join(
        (
            f"{challenge.domain} wants you to sign in with your Ethereum account:",
            checksummed(challenge.address),
            "",
            STATEMENT.format(participant_id=challenge.participant_id),
            "",
            f"URI: https://{challenge.domain}/participants/{challenge.participant_id}",
            "Version: 1",
            f"Chain ID: {challenge.chain_id}",
            f"Nonce: {challenge.nonce}",
            f"Issued At: {iso(challenge.issued_at)}",
            f"Expiration Time: {iso(challenge.expires_at)}",
            f"Request ID: {challenge.id}",
        )
    )


def typed_data(challenge: Challenge) -> dict[str, Any]:
    """Return the same as typed data, as a wallet's eth_signTypedData_v4 takes it."""
    return {
        "types": {
            "EIP712Domain": _members(_DOMAIN_TYPE),
            "WalletProof": _members(_PROOF_TYPE),
        },
        "primaryType": "WalletProof",
        "domain": {
            "name": DOMAIN_NAME,
            "version": DOMAIN_VERSION,
            "chainId": challenge.chain_id,
            "verifyingContract": checksummed(challenge.rail),
        },
        "message": {
            "wallet": checksummed(challenge.address),
            "participant": challenge.participant_id,
            "domain": challenge.domain,
            "challenge": challenge.id,
            "nonce": challenge.nonce,
            "issuedAt": challenge.issued_at // _SECOND,
            "expiresAt": challenge.expires_at // _SECOND,
        },
    }


def personal_payload(text_of_it: str) -> bytes:
    """Return what is hashed where a person signs a text. Source: EIP-191, version 0x45."""
    content = text_of_it.encode()
    return b"\x19Ethereum Signed Message:\n" + str(len(content)).encode() + content


def typed_payload(challenge: Challenge) -> bytes:
    """Return what is hashed where a wallet signs the typed data. Source: EIP-712."""
    domain = keccak(
        keccak(_DOMAIN_TYPE.encode())
        + keccak(DOMAIN_NAME.encode())
        + keccak(DOMAIN_VERSION.encode())
        + _number(challenge.chain_id)
        + _address(challenge.rail)
    )
    proof = keccak(
        keccak(_PROOF_TYPE.encode())
        + _address(challenge.address)
        + keccak(challenge.participant_id.encode())
        + keccak(challenge.domain.encode())
        + keccak(challenge.id.encode())
        + keccak(challenge.nonce.encode())
        + _number(challenge.issued_at // _SECOND)
        + _number(challenge.expires_at // _SECOND)
    )
    return b"\x19\x01" + domain + proof


def _members(encoded: str) -> list[dict[str, str]]:
    inside = encoded.partition("(")[2].removesuffix(")")
    pairs = (member.split(" ") for member in inside.split(","))
    return [{"name": name, "type": kind} for kind, name in pairs]


def _number(value: int) -> bytes:
    return value.to_bytes(32, "big")


def _address(address: str) -> bytes:
    return bytes(12) + bytes.fromhex(address[2:])
