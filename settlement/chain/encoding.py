"""Headers, receipts and chain transactions as the bytes that a block's hashes are made over.

Pure; takes them apart nowhere. From a node's JSON; what it lacks is refused, never guessed.
"""

from __future__ import annotations

from typing import Any

from settlement.chain import rlp
from settlement.chain.keccak import keccak
from settlement.chain.port import Hash
from settlement.chain.receipts import WrongShape

_BYTES = (
    "parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot",
    "logsBloom",
)  # fmt: skip
_NUMBERS = ("difficulty", "number", "gasLimit", "gasUsed", "timestamp")
_SEAL = ("extraData", "mixHash", "nonce")
# Of later forks, in the order in which they came; a header ends where its fork does.
_LATER = (
    ("baseFeePerGas", True),
    ("withdrawalsRoot", False),
    ("blobGasUsed", True),
    ("excessBlobGas", True),
    ("parentBeaconBlockRoot", False),
    ("requestsHash", False),
)

_FEES = ("maxPriorityFeePerGas", "maxFeePerGas", "gas")
_CALL = ("to", "value", "input")
# Names of a chain transaction's fields by its type, in their order, without the signature.
_TRANSACTION = {
    0: ("nonce", "gasPrice", "gas", *_CALL),
    1: ("chainId", "nonce", "gasPrice", "gas", *_CALL, "accessList"),
    2: ("chainId", "nonce", *_FEES, *_CALL, "accessList"),
    3: ("chainId", "nonce", *_FEES, *_CALL, "accessList", "maxFeePerBlobGas",
        "blobVersionedHashes"),
    4: ("chainId", "nonce", *_FEES, *_CALL, "accessList", "authorizationList"),
}  # fmt: skip
_TEXTS = ("to", "input")


def header_bytes(header: dict[str, Any]) -> bytes:
    """Return a header as `eth_getBlockByNumber` gives it, in RLP: its hash is the block's.

    Raises:
        WrongShape: a field is missing or of another form.
    """
    try:
        fields: list[rlp.Item] = [_bytes(header[name]) for name in _BYTES]
        fields += [_number(header[name]) for name in _NUMBERS]
        fields += [_bytes(header[name]) for name in _SEAL]
        for name, is_number in _LATER:
            if header.get(name) is None:
                break
            fields.append((_number if is_number else _bytes)(header[name]))
    except (KeyError, TypeError, ValueError) as error:
        raise WrongShape(f"a header without {error}") from error
    return rlp.encode(fields)


def receipt_bytes(receipt: dict[str, Any]) -> bytes:
    """Return a receipt as `eth_getBlockReceipts` gives it, as it stands in the receipts' trie.

    Source: EIP-2718 for the byte of a type.

    Raises:
        WrongShape: a field is missing or of another form.
    """
    try:
        logs: list[rlp.Item] = [
            [_bytes(log["address"]), [_bytes(each) for each in log["topics"]], _bytes(log["data"])]
            for log in receipt["logs"]
        ]
        fields: list[rlp.Item] = [
            _number(receipt["status"]),
            _number(receipt["cumulativeGasUsed"]),
            _bytes(receipt["logsBloom"]),
            logs,
        ]
        return _typed(receipt["type"], fields)
    except (KeyError, TypeError, ValueError) as error:
        raise WrongShape(f"a receipt without {error}") from error


def transaction_bytes(answer: dict[str, Any]) -> bytes:
    """Return a signed chain transaction as it stands in the transactions' trie.

    Raises:
        WrongShape: a field is missing, of another form, or the type is not known here.
    """
    try:
        kind = int(answer["type"], 16)
        fields = [_field(name, answer) for name in _TRANSACTION[kind]]
        parity = answer["v"] if kind == 0 else answer.get("yParity", answer["v"])
        fields += [_number(each) for each in (parity, answer["r"], answer["s"])]
        return _typed(answer["type"], fields)
    except (KeyError, TypeError, ValueError) as error:
        raise WrongShape(f"a chain transaction without {error}") from error


def signed_bytes(tx_hash: Hash, answer: Any) -> bytes | None:
    """Return the bytes of an `eth_getTransactionByHash`; None unless they hash to `tx_hash`."""
    try:
        raw = transaction_bytes(answer)
    except WrongShape:
        return None
    return raw if "0x" + keccak(raw).hex() == tx_hash else None


def _field(name: str, answer: dict[str, Any]) -> rlp.Item:
    if name == "accessList":
        return [
            [_bytes(each["address"]), [_bytes(key) for key in each["storageKeys"]]]
            for each in answer[name]
        ]
    if name == "blobVersionedHashes":
        return [_bytes(each) for each in answer[name]]
    if name == "authorizationList":
        return [
            [
                _number(each["chainId"]),
                _bytes(each["address"]),
                *(_number(each[part]) for part in ("nonce", "yParity", "r", "s")),
            ]
            for each in answer[name]
        ]
    return _bytes(answer[name] or "0x") if name in _TEXTS else _number(answer[name])


def _typed(kind: str, fields: list[rlp.Item]) -> bytes:
    number = int(kind, 16)
    return (bytes((number,)) if number else b"") + rlp.encode(fields)


def _bytes(words: str) -> bytes:
    return bytes.fromhex(words[2:])


def _number(words: str) -> bytes:
    return rlp.integer(int(words, 16))
