"""The chain port and its controls, in memory: blocks, a pool, reorgs, all from one seed.

Not alike: gas is an estimate, blocks hash to other values, and only the rail and its token exist.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from settlement.chain.dev_keys import dev_keys
from settlement.chain.memory.blocks import Block, Blocks
from settlement.chain.memory.execution import balance_key, nonce_key, view
from settlement.chain.memory.pool import ANVIL_RULES, Pool, PoolRules
from settlement.chain.memory.state import State
from settlement.chain.port import (
    Address,
    BlockRef,
    ChainIdentity,
    Hash,
    Receipt,
    SendAnswer,
    SendOutcome,
)
from settlement.chain.send_answers import meaning
from settlement.chain.signing import SignedChainTx, read_eip1559
from settlement.errors import ChainUnreachable

COIN_WEI = 10**18
_FIRST_BASE_FEE_WEI = 10**9

# Senders re-send the same bytes, and reading them costs an elliptic curve operation.
_read = lru_cache(maxsize=8192)(read_eip1559)


class MemoryChain:
    """A whole chain: a `ChainPort` and `ChainControls`. The same calls give the same chain.

    Time passes only by blocks, `block_seconds` each, and by `increase_time`.
    """

    def __init__(
        self,
        *,
        chain_id: int = 31337,
        seed: int = 0,
        genesis_timestamp: int = 1_700_000_000,
        block_seconds: int = 1,
        block_gas_limit: int = 120_000_000,
        rules: PoolRules = ANVIL_RULES,
        automine: bool = True,
        rich: Iterable[Address] | None = None,
    ) -> None:
        state = State()
        holders = [each.address for each in dev_keys(10)] if rich is None else list(rich)
        for holder in holders:
            state.put(balance_key(holder), 10_000 * COIN_WEI)
        self._state = state
        self._blocks = Blocks(
            state,
            chain_id=chain_id,
            genesis_timestamp=genesis_timestamp,
            base_fee_wei=_FIRST_BASE_FEE_WEI,
            gas_limit=block_gas_limit,
            seed=seed,
        )
        self._pool = Pool(rules)
        self._automine = automine
        self._block_seconds = block_seconds
        self._block_gas_limit = block_gas_limit
        self._next_base_fee: int | None = None
        self._next_timestamp: int | None = None
        self._ahead_seconds = 0
        self._snapshots: dict[str, Hash] = {}
        self._mined: dict[Hash, bytes] = {}

    def identity(self) -> ChainIdentity:
        """See `ChainPort.identity`."""
        return ChainIdentity(self._blocks.chain_id, self._blocks.by_number(0).ref.hash)

    def head(self) -> BlockRef:
        """See `ChainPort.head`."""
        return self._blocks.newest.ref

    def headers(self, first: int, last: int) -> list[BlockRef]:
        """See `ChainPort.headers`."""
        last = min(last, self.head().number)
        return [self._blocks.by_number(number).ref for number in range(first, last + 1)]

    def receipts(self, blocks: Sequence[BlockRef]) -> list[list[Receipt]]:
        """See `ChainPort.receipts`."""
        return [list(self._blocks.by_hash(block.hash).receipts) for block in blocks]

    def send(self, raw_transactions: Sequence[bytes]) -> list[SendAnswer]:
        """See `ChainPort.send`."""
        answers = [self._take(raw) for raw in raw_transactions]
        if self._automine and self._ready():
            self.mine()
        return answers

    def raw_transactions(self, tx_hashes: Sequence[Hash]) -> list[bytes | None]:
        """See `ChainPort.raw_transactions`."""
        return [self._mined.get(tx_hash) for tx_hash in tx_hashes]

    def nonce(self, signer: Address) -> int:
        """See `ChainPort.nonce`."""
        return int(self._state.get(nonce_key(signer)))

    def nonces_at(self, signers: Sequence[Address], block_hash: Hash) -> list[int]:
        """See `ChainPort.nonces_at`."""
        with self._blocks.at(block_hash):
            return [int(self._state.get(nonce_key(signer))) for signer in signers]

    def call_many(
        self, calls: Sequence[tuple[Address, str]], block_hash: Hash | None = None
    ) -> list[str]:
        """See `ChainPort.call_many`."""
        with self._blocks.at(block_hash) as block:
            return [
                "0x" + view(self._state, block, to, bytes.fromhex(words[2:])).hex()
                for to, words in calls
            ]

    def coin_balances(self, holders: Sequence[Address], block_hash: Hash) -> list[int]:
        """See `ChainPort.coin_balances`."""
        with self._blocks.at(block_hash):
            return [self._state.get(balance_key(holder)) for holder in holders]

    def code_hashes(self, addresses: Sequence[Address]) -> list[Hash | None]:
        """See `ChainPort.code_hashes`."""
        contracts = [self._state.get(("contract", address), None) for address in addresses]
        return [contract.code_hash if contract else None for contract in contracts]

    def mine(self, count: int = 1) -> None:
        """See `ChainControls.mine`."""
        for _ in range(count):
            self._add_block(self._ready())
            self._pool.settle_down(self._state, self._blocks.next_base_fee())

    def reorg(self, depth: int, transactions: Sequence[tuple[bytes, int]] = ()) -> None:
        """See `ChainControls.reorg`. What cannot be included is left out without a word.

        Raises:
            ChainUnreachable: the chain is not that long.
        """
        base = self.head().number - depth
        if depth < 1 or base < 0 or any(not 0 <= place < depth for _, place in transactions):
            raise ChainUnreachable(f"no reorg of depth {depth} at block {self.head().number}")
        self._blocks.rewind(base)
        for place in range(depth):
            self._add_block([_read(raw) for raw, where in transactions if where == place])
        self._pool.settle_down(self._state, 0)

    def drop_all(self) -> None:
        """See `ChainControls.drop_all`."""
        self._pool.clear()

    def drop(self, tx_hash: Hash) -> bool:
        """Forget a pooled chain transaction and, as anvil does, the sender's later ones."""
        return self._pool.drop(tx_hash)

    def set_automine(self, on: bool) -> None:
        """See `ChainControls.set_automine`."""
        self._automine = on

    def set_next_base_fee(self, wei: int) -> None:
        """See `ChainControls.set_next_base_fee`."""
        self._next_base_fee = wei

    def set_block_gas_limit(self, gas: int) -> None:
        """Set the gas limit of the blocks to come."""
        self._block_gas_limit = gas

    def set_chain_id(self, chain_id: int) -> None:
        """Answer to another chain id from now on."""
        self._blocks.chain_id = chain_id

    def set_balance(self, holder: Address, wei: int) -> None:
        """Give an account this many wei, no more and no less."""
        self._state.put(balance_key(holder), wei)
        self._blocks.put_outside()

    def set_nonce(self, account: Address, nonce: int) -> None:
        """Let an account's next nonce be this one."""
        self._state.put(nonce_key(account), nonce)
        self._blocks.put_outside()

    def increase_time(self, seconds: int) -> None:
        """Let the chain's clock jump forward."""
        self._ahead_seconds += seconds

    def set_next_timestamp(self, timestamp: int) -> None:
        """Set the time of the next block, in seconds since 1970."""
        self._next_timestamp = timestamp

    def snapshot(self) -> str:
        """Remember the newest block; the answer names it."""
        name = hex(len(self._snapshots))
        self._snapshots[name] = self.head().hash
        return name

    def revert(self, name: str) -> bool:
        """Go back to a snapshot, which is used up; the pool stays. False if there is none."""
        block_hash = self._snapshots.pop(name, None)
        if block_hash is None:
            return False
        self._blocks.rewind(self._blocks.by_hash(block_hash).ref.number)
        return True

    def pooled_count(self) -> int:
        """Return how many chain transactions are pooled, executable or waiting for a nonce."""
        return len(self._pool)

    def _take(self, raw: bytes) -> SendAnswer:
        try:
            chain_tx = _read(raw)
        except ValueError as error:
            return meaning(str(error))
        refusal = self._pool.refusal(
            self._state,
            chain_tx,
            chain_id=self._blocks.chain_id,
            block_gas_limit=self._block_gas_limit,
            base_fee_wei=self._base_fee(),
        )
        if refusal is not None:
            return meaning(refusal)
        self._pool.add(chain_tx)
        return SendAnswer(SendOutcome.ACCEPTED)

    def _ready(self) -> list[SignedChainTx]:
        return self._pool.ready(self._state, self._base_fee())

    def _base_fee(self) -> int:
        if self._next_base_fee is not None:
            return self._next_base_fee
        return self._blocks.next_base_fee()

    def _add_block(self, chain_txs: Sequence[SignedChainTx]) -> Block:
        timestamp = self._next_timestamp
        if timestamp is None:
            timestamp = self.head().timestamp + self._block_seconds + self._ahead_seconds
        block = self._blocks.add(
            chain_txs,
            timestamp=max(timestamp, self.head().timestamp),
            base_fee_wei=self._base_fee(),
            gas_limit=self._block_gas_limit,
        )
        self._next_base_fee = self._next_timestamp = None
        self._ahead_seconds = 0
        self._mined |= {each.hash: each.raw for each in chain_txs}
        return block
