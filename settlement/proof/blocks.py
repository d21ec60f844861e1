"""What the chain shows of one payment: its block's header and those behind it, and two trie paths.

Asks a node; believes only what leads to a block hash that we have stored. Knows no invoice.
"""

from __future__ import annotations

import zlib
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple, cast

from settlement.chain import rlp, trie
from settlement.chain.keccak import keccak
from settlement.chain.port import BlockBody, Hash, ProvesBlocks
from settlement.errors import ChainUnreachable

_PARENT, _TRANSACTIONS_ROOT, _RECEIPTS_ROOT, _LOGS = 0, 4, 5, 3


class Place(NamedTuple):
    """Where on the chain a settlement's outcome is said to be; logs are counted by block."""

    block_number: int
    block_hash: str
    tx_hash: str
    log_index: int
    transfer_index: int | None


@dataclass(frozen=True, slots=True)
class BlockEvidence:
    """A block, as far as it was shown: headers from it to the one that makes it final."""

    headers: list[bytes]
    body: BlockBody

    def of(self, place: Place) -> dict[str, Any]:
        """Return the members of a proof that show one outcome.

        Raises:
            ChainUnreachable: its chain transaction is not in the block.
        """
        tx_hash = place.tx_hash
        hashes = ["0x" + keccak(raw).hex() for raw in self.body.transactions]
        if tx_hash not in hashes:
            raise ChainUnreachable(f"the node gave a block without the chain transaction {tx_hash}")
        index = hashes.index(tx_hash)
        last = place.block_number + len(self.headers) - 1
        return {
            "block": {"number": place.block_number, "hash": place.block_hash},
            "final_block": {"number": last, "hash": "0x" + keccak(self.headers[-1]).hex()},
            "headers": packed(self.headers),
            "transaction": {
                "hash": tx_hash,
                "index": index,
                "path": packed(trie.path(self.body.transactions, index)),
            },
            "receipt": {"path": packed(trie.path(self.body.receipts, index))},
            "first_log_index": sum(map(_log_count, self.body.receipts[:index])),
            "log_index": place.log_index,
            "transfer_index": place.transfer_index,
        }


def gather(chain: ProvesBlocks, place: Place, confirmations: int) -> BlockEvidence:
    """Return what shows a block, checked against its hash and roots.

    Raises:
        ChainUnreachable: the node has not got it, or gives something else.
    """
    last = place.block_number + confirmations - 1
    headers = chain.header_bytes(place.block_number, last)
    expected = place.block_hash
    for below, header in pairwise(headers):
        if _fields(header)[_PARENT] != keccak(below):
            raise ChainUnreachable("blocks were replaced while they were read")
    if "0x" + keccak(headers[0]).hex() != expected:
        raise ChainUnreachable(f"the node has another block {place.block_number} than {expected}")
    body = chain.block_body(Hash(place.block_hash))
    fields = _fields(headers[0])
    for root, values in (
        (fields[_TRANSACTIONS_ROOT], body.transactions),
        (fields[_RECEIPTS_ROOT], body.receipts),
    ):
        if root != trie.root(values):
            raise ChainUnreachable(f"the node gave a body that is not that of block {expected}")
    return BlockEvidence(headers, body)


def packed(parts: Iterable[bytes]) -> str:
    """Return RLP items one after the other, by zlib and in base64: a batch has much in common."""
    return b64encode(zlib.compress(b"".join(parts), 9)).decode()


def _fields(header: bytes) -> list[bytes]:
    return cast(list[bytes], rlp.decode(header))


def _log_count(receipt: bytes) -> int:
    body = cast(list[list[Any]], rlp.decode(receipt[1:] if receipt[0] < 0xC0 else receipt))
    return len(body[_LOGS])
