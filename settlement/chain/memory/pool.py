"""Chain transactions that wait to be mined: what a node takes, replaces, orders and forgets.

Knows no block but the base fee of the next one. The words of its refusals are those of real nodes.
"""

from __future__ import annotations

from dataclasses import dataclass

from settlement.chain.memory.execution import (
    balance_key,
    floor_gas,
    intrinsic_gas,
    nonce_key,
    upfront_wei,
)
from settlement.chain.memory.state import State
from settlement.chain.port import Address, Hash
from settlement.chain.signing import SignedChainTx


@dataclass(frozen=True, slots=True)
class PoolRules:
    """How one kind of node treats its pool."""

    replaces_by_percent: int
    """What a replacement adds to both fees at least; 0 stands for any higher maximum fee."""
    takes_below_base_fee: bool
    """Whether a fee below the base fee waits (geth), or is refused and evicted (anvil)."""
    known: str
    """The words for bytes that it has already."""


ANVIL_RULES = PoolRules(0, False, "transaction already imported")
GETH_RULES = PoolRules(10, True, "already known")


class Pool:
    """The waiting chain transactions by sender and nonce, in the order of their arrival."""

    def __init__(self, rules: PoolRules) -> None:
        self.rules = rules
        self._waiting: dict[Address, dict[int, SignedChainTx]] = {}
        self._arrivals: dict[Hash, int] = {}
        self._next_arrival = 0

    def __len__(self) -> int:
        return len(self._arrivals)

    def refusal(
        self,
        state: State,
        chain_tx: SignedChainTx,
        *,
        chain_id: int,
        block_gas_limit: int,
        base_fee_wei: int,
    ) -> str | None:
        """Return the words with which a node refuses a chain transaction; None if it takes it."""
        if chain_tx.chain_id != chain_id:
            return "invalid chain id for signer"
        if chain_tx.hash in self._arrivals:
            return self.rules.known
        if chain_tx.nonce < state.get(nonce_key(chain_tx.sender)):
            return "nonce too low"
        if chain_tx.gas_limit > block_gas_limit:
            return "intrinsic gas too high -- tx.gas_limit > env.block.gas_limit"
        if chain_tx.gas_limit < max(intrinsic_gas(chain_tx), floor_gas(chain_tx)):
            return "intrinsic gas too low"
        if chain_tx.max_fee_wei < base_fee_wei and not self.rules.takes_below_base_fee:
            return "max fee per gas less than block base fee"
        if state.get(balance_key(chain_tx.sender)) < upfront_wei(chain_tx):
            return "Insufficient funds for gas * price + value"
        holder = self._waiting.get(chain_tx.sender, {}).get(chain_tx.nonce)
        if holder is not None and not self._outbids(chain_tx, holder):
            return "replacement transaction underpriced"
        return None

    def add(self, chain_tx: SignedChainTx) -> None:
        """Take a chain transaction that was not refused; it replaces what had its nonce."""
        slots = self._waiting.setdefault(chain_tx.sender, {})
        before = slots.get(chain_tx.nonce)
        if before is not None:
            del self._arrivals[before.hash]
        slots[chain_tx.nonce] = chain_tx
        self._arrivals[chain_tx.hash] = self._next_arrival
        self._next_arrival += 1

    def ready(self, state: State, base_fee_wei: int) -> list[SignedChainTx]:
        """Return what can be mined now: highest tip first, each sender's by nonce."""
        chosen: list[SignedChainTx] = []
        fronts = {
            sender: state.get(nonce_key(sender)) for sender, slots in self._waiting.items() if slots
        }
        while fronts:
            offers = []
            for sender, nonce in list(fronts.items()):
                offer = self._waiting[sender].get(nonce)
                if offer is None or offer.max_fee_wei < base_fee_wei:
                    del fronts[sender]
                else:
                    offers.append((-_tip(offer, base_fee_wei), self._arrivals[offer.hash], offer))
            if not offers:
                break
            best = min(offers)[2]
            chosen.append(best)
            fronts[best.sender] += 1
        return chosen

    def settle_down(self, state: State, base_fee_wei: int) -> None:
        """Forget after a block what has been overtaken and, as anvil does, what bids too little."""
        for chain_tx in list(self.all()):
            overtaken = chain_tx.nonce < state.get(nonce_key(chain_tx.sender))
            low = chain_tx.max_fee_wei < base_fee_wei and not self.rules.takes_below_base_fee
            if overtaken or low:
                self._forget(chain_tx)

    def drop(self, tx_hash: Hash) -> bool:
        """Forget one chain transaction and, as anvil does, its sender's later ones."""
        found = next((each for each in self.all() if each.hash == tx_hash), None)
        if found is None:
            return False
        for nonce, chain_tx in list(self._waiting[found.sender].items()):
            if nonce >= found.nonce:
                self._forget(chain_tx)
        return True

    def clear(self) -> None:
        """Forget everything."""
        self._waiting.clear()
        self._arrivals.clear()

    def all(self) -> list[SignedChainTx]:
        """Return everything that waits."""
        return [each for slots in self._waiting.values() for each in slots.values()]

    def _outbids(self, challenger: SignedChainTx, holder: SignedChainTx) -> bool:
        percent = self.rules.replaces_by_percent
        if not percent:
            return challenger.max_fee_wei > holder.max_fee_wei
        pairs = (
            (challenger.max_fee_wei, holder.max_fee_wei),
            (challenger.max_priority_fee_wei, holder.max_priority_fee_wei),
        )
        return all(new > old and 100 * new >= (100 + percent) * old for new, old in pairs)

    def _forget(self, chain_tx: SignedChainTx) -> None:
        del self._waiting[chain_tx.sender][chain_tx.nonce]
        del self._arrivals[chain_tx.hash]


def _tip(chain_tx: SignedChainTx, base_fee_wei: int) -> int:
    return min(chain_tx.max_priority_fee_wei, chain_tx.max_fee_wei - base_fee_wei)
