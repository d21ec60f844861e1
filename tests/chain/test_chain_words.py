"""The words on the wire, written by hand, against the compiled interfaces and eth-abi."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import orjson
import pytest
from eth_abi import encode
from eth_utils import function_signature_to_4byte_selector as four_bytes

from settlement.chain import admin_abi, mandate_abi
from settlement.chain.memory.rail import Rail
from settlement.chain.memory.token import Token
from settlement.chain.port import Address

ONE, TWO = Address("0x" + "11" * 20), Address("0x" + "22" * 20)

CALLS: list[tuple[bytes, str, list[Any]]] = [
    (
        mandate_abi.set_mandate_calldata(token=ONE, cap_per_payment=5, cap_per_day=6, expiry=7),
        "setMandate(address,uint64,uint64,uint64)",
        [ONE, 5, 6, 7],
    ),
    (mandate_abi.revoke_mandate_calldata(ONE), "revokeMandate(address)", [ONE]),
    (
        mandate_abi.approve_calldata(spender=TWO, amount_minor=2**256 - 1),
        "approve(address,uint256)",
        [TWO, 2**256 - 1],
    ),
    (admin_abi.list_token_calldata(ONE, 2), "listToken(address,uint8)", [ONE, 2]),
    (
        admin_abi.list_participants_calldata([ONE, TWO]),
        "listParticipants(address[])",
        [[ONE, TWO]],
    ),
    (admin_abi.unlist_participants_calldata([]), "unlistParticipants(address[])", [[]]),
    (admin_abi.set_operator_calldata(ONE, True), "setOperator(address,bool)", [ONE, True]),
    (admin_abi.mint_calldata(ONE, 5), "mint(address,uint256)", [ONE, 5]),
    (admin_abi.transfer_calldata(ONE, 5), "transfer(address,uint256)", [ONE, 5]),
    (admin_abi.freeze_calldata(ONE), "freeze(address)", [ONE]),
    (admin_abi.unfreeze_calldata(ONE), "unfreeze(address)", [ONE]),
]


@pytest.mark.parametrize(("calldata", "signature", "values"), CALLS, ids=[c[1] for c in CALLS])
def test_calldata_is_what_eth_abi_encodes(
    calldata: bytes, signature: str, values: list[Any]
) -> None:
    types = signature[signature.index("(") + 1 : -1].split(",")

    assert calldata == four_bytes(signature) + encode(types, values)


NAMES = [("", ""), ("Test Euro", "TEUR"), ("x" * 32, "ü" * 40), ("y" * 31, "z" * 33)]


@pytest.mark.parametrize(("name", "symbol"), NAMES)
def test_creation_code_carries_its_arguments(name: str, symbol: str) -> None:
    code = admin_abi.artifact("SettlementToken").creation_code

    made = admin_abi.token_creation(name=name, symbol=symbol, admin=ONE)

    assert made == code + encode(["string", "string", "address"], [name, symbol, ONE])
    rail = admin_abi.artifact("SettlementRail").creation_code
    assert admin_abi.rail_creation(TWO) == rail + encode(["address"], [TWO])


def compiled_functions(contract: str) -> set[str]:
    path = files("settlement.chain").joinpath("artifacts", f"{contract}.json")
    return {
        f"{item['name']}({','.join(_type(each) for each in item['inputs'])})"
        for item in orjson.loads(path.read_bytes())["abi"]
        if item["type"] == "function"
    }


def _type(item: dict[str, Any]) -> str:
    if not item["type"].startswith("tuple"):
        return str(item["type"])
    inner = ",".join(_type(each) for each in item["components"])
    return f"({inner}){item['type'].removeprefix('tuple')}"


LEFT_OUT = {
    "SettlementRail": {"GAS_NEEDED()", "TOKEN_GAS()", "renounceOwnership()"},
    "SettlementToken": {
        "BURNER_ROLE()", "DEFAULT_ADMIN_ROLE()", "DOMAIN_SEPARATOR()", "FREEZER_ROLE()",
        "MINTER_ROLE()", "PAUSER_ROLE()", "SUPPLY_LIMIT()", "authorizationState(address,bytes32)",
        "cancelAuthorization(address,bytes32,uint8,bytes32,bytes32)", "eip712Domain()",
        "getRoleAdmin(bytes32)", "nonces(address)", "supportsInterface(bytes4)",
    },
}  # fmt: skip


IN_MEMORY = [("SettlementRail", Rail.functions), ("SettlementToken", Token.functions)]


@pytest.mark.parametrize(("contract", "known"), IN_MEMORY)
def test_the_chain_in_memory_knows_each_function_but_those_named(
    contract: str, known: dict[bytes, Any]
) -> None:
    expected = compiled_functions(contract) - LEFT_OUT[contract]

    assert {four_bytes(signature) for signature in expected} == set(known)


def test_what_a_debtor_signs_says_what_it_does() -> None:
    mandate = mandate_abi.Mandate(5, 6, 7)

    approve, grant = mandate_abi.grant(
        chain_id=31337, rail=TWO, token=ONE, debtor=TWO, mandate=mandate, allowance_minor=99
    )
    revoke = mandate_abi.revocation(chain_id=31337, rail=TWO, token=ONE, debtor=TWO)

    assert approve.fields() == {
        "chainId": "0x7a69",
        "from": TWO,
        "to": ONE,
        "data": "0x" + mandate_abi.approve_calldata(spender=TWO, amount_minor=99).hex(),
        "value": "0x0",
        "gas": hex(mandate_abi.DEBTOR_GAS_LIMIT),
    }
    assert (grant.to, revoke.to) == (TWO, TWO)
    assert "5 minor units a payment and 6 a day" in grant.purpose
    assert "end the mandate" in revoke.purpose


def test_answers_are_read_and_their_absence_too() -> None:
    text = "0x" + encode(["string"], ["Test Euro"]).hex()

    assert admin_abi.read_text(text) == "Test Euro"
    assert admin_abi.read_text("0x") is None
    assert admin_abi.read_number("0x" + encode(["uint8"], [6]).hex()) == 6
    assert admin_abi.read_number("0x") is None
    four = "0x" + encode(["uint64"] * 4, [1, 2, 3, 4]).hex()
    assert mandate_abi.read_mandate(four) == mandate_abi.Mandate(1, 2, 3, 4)
    assert mandate_abi.read_mandate("0x" + encode(["uint64"] * 4, [0, 0, 0, 0]).hex()) is None
    with pytest.raises(ValueError, match="mandateOf"):
        mandate_abi.read_mandate("0x")
