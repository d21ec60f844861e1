"""A node that has to prove what it says: headers by their hash, receipts by the header's root.

Recomputes both from the node's own answers, so that no log, amount or status can be made up or
kept back without another block hash. Follows a chain whose headers are hashed by Ethereum's rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from settlement.chain import rlp
from settlement.chain.evm import EvmChain
from settlement.chain.keccak import keccak
from settlement.chain.port import BlockRef, Receipt
from settlement.chain.receipts import WrongShape, block_receipts, block_ref

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

_Leaf = tuple[bytes, bytes]
"""A path in half bytes, one a byte, and what stands at its end."""


class ProvingChain(EvmChain):
    """See `EvmChain`; refuses what does not lead to its block's hash."""

    def _block_ref(self, answer: Any) -> BlockRef:
        header = block_ref(answer)
        if header_hash(answer) != header.hash:
            raise WrongShape(f"a header that has not the hash {header.hash}")
        # A block that is said to be empty is not asked for its receipts.
        if not header.tx_count and answer["receiptsRoot"] != receipts_root([]):
            raise WrongShape(f"block {header.number} without its chain transactions")
        return header

    def _block_receipts(self, block: BlockRef, answer: Any) -> list[Receipt]:
        found = block_receipts(block, answer)
        if receipts_root(answer or []) != block.receipts_root:
            raise WrongShape(f"receipts that are not those of block {block.number} {block.hash}")
        return found


def header_hash(header: dict[str, Any]) -> str:
    """Return the hash of a header's fields as `eth_getBlockByNumber` gives them.

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
    return "0x" + keccak(rlp.encode(fields)).hex()


def receipts_root(receipts: Sequence[dict[str, Any]]) -> str:
    """Return the root of a block's receipts as `eth_getBlockReceipts` gives them.

    Source: Ethereum Yellow Paper, 4.4.1 and appendix D; EIP-2718 for the byte of a type.

    Raises:
        WrongShape: a field is missing or of another form.
    """
    try:
        leaves = [
            (_half_bytes(rlp.encode(rlp.integer(place))), _encoded(receipt))
            for place, receipt in enumerate(receipts)
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise WrongShape(f"a receipt without {error}") from error
    root = _node(sorted(leaves), 0) if leaves else b""
    return "0x" + keccak(rlp.encode(root)).hex()


def _encoded(receipt: dict[str, Any]) -> bytes:
    logs: list[rlp.Item] = [
        [_bytes(log["address"]), [_bytes(topic) for topic in log["topics"]], _bytes(log["data"])]
        for log in receipt["logs"]
    ]
    fields: list[rlp.Item] = [
        _number(receipt["status"]),
        _number(receipt["cumulativeGasUsed"]),
        _bytes(receipt["logsBloom"]),
        logs,
    ]
    kind = int(receipt["type"], 16)
    return (bytes((kind,)) if kind else b"") + rlp.encode(fields)


def _node(leaves: list[_Leaf], depth: int) -> rlp.Item:
    """Return the trie's node that holds sorted `leaves`, whose paths are the same up to `depth`."""
    first, last = leaves[0][0], leaves[-1][0]
    if len(leaves) == 1:
        return [_path(first[depth:], is_end=True), leaves[0][1]]
    shared = depth
    while shared < len(first) and first[shared] == last[shared]:
        shared += 1
    if shared > depth:
        return [_path(first[depth:shared], is_end=False), _reference(_node(leaves, shared))]
    # No path ends inside another: each is the encoding of one number.
    branch: list[rlp.Item] = []
    for digit in range(16):
        below = [leaf for leaf in leaves if leaf[0][depth] == digit]
        branch.append(_reference(_node(below, depth + 1)) if below else b"")
    return [*branch, b""]


def _reference(node: rlp.Item) -> rlp.Item:
    encoded = rlp.encode(node)
    return node if len(encoded) < 32 else keccak(encoded)


def _path(digits: bytes, *, is_end: bool) -> bytes:
    """Return half bytes packed, behind one that tells their number's parity and a leaf's end."""
    flag = 2 * is_end + len(digits) % 2
    whole = bytes((flag,)) + (b"" if flag % 2 else b"\x00") + digits
    return bytes(16 * high + low for high, low in zip(whole[::2], whole[1::2], strict=True))


def _half_bytes(key: bytes) -> bytes:
    return bytes(digit for byte in key for digit in divmod(byte, 16))


def _bytes(words: str) -> bytes:
    return bytes.fromhex(words[2:])


def _number(words: str) -> bytes:
    return rlp.integer(int(words, 16))
