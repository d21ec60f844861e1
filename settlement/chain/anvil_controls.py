"""What an anvil can be told beyond a node's ordinary calls: mining, reorgs, clocks, balances, code.

For demos, tests and simulations. A chain that is not anvil refuses these, and that is told.
"""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from typing import Any

from settlement.chain.port import Address, Hash
from settlement.chain.rpc import JsonRpc


class AnvilControls:
    """Controls of the anvil at `url`; a `ChainControls`. Each may raise `ChainUnreachable`."""

    def __init__(self, url: str, timeout_seconds: float = 30.0) -> None:
        self._rpc = JsonRpc(url, timeout_seconds)

    def close(self) -> None:
        """Close the connection."""
        self._rpc.close()

    def mine(self, count: int = 1) -> None:
        """See `ChainControls.mine`."""
        self._rpc.call("anvil_mine", hex(count))

    def reorg(self, depth: int, transactions: Sequence[tuple[bytes, int]] = ()) -> None:
        """See `ChainControls.reorg`. anvil leaves out without a word what cannot be included."""
        pairs = [["0x" + raw.hex(), index] for raw, index in transactions]
        self._rpc.call("anvil_reorg", depth, pairs)

    def drop_all(self) -> None:
        """See `ChainControls.drop_all`."""
        self._rpc.call("anvil_dropAllTransactions")

    def drop(self, tx_hash: Hash) -> bool:
        """Forget a pooled chain transaction and, as anvil does, the sender's later ones."""
        return self._rpc.call("anvil_dropTransaction", tx_hash) is not None

    def set_automine(self, on: bool) -> None:
        """See `ChainControls.set_automine`."""
        self._rpc.call("evm_setAutomine", on)

    def set_mining_interval(self, seconds: int) -> None:
        """Mine every so many seconds; 0 stops that."""
        self._rpc.call("evm_setIntervalMining", seconds)

    def set_next_base_fee(self, wei: int) -> None:
        """See `ChainControls.set_next_base_fee`."""
        self._rpc.call("anvil_setNextBlockBaseFeePerGas", hex(wei))

    def set_block_gas_limit(self, gas: int) -> None:
        """Set the gas limit of the blocks to come."""
        self._rpc.call("anvil_setBlockGasLimit", hex(gas))

    def set_chain_id(self, chain_id: int) -> None:
        """Answer to another chain id from now on."""
        self._rpc.call("anvil_setChainId", chain_id)

    def snapshot(self) -> str:
        """Remember the state; the answer names it."""
        name: str = self._rpc.call("evm_snapshot")
        return name

    def revert(self, name: str) -> bool:
        """Go back to a snapshot, which is used up; the pool stays. False if there is none."""
        return self._rpc.call("evm_revert", name) is True

    def dumped_state(self) -> bytes:
        """Return what anvil writes to its state's file, as it is now."""
        packed = str(self._rpc.call("anvil_dumpState"))
        return gzip.decompress(bytes.fromhex(packed.removeprefix("0x")))

    def increase_time(self, seconds: int) -> None:
        """Let the chain's clock jump forward."""
        self._rpc.call("evm_increaseTime", hex(seconds))

    def set_next_timestamp(self, timestamp: int) -> None:
        """Set the time of the next block, in seconds since 1970."""
        self._rpc.call("evm_setNextBlockTimestamp", hex(timestamp))

    def set_balance(self, holder: Address, wei: int) -> None:
        """Give an account this many wei, no more and no less."""
        self._rpc.call("anvil_setBalance", holder, hex(wei))

    def set_code(self, address: Address, code: bytes) -> None:
        """Put runtime code at an address."""
        self._rpc.call("anvil_setCode", address, "0x" + code.hex())

    def set_storage(self, address: Address, slot: int, word: bytes) -> None:
        """Write 32 bytes into a contract's storage."""
        self._rpc.call("anvil_setStorageAt", address, hex(slot), "0x" + word.rjust(32, b"\0").hex())

    def set_nonce(self, account: Address, nonce: int) -> None:
        """Let an account's next nonce be this one."""
        self._rpc.call("anvil_setNonce", account, hex(nonce))

    def pooled_count(self) -> int:
        """Return how many chain transactions are pooled, executable or waiting for a nonce."""
        status: dict[str, Any] = self._rpc.call("txpool_status")
        return int(status["pending"], 16) + int(status["queued"], 16)

    def send_as(self, sender: Address, to: Address, data: bytes, value: int = 0) -> Hash:
        """Send as an account whose key nobody has; for tests of what a stolen account could do."""
        self._rpc.call("anvil_impersonateAccount", sender)
        try:
            call = {"from": sender, "to": to, "data": "0x" + data.hex(), "value": hex(value)}
            sent: Hash = self._rpc.call("eth_sendTransaction", call)
        finally:
            self._rpc.call("anvil_stopImpersonatingAccount", sender)
        return sent
