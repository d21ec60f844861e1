"""A node that has to prove what it says: headers by their hash, receipts by the header's root.

Recomputes both from the node's own answers, so that no log, amount or status can be made up or
kept back without another block hash. Follows a chain whose headers are hashed by Ethereum's rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from settlement.chain import trie
from settlement.chain.encoding import header_bytes, receipt_bytes
from settlement.chain.evm import EvmChain
from settlement.chain.keccak import keccak
from settlement.chain.port import BlockRef, Receipt
from settlement.chain.receipts import WrongShape, block_receipts, block_ref


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
    return "0x" + keccak(header_bytes(header)).hex()


def receipts_root(receipts: Sequence[dict[str, Any]]) -> str:
    """Return the root of a block's receipts as `eth_getBlockReceipts` gives them.

    Raises:
        WrongShape: a field is missing or of another form.
    """
    return "0x" + trie.root([receipt_bytes(each) for each in receipts]).hex()
