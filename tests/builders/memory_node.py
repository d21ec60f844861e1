"""JSON-RPC over a chain in memory, in process: a method and its parameters in, raw results out.

For readers that want a node and not our port, such as the checker. Sends nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from settlement.chain.memory import MemoryChain
from settlement.chain.port import Address, BlockRef, Hash, Receipt
from settlement.chain.signing import SignedChainTx, read_eip1559

_NO_BLOOM, _SOME_BLOOM = "0x" + "0" * 512, "0x" + "1" * 512

# A simulation asks for the same chain transactions after every schedule's step.
_read = lru_cache(maxsize=4096)(read_eip1559)


class MemoryNode:
    """Called as `node(method, params)`; answers as a node does, by the canonical chain of now."""

    def __init__(self, chain: MemoryChain) -> None:
        self._chain = chain
        self._synced: Hash | None = None
        self._canonical: list[BlockRef] = []
        self._blocks: dict[Hash, tuple[dict[str, Any], list[dict[str, Any]]]] = {}
        self._places: dict[Hash, list[BlockRef]] = {}

    def __call__(self, method: str, params: Sequence[Any]) -> Any:
        """Return the result of one call.

        Raises:
            KeyError: there is no such method here.
            ChainUnreachable: a block that is asked for by its hash is not canonical.
        """
        return _METHODS[method](self, *params)

    def chain_id(self) -> str:
        """`eth_chainId`."""
        return hex(self._chain.identity().chain_id)

    def block_number(self) -> str:
        """`eth_blockNumber`."""
        return hex(self._chain.head().number)

    def block_by_number(self, number: str, _full: bool) -> dict[str, Any] | None:
        """`eth_getBlockByNumber`, chain transactions by hash."""
        self._sync()
        place = self._place(number)
        return self._blocks[self._canonical[place].hash][0] if self._has(place) else None

    def block_by_hash(self, block_hash: Hash, _full: bool) -> dict[str, Any] | None:
        """`eth_getBlockByHash`; null for what is orphaned, as anvil answers."""
        found = self._known(block_hash)
        return found[0] if found else None

    def block_receipts(self, block: str) -> list[dict[str, Any]] | None:
        """`eth_getBlockReceipts`, by hash or number; null for what is orphaned."""
        self._sync()
        block_hash = Hash(block) if len(block) == 66 else self._hash_at(block)
        found = self._known(block_hash) if block_hash else None
        return found[1] if found else None

    def receipt(self, tx_hash: Hash) -> dict[str, Any] | None:
        """`eth_getTransactionReceipt`."""
        ref = self._block_of(tx_hash)
        receipts = self._blocks[ref.hash][1] if ref else []
        return next((each for each in receipts if each["transactionHash"] == tx_hash), None)

    def transaction(self, tx_hash: Hash) -> dict[str, Any] | None:
        """`eth_getTransactionByHash`, of what is mined."""
        ref = self._block_of(tx_hash)
        (raw,) = self._chain.raw_transactions([tx_hash])
        return _transaction(_read(raw), ref) if raw and ref else None

    def transaction_count(self, account: Address, at: str | dict[str, str]) -> str:
        """`eth_getTransactionCount` at a block: the newest count less what was mined after."""
        self._sync()
        number = self._number(at)
        later = self._chain.receipts(self._canonical[number + 1 :])
        mined_later = sum(each.sender == account for block in later for each in block)
        return hex(self._chain.nonce(account) - mined_later)

    def balance(self, holder: Address, at: str | dict[str, str]) -> str:
        """`eth_getBalance`."""
        return hex(self._chain.coin_balances([holder], self._hash(at))[0])

    def call(self, call: dict[str, str], at: str | dict[str, str]) -> str:
        """`eth_call`; what reverts, or has no code, gives 0x."""
        return self._chain.call_many([(Address(call["to"]), call["data"])], self._hash(at))[0]

    def code(self, address: Address, _at: str) -> str:
        """`eth_getCode`: nothing, or a byte that stands for the contract."""
        return "0x" if self._chain.code_hashes([address])[0] is None else "0xfe"

    def logs(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        """`eth_getLogs` by block hash or range, address or addresses, and first topic."""
        self._sync()
        if "blockHash" in asked:
            found = self._known(Hash(asked["blockHash"]))
            blocks = [found] if found else []
        else:
            first, last = (self._place(asked.get(end, "latest")) for end in _RANGE)
            refs = self._canonical[first : last + 1]
            blocks = [self._blocks[ref.hash] for ref in refs]
        return [
            log
            for _, receipts in blocks
            for receipt in receipts
            for log in receipt["logs"]
            if _is_asked_for(log, asked)
        ]

    def _sync(self) -> None:
        head = self._chain.head()
        if head.hash == self._synced:
            return
        self._canonical = self._chain.headers(0, head.number)
        fresh = [ref for ref in self._canonical if ref.hash not in self._blocks]
        for ref, receipts in zip(fresh, self._chain.receipts(fresh), strict=True):
            self._blocks[ref.hash] = (_block(ref, receipts), _receipts(ref, receipts))
            for receipt in receipts:
                self._places.setdefault(receipt.tx_hash, []).append(ref)
        self._synced = head.hash

    def _known(self, block_hash: Hash) -> tuple[dict[str, Any], list[dict[str, Any]]] | None:
        self._sync()
        found = self._blocks.get(block_hash)
        if found is None:
            return None
        number = int(found[0]["number"], 16)
        canonical = self._has(number) and self._canonical[number].hash == block_hash
        return found if canonical else None

    def _block_of(self, tx_hash: Hash) -> BlockRef | None:
        self._sync()
        places = self._places.get(tx_hash, [])
        return next((ref for ref in places if self._known(ref.hash)), None)

    def _has(self, number: int) -> bool:
        return 0 <= number < len(self._canonical)

    def _place(self, number: str) -> int:
        return len(self._canonical) - 1 if number in _NEWEST else int(number, 16)

    def _number(self, at: str | dict[str, str]) -> int:
        if isinstance(at, str):
            return self._place(at)
        found = self._known(Hash(at["blockHash"]))
        assert found is not None, f"no canonical block has the hash {at['blockHash']}"
        return int(found[0]["number"], 16)

    def _hash_at(self, number: str) -> Hash | None:
        place = self._place(number)
        return self._canonical[place].hash if self._has(place) else None

    def _hash(self, at: str | dict[str, str]) -> Hash:
        self._sync()
        return (
            Hash(at["blockHash"]) if isinstance(at, dict) else self._canonical[self._place(at)].hash
        )


_NEWEST = ("latest", "pending")
_RANGE = ("fromBlock", "toBlock")
_METHODS = {
    "eth_chainId": MemoryNode.chain_id,
    "eth_blockNumber": MemoryNode.block_number,
    "eth_getBlockByNumber": MemoryNode.block_by_number,
    "eth_getBlockByHash": MemoryNode.block_by_hash,
    "eth_getBlockReceipts": MemoryNode.block_receipts,
    "eth_getTransactionReceipt": MemoryNode.receipt,
    "eth_getTransactionByHash": MemoryNode.transaction,
    "eth_getTransactionCount": MemoryNode.transaction_count,
    "eth_getBalance": MemoryNode.balance,
    "eth_call": MemoryNode.call,
    "eth_getCode": MemoryNode.code,
    "eth_getLogs": MemoryNode.logs,
}


def _block(ref: BlockRef, receipts: Sequence[Receipt]) -> dict[str, Any]:
    return {
        "number": hex(ref.number),
        "hash": ref.hash,
        "parentHash": ref.parent_hash,
        "timestamp": hex(ref.timestamp),
        "baseFeePerGas": hex(ref.base_fee_wei),
        "logsBloom": _SOME_BLOOM if ref.has_logs else _NO_BLOOM,
        "transactions": [receipt.tx_hash for receipt in receipts],
    }


def _receipts(ref: BlockRef, receipts: Sequence[Receipt]) -> list[dict[str, Any]]:
    place = {"blockHash": ref.hash, "blockNumber": hex(ref.number)}
    return [
        {
            **place,
            "transactionHash": receipt.tx_hash,
            "transactionIndex": hex(receipt.tx_index),
            "from": receipt.sender,
            "to": receipt.to,
            "status": hex(receipt.status),
            "gasUsed": hex(receipt.gas_used),
            "effectiveGasPrice": hex(receipt.gas_price_wei),
            "logs": [
                {
                    **place,
                    "transactionHash": receipt.tx_hash,
                    "transactionIndex": hex(receipt.tx_index),
                    "address": log.address,
                    "topics": list(log.topics),
                    "data": log.data,
                    "logIndex": hex(log.log_index),
                }
                for log in receipt.logs
            ],
        }
        for receipt in receipts
    ]


def _transaction(chain_tx: SignedChainTx, ref: BlockRef) -> dict[str, Any]:
    return {
        "hash": chain_tx.hash,
        "blockHash": ref.hash,
        "blockNumber": hex(ref.number),
        "chainId": hex(chain_tx.chain_id),
        "from": chain_tx.sender,
        "to": chain_tx.to,
        "nonce": hex(chain_tx.nonce),
        "value": hex(chain_tx.value),
        "input": "0x" + chain_tx.data.hex(),
    }


def _is_asked_for(log: dict[str, Any], asked: dict[str, Any]) -> bool:
    addresses = asked.get("address")
    if isinstance(addresses, str):
        addresses = [addresses]
    if addresses is not None and log["address"] not in addresses:
        return False
    topics = asked.get("topics") or [None]
    wanted = [topics[0]] if isinstance(topics[0], str) else topics[0]
    return wanted is None or (bool(log["topics"]) and log["topics"][0] in wanted)
