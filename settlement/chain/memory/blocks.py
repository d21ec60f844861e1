"""The blocks of a chain in memory, and the way back: each keeps what it changed.

Knows no pool and no contract's rules; makes a block of chain transactions that are handed in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from settlement.chain.keccak import keccak
from settlement.chain.memory.contract import BlockEnvironment
from settlement.chain.memory.execution import balance_key, execute, nonce_key, upfront_wei
from settlement.chain.memory.state import Changes, State
from settlement.chain.port import BlockRef, Hash, Log, Receipt
from settlement.chain.signing import SignedChainTx
from settlement.errors import ChainUnreachable

_NO_HASH = Hash("0x" + "0" * 64)


@dataclass(frozen=True, slots=True)
class Block:
    """A block, its receipts, and what it changed; `gas_used` and limit set the next base fee."""

    ref: BlockRef
    receipts: list[Receipt]
    changes: Changes
    gas_used: int
    gas_limit: int


class Blocks:
    """The canonical blocks from block 0 on, and the state after the newest."""

    def __init__(
        self,
        state: State,
        *,
        chain_id: int,
        genesis_timestamp: int,
        base_fee_wei: int,
        gas_limit: int,
        seed: int,
    ) -> None:
        self.state = state
        self.chain_id = chain_id
        self._variant = 0
        self._seed = keccak(f"{chain_id}/{seed}/{genesis_timestamp}".encode())
        genesis = BlockRef(
            number=0,
            hash=Hash("0x" + self._seed.hex()),
            parent_hash=_NO_HASH,
            timestamp=genesis_timestamp,
            tx_count=0,
            has_logs=False,
            base_fee_wei=base_fee_wei,
        )
        self._blocks = [Block(genesis, [], state.cut(), 0, gas_limit)]
        self._numbers = {genesis.hash: 0}

    @property
    def newest(self) -> Block:
        """The newest block."""
        return self._blocks[-1]

    def by_number(self, number: int) -> Block:
        """Return a canonical block."""
        return self._blocks[number]

    def by_hash(self, block_hash: Hash) -> Block:
        """Return a canonical block.

        Raises:
            ChainUnreachable: there is none, or not any more.
        """
        number = self._numbers.get(block_hash)
        if number is None:
            raise ChainUnreachable(f"no canonical block has the hash {block_hash}")
        return self._blocks[number]

    def next_base_fee(self) -> int:
        """Return the base fee of a block on top. Source: EIP-1559."""
        newest = self.newest
        base, target = newest.ref.base_fee_wei, newest.gas_limit // 2
        if newest.ref.number == 0 or newest.gas_used == target:
            return base
        change = base * abs(newest.gas_used - target) // target // 8
        return base + max(change, 1) if newest.gas_used > target else base - change

    def add(
        self,
        chain_txs: Sequence[SignedChainTx],
        *,
        timestamp: int,
        base_fee_wei: int,
        gas_limit: int,
    ) -> Block:
        """Put a block on top, with those of the chain transactions that can be in it."""
        number = self.newest.ref.number + 1
        environment = BlockEnvironment(number, timestamp, base_fee_wei, self.chain_id)
        receipts: list[Receipt] = []
        log_count = gas_used = 0
        for chain_tx in chain_txs:
            if not self._fits(chain_tx, base_fee_wei, gas_limit - gas_used):
                continue
            done = execute(self.state, environment, chain_tx)
            logs = tuple(
                Log(address, topics, words, log_count + place)
                for place, (address, topics, words) in enumerate(done.logs)
            )
            receipts.append(
                Receipt(
                    chain_tx.hash,
                    len(receipts),
                    chain_tx.sender,
                    chain_tx.to,
                    done.status,
                    done.gas_used,
                    done.gas_price_wei,
                    logs,
                )
            )
            log_count += len(logs)
            gas_used += done.gas_used
        ref = BlockRef(
            number=number,
            hash=self._hash(number, timestamp, receipts),
            parent_hash=self.newest.ref.hash,
            timestamp=timestamp,
            tx_count=len(receipts),
            has_logs=log_count > 0,
            base_fee_wei=base_fee_wei,
        )
        block = Block(ref, receipts, self.state.cut(), gas_used, gas_limit)
        self._blocks.append(block)
        self._numbers[ref.hash] = number
        return block

    def put_outside(self) -> None:
        """Let what was changed by hand, outside of any block, belong to the newest one."""
        self.newest.changes.extend(self.state.cut())

    def rewind(self, number: int) -> None:
        """Take off every block above a number; those put on later have other hashes."""
        while self.newest.ref.number > number:
            block = self._blocks.pop()
            del self._numbers[block.ref.hash]
            self.state.turn(block.changes)
        self._variant += 1

    @contextmanager
    def at(self, block_hash: Hash | None) -> Iterator[BlockEnvironment]:
        """Give the state as it was after a block, for reading.

        Raises:
            ChainUnreachable: no canonical block has the hash.
        """
        ref = (self.newest if block_hash is None else self.by_hash(block_hash)).ref
        forward = [
            self.state.turn(block.changes) for block in reversed(self._blocks[ref.number + 1 :])
        ]
        try:
            yield BlockEnvironment(ref.number, ref.timestamp, ref.base_fee_wei, self.chain_id)
        finally:
            for changes in reversed(forward):
                self.state.turn(changes)

    def _fits(self, chain_tx: SignedChainTx, base_fee_wei: int, gas_left: int) -> bool:
        state = self.state
        return (
            chain_tx.chain_id == self.chain_id
            and chain_tx.nonce == state.get(nonce_key(chain_tx.sender))
            and chain_tx.max_fee_wei >= base_fee_wei
            and chain_tx.gas_limit <= gas_left
            and state.get(balance_key(chain_tx.sender)) >= upfront_wei(chain_tx)
        )

    def _hash(self, number: int, timestamp: int, receipts: Sequence[Receipt]) -> Hash:
        content = f"{number}/{timestamp}/{self._variant}/{self.newest.ref.hash}"
        hashes = ",".join(receipt.tx_hash for receipt in receipts)
        return Hash("0x" + keccak(self._seed + f"{content}/{hashes}".encode()).hex())
