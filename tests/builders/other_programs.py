"""Chain transactions as programs of other people sign them: each type that a node takes."""

from __future__ import annotations

from typing import Any

from eth_account import Account

KINDS = ("before EIP-155", "legacy", "access list", "fee market", "set code")
PRICE_WEI = 50 * 10**9


def signed_by_another_program(
    key: bytes, kind: str, *, to: str, nonce: int = 0, data: bytes = b"", chain_id: int = 31337
) -> bytes:
    """Return the signed bytes of a chain transaction of that kind."""
    fees = {"maxFeePerGas": PRICE_WEI, "maxPriorityFeePerGas": 1}
    listed = [{"address": "0x" + "ab" * 20, "storageKeys": ["0x" + "11" * 32]}]
    authorized = Account.sign_authorization(
        {"chainId": chain_id, "address": "0x" + "cd" * 20, "nonce": 7}, b"\x31" * 32
    )
    of_kind: dict[str, dict[str, Any]] = {
        "before EIP-155": {"gasPrice": PRICE_WEI},
        "legacy": {"gasPrice": PRICE_WEI, "chainId": chain_id},
        "access list": {
            "type": 1, "gasPrice": PRICE_WEI, "accessList": listed, "chainId": chain_id,
        },
        "fee market": {"type": 2, **fees, "accessList": listed, "chainId": chain_id},
        "set code": {
            "type": 4, **fees, "accessList": [], "authorizationList": [authorized],
            "chainId": chain_id,
        },
    }  # fmt: skip
    plain = {"nonce": nonce, "gas": 90_000, "value": 0, "data": data, "to": bytes.fromhex(to[2:])}
    return bytes(Account.sign_transaction({**plain, **of_kind[kind]}, key).raw_transaction)
