"""The rail's and the token's words on the wire, read by the checker's own code, and the reference.

Asks no node and no database.
"""

from __future__ import annotations

from dataclasses import dataclass

import sha3

ZERO_ADDRESS = "0x" + "0" * 40


def hash_of(preimage: bytes) -> str:
    """Return keccak-256 as 0x text."""
    return "0x" + sha3.keccak_256(preimage).hexdigest()


TRANSFER = hash_of(b"Transfer(address,address,uint256)")
SETTLED = hash_of(b"Settled(address,uint256,bytes32,address,address,uint256)")
REJECTED = hash_of(b"Rejected(address,uint256,bytes32,address,address,uint256,uint8)")
SETTLE = hash_of(b"settle(address,address,uint256,uint256,(uint256,bytes32)[])")[:10]
BALANCE_OF = hash_of(b"balanceOf(address)")[:10]
IS_SETTLED = hash_of(b"isSettled(address,uint256)")[:10]
TOTAL_SUPPLY = hash_of(b"totalSupply()")[:10]

_DOMAIN = hash_of(b"settlement-rail/v1")[2:]
_WORD = 64
_ADDRESS_AND_AMOUNT_BITS = 96


@dataclass(frozen=True, slots=True)
class Call:
    """A `settle` call, taken apart: `payments` are (sequence, creditor, amount, reference)."""

    token: str
    debtor: str
    deadline: int
    payments: tuple[tuple[int, str, int, str], ...]


def address_of(word: str) -> str:
    """Return the address in the low 20 bytes of a 32-byte word (with or without 0x)."""
    return "0x" + word[-40:].lower()


def words_of(data: str) -> list[str]:
    """Return the 32-byte words of 0x text, without 0x."""
    body = data[2:]
    return [body[place : place + _WORD] for place in range(0, len(body), _WORD)]


def padded(address: str) -> str:
    """Return an address as a 32-byte word without 0x."""
    return address[2:].rjust(_WORD, "0")


def settle_call(calldata: bytes) -> Call | None:
    """Return the batch in `calldata`, None where it is no well-formed `settle` call."""
    text = "0x" + calldata.hex()
    if text[:10] != SETTLE or (len(calldata) - 4) % 32:
        return None
    words = words_of("0x" + text[10:])
    if len(words) < 6 or int(words[4], 16) != 5 * 32:
        return None
    count = int(words[5], 16)
    if len(words) != 6 + 2 * count:
        return None
    base = int(words[3], 16)
    payments = []
    for place in range(count):
        terms, reference = int(words[6 + 2 * place], 16), words[7 + 2 * place]
        creditor = f"0x{terms >> _ADDRESS_AND_AMOUNT_BITS:040x}"
        amount, offset = (terms >> 32) & (2**64 - 1), terms & (2**32 - 1)
        payments.append((base + offset, creditor, amount, "0x" + reference))
    return Call(address_of(words[0]), address_of(words[1]), int(words[2], 16), tuple(payments))


def reference(
    *,
    chain_id: int,
    rail: str,
    token: str,
    debtor: str,
    sequence: int,
    creditor: str,
    amount: int,
    document_sha256: str,
    settlement_id: str,
) -> str:
    """Return the reference that commits to a payment's terms.

    keccak256 of ten words: domain, chain id, rail, token, debtor, sequence, creditor, amount, the
    document's SHA-256, and the 16 bytes behind the settlement's id.
    """
    uuid = settlement_id.rpartition("_")[2]
    preimage = "".join(
        (
            _DOMAIN,
            f"{chain_id:064x}",
            padded(rail),
            padded(token),
            padded(debtor),
            f"{sequence:064x}",
            padded(creditor),
            f"{amount:064x}",
            document_sha256.rjust(_WORD, "0"),
            uuid.rjust(_WORD, "0"),
        )
    )
    return hash_of(bytes.fromhex(preimage))
