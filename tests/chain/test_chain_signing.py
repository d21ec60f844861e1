"""Signed bytes against eth-account, an implementation of other people."""

from __future__ import annotations

import random
from typing import Any

import pytest
from eth_account import Account

from settlement.chain.dev_keys import dev_keys
from settlement.chain.keccak import keccak
from settlement.chain.port import Address
from settlement.chain.signing import (
    GAS_CAP,
    KeyPair,
    address_of,
    created_address,
    read_eip1559,
    read_signed,
    sign_eip1559,
)
from settlement.errors import Invalid
from tests.builders.other_programs import KINDS, PRICE_WEI, signed_by_another_program

ZERO = Address("0x" + "0" * 40)


def random_fields(rng: random.Random) -> dict[str, Any]:
    max_fee = rng.choice((0, 1, rng.getrandbits(40), rng.getrandbits(100)))
    return {
        "chain_id": rng.choice((1, 127, 128, 31337, 2**40)),
        "nonce": rng.choice((0, 1, 127, 128, 255, 256, 2**63 - 1)),
        "to": rng.choice((None, Address(f"0x{rng.getrandbits(160):040x}"), ZERO)),
        "data": rng.randbytes(rng.choice((0, 1, 2, 31, 55, 56, 57, 255, 256, 3_000))),
        "gas_limit": rng.choice((21_000, 255, 256, GAS_CAP)),
        "max_fee_wei": max_fee,
        "max_priority_fee_wei": rng.randint(0, max_fee),
        "value": rng.choice((0, 1, 127, 128, rng.getrandbits(90))),
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(60))
def test_bytes_and_hash_are_those_of_eth_account(seed: int) -> None:
    rng = random.Random(seed)
    key, fields = rng.randbytes(32), random_fields(rng)
    theirs = Account.sign_transaction(
        {
            "type": 2,
            "chainId": fields["chain_id"],
            "nonce": fields["nonce"],
            "to": bytes.fromhex(fields["to"][2:]) if fields["to"] else b"",
            "data": fields["data"],
            "gas": fields["gas_limit"],
            "maxFeePerGas": fields["max_fee_wei"],
            "maxPriorityFeePerGas": fields["max_priority_fee_wei"],
            "value": fields["value"],
        },
        key,
    )

    raw, tx_hash = sign_eip1559(key, **fields)

    assert raw == bytes(theirs.raw_transaction)
    assert tx_hash == "0x" + bytes(theirs.hash).hex()
    read = read_eip1559(raw)
    assert {name: getattr(read, name) for name in fields} == fields
    assert (read.hash, read.sender) == (tx_hash, Account.from_key(key).address.lower())


def fields_with(**changes: Any) -> dict[str, Any]:
    fields = {"chain_id": 1, "nonce": 0, "to": None, "data": b"", "gas_limit": 21_000,
              "max_fee_wei": 5, "max_priority_fee_wei": 1}  # fmt: skip
    return {**fields, **changes}


@pytest.mark.parametrize(
    "change",
    [
        {"chain_id": None},
        {"chain_id": 0},
        {"chain_id": -1},
        {"nonce": -1},
        {"nonce": 2**63},
        {"gas_limit": 0},
        {"gas_limit": GAS_CAP + 1},
        {"max_priority_fee_wei": 6},
        {"max_priority_fee_wei": -1},
        {"max_fee_wei": 2**128},
        {"value": -1},
        {"value": 2**256},
    ],
    ids=str,
)
def test_what_must_not_be_signed_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        sign_eip1559(b"\x01" * 32, **fields_with(**change))


def test_every_changed_byte_is_noticed_or_has_another_signer() -> None:
    key = b"\x01" * 32
    raw, tx_hash = sign_eip1559(key, **fields_with(data=b"\x05\x06", to=Address("0x" + "11" * 20)))

    for place in range(len(raw)):
        changed = bytearray(raw)
        changed[place] ^= 1
        try:
            read = read_eip1559(bytes(changed))
        except ValueError:
            continue
        assert read.sender != address_of(key)
        assert read.hash != tx_hash


@pytest.mark.parametrize("kind", KINDS)
def test_what_other_programs_sign_is_read_whatever_its_type(kind: str) -> None:
    to = Address("0x" + "ab" * 20)
    raw = signed_by_another_program(b"\x17" * 32, kind, to=to, nonce=3, data=b"\5")

    read = read_signed(raw)

    assert (read.sender, read.hash) == (address_of(b"\x17" * 32), "0x" + keccak(raw).hex())
    assert (read.nonce, read.to, read.data, read.gas_limit) == (3, to, b"\5", 90_000)
    assert read.max_fee_wei == PRICE_WEI
    assert read.chain_id == (0 if kind == "before EIP-155" else 31337)
    for broken in (b"", b"\x05" + raw[1:], raw[:-1], raw + b"\0"):
        with pytest.raises(ValueError):
            read_signed(broken)


def test_the_other_form_of_a_signature_is_refused() -> None:
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    raw, _ = sign_eip1559(b"\x01" * 32, **fields_with())
    s = int.from_bytes(raw[-32:], "big")
    parity_place = len(raw) - 67
    other = bytearray(raw[:-32] + (order - s).to_bytes(32, "big"))
    other[parity_place] = 0x80 if other[parity_place] == 0x01 else 0x01

    with pytest.raises(ValueError, match="signature"):
        read_eip1559(bytes(other))


def test_developers_keys_are_those_of_anvil() -> None:
    first, second = dev_keys(2)

    assert first.address == "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"
    assert first.key.hex() == "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
    assert second.address == "0x70997970c51812dc3a010c7d01b50e0d17dc79c8"


def test_a_key_pair_does_not_show_its_key() -> None:
    pair = KeyPair.of(b"\x01" * 32)

    assert "01" * 32 not in repr(pair)
    assert "\\x01" not in repr(pair)


def test_contracts_land_where_the_chain_puts_them() -> None:
    first = dev_keys(1)[0].address

    assert created_address(first, 0) == "0x5fbdb2315678afecb367f032d93f642f64180aa3"
    assert created_address(first, 128) == "0x" + _created_by_eth_utils(first, 128)


def _created_by_eth_utils(sender: str, nonce: int) -> str:
    import rlp
    from eth_utils import keccak

    return keccak(rlp.encode([bytes.fromhex(sender[2:]), nonce]))[12:].hex()
