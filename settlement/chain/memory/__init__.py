"""A chain in memory, with the rail and its token in Python: for simulations and fast tests.

Takes the very bytes that a real node takes, reports the same logs; `chain` says what differs.
"""

from settlement.chain.memory.chain import MemoryChain
from settlement.chain.memory.pool import ANVIL_RULES, GETH_RULES, PoolRules

__all__ = ["ANVIL_RULES", "GETH_RULES", "MemoryChain", "PoolRules"]
