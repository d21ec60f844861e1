"""The words by which an owner sets a rail and its tokens up: creation code, listings, minting.

Pure encoding; the creation code is read from the artifacts that the package ships.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import orjson

from settlement.chain.port import Address, Hash
from settlement.chain.rail_abi import address_word, selector, word

LIST_TOKEN = selector("listToken(address,uint8)")
LIST_PARTICIPANTS = selector("listParticipants(address[])")
UNLIST_PARTICIPANTS = selector("unlistParticipants(address[])")
SET_OPERATOR = selector("setOperator(address,bool)")
MINT = selector("mint(address,uint256)")
FREEZE = selector("freeze(address)")
UNFREEZE = selector("unfreeze(address)")
PAUSE = selector("pause()")
UNPAUSE = selector("unpause()")
TRANSFER_CALL = selector("transfer(address,uint256)")

TOKEN_KIND = selector("tokenKind(address)")
IS_PARTICIPANT = selector("isParticipant(address)")
IS_OPERATOR = selector("isOperator(address)")
OWNER = selector("owner()")
PAUSED = selector("paused()")
SYMBOL = selector("symbol()")
DECIMALS = selector("decimals()")


@dataclass(frozen=True, slots=True)
class Artifact:
    """A compiled contract."""

    creation_code: bytes
    runtime_hash: Hash
    """Of the runtime code with its immutable places zero."""


@cache
def artifact(name: str) -> Artifact:
    """Return a contract that the package ships, by its name."""
    path = files("settlement.chain").joinpath("artifacts", f"{name}.json")
    found = orjson.loads(path.read_bytes())
    return Artifact(bytes.fromhex(found["bytecode"][2:]), Hash(found["deployedBytecodeHash"]))


def token_creation(*, name: str, symbol: str, admin: Address) -> bytes:
    """Return what creates a `SettlementToken`."""
    name_words, symbol_words = _text(name), _text(symbol)
    first = 3 * 32
    head = word(first) + word(first + len(name_words) // 2) + address_word(admin)
    return artifact("SettlementToken").creation_code + bytes.fromhex(
        head + name_words + symbol_words
    )


def rail_creation(owner: Address) -> bytes:
    """Return what creates a `SettlementRail`."""
    return artifact("SettlementRail").creation_code + bytes.fromhex(address_word(owner))


def list_token_calldata(token: Address, kind: int) -> bytes:
    """Return the call that lists a token: kind 1 exact, 2 checked."""
    return bytes.fromhex(LIST_TOKEN[2:] + address_word(token) + word(kind))


def list_participants_calldata(participants: Sequence[Address]) -> bytes:
    """Return the call that lists participants."""
    return _addresses_call(LIST_PARTICIPANTS, participants)


def unlist_participants_calldata(participants: Sequence[Address]) -> bytes:
    """Return the call that unlists participants."""
    return _addresses_call(UNLIST_PARTICIPANTS, participants)


def set_operator_calldata(operator: Address, allowed: bool) -> bytes:
    """Return the call that lets an operator settle, or ends that."""
    return bytes.fromhex(SET_OPERATOR[2:] + address_word(operator) + word(int(allowed)))


def mint_calldata(holder: Address, amount_minor: int) -> bytes:
    """Return the call that creates tokens for a holder."""
    return bytes.fromhex(MINT[2:] + address_word(holder) + word(amount_minor))


def freeze_calldata(account: Address) -> bytes:
    """Return the call that stops an account from sending and receiving a token."""
    return bytes.fromhex(FREEZE[2:] + address_word(account))


def unfreeze_calldata(account: Address) -> bytes:
    """Return the call that lets an account send and receive again."""
    return bytes.fromhex(UNFREEZE[2:] + address_word(account))


def transfer_calldata(to: Address, amount_minor: int) -> bytes:
    """Return the call by which a holder moves its own tokens."""
    return bytes.fromhex(TRANSFER_CALL[2:] + address_word(to) + word(amount_minor))


def read_text(result: str) -> str | None:
    """Return a string that a call answered; None where there is no such contract."""
    answer = bytes.fromhex(result[2:])
    if len(answer) < 96 or int.from_bytes(answer[:32], "big") != 32:
        return None
    length = int.from_bytes(answer[32:64], "big")
    return answer[64 : 64 + length].decode("utf-8", "replace")


def read_number(result: str) -> int | None:
    """Return a number, flag or address that a call answered; None where no contract did."""
    return int(result, 16) if len(result) == 66 else None


def _addresses_call(called: str, addresses: Sequence[Address]) -> bytes:
    words = word(32) + word(len(addresses)) + "".join(address_word(each) for each in addresses)
    return bytes.fromhex(called[2:] + words)


def _text(value: str) -> str:
    content = value.encode()
    padded = content + b"\0" * (-len(content) % 32)
    return word(len(content)) + padded.hex()
